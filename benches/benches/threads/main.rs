//! Two threads over 10 000 tokens that were all verified before, by one admission with one cache.
//!
//! Each thread has its own router, so that the threads share only what authentication shares. Other rows use clones of one
//! router, as servers do: axum clones a router's services and state for every request, so both processors update the
//! reference count of every `Arc` in them; the row `Extension(Arc)` shows the cost of that alone.
//!
//! What two threads can gain at all depends on the machine: two processors may share an execution unit, a cache, a
//! clock. So the same run has a loop that touches no memory, and the bare router, which allocates like all contenders.

use std::{
    hint::black_box,
    process::ExitCode,
    time::{Duration, Instant},
};

use axum::Router;
use portcullis_benches::{
    Budgets, Options, Scaling, Work, admission, extension, layered, plain, requests, scaling, with_state,
};
use portcullis_test::MockIssuer;
use serde_json::json;

const TOKENS: usize = 10_000;

/// Prime, so that steps of this length visit every token, and in an order that no prefetcher knows.
const STRIDE: usize = 7919;

/// At least so many times the work of one thread.
const BUDGET: f64 = 1.8;

/// No hit takes so long, and no verification with ES256 less.
const SURELY_COLD: Duration = Duration::from_micros(20);

fn main() -> ExitCode {
    let options = Options::from_args();
    let (rounds, slice) = if options.quick { (3, 50) } else { (21, 200) };
    let issuer = MockIssuer::new(); // ES256, whose tokens are quick to sign
    let token = |at: usize| issuer.token().subject("alice").token_id(&at.to_string()).sign();
    let tokens: Vec<String> = (0..TOKENS).map(|at| token(at * STRIDE % TOKENS)).collect();
    let auth = admission(issuer.trusted());
    let (state, layer) = (with_state(auth.clone()), layered(auth.clone()));
    let (bare, arc) = (plain(), extension());
    for (name, router) in [("extractor from state", &state), ("layer and extractor", &layer)] {
        println!("{name}: {:.1} % of the tokens are verified again at second sight", cold_share(router, &tokens));
    }
    let mut works = [
        Work::new("a loop without memory", |_| spin),
        Work::new("bare router", |thread| halves(plain(), &tokens, thread)),
        Work::new("portcullis, extractor from state", |thread| halves(with_state(auth.clone()), &tokens, thread)),
        Work::new("portcullis, layer and extractor", |thread| halves(layered(auth.clone()), &tokens, thread)),
        Work::new("one router: bare", |thread| halves(bare.clone(), &tokens, thread)),
        Work::new("one router: Extension(Arc)", |thread| halves(arc.clone(), &tokens, thread)),
        Work::new("one router: extractor from state", |thread| halves(state.clone(), &tokens, thread)),
        Work::new("one router: layer and extractor", |thread| halves(layer.clone(), &tokens, thread)),
    ];
    works.iter_mut().for_each(|work| work.warm_up(TOKENS));
    let results = scaling(&mut works, rounds, Duration::from_millis(slice));
    print(&works, &results, &options)
}

/// An iteration that needs a processor and nothing else.
fn spin() {
    let mut state = black_box(1_u64);
    (0..500).for_each(|_| state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    black_box(state);
}

/// Requests with all tokens; the second thread begins in the middle. Each thread has its own copy of the headers, as
/// each connection has: cloning a shared one would count references to it from both processors.
fn halves(router: Router, tokens: &[String], thread: usize) -> impl FnMut() + use<> {
    let (first, second) = tokens.split_at(thread * tokens.len() / 2);
    requests(router, &[second, first].concat())
}

/// The share of tokens, in percent, that even the second request with them finds unknown: 0 if all fit the cache.
fn cold_share(router: &Router, tokens: &[String]) -> f64 {
    let mut request = requests(router.clone(), tokens);
    tokens.iter().for_each(|_| request());
    let mut is_cold = || {
        let start = Instant::now();
        request();
        start.elapsed() > SURELY_COLD
    };
    let cold = tokens.iter().filter(|_| is_cold()).count();
    100.0 * cold as f64 / tokens.len() as f64
}

fn print(works: &[Work], results: &[Scaling], options: &Options) -> ExitCode {
    println!("\n| what | ns alone | requests/s, one thread | two threads | ratio |");
    println!("|---|---:|---:|---:|---:|");
    for (work, Scaling { ns, one, two, ratio }) in works.iter().zip(results) {
        println!("| {} | {ns:.0} | {one:.0} | {two:.0} | {ratio:.2} |", work.name);
        options.record(json!({ "bench": "threads", "name": work.name, "ns": ns.round(), "ratio": ratio }));
    }
    println!();
    let mut budgets = Budgets::new(options);
    for (work, result) in works.iter().zip(results).filter(|(work, _)| work.name.starts_with("portcullis")) {
        let (name, ratio) = (work.name, result.ratio);
        let (machine, router) = (results[0].ratio, results[1].ratio);
        let line = format!(
            "{name}: {ratio:.2} times one thread (budget {BUDGET}; the machine gives {machine:.2}, the bare router reaches {router:.2})"
        );
        budgets.judge(&line, ratio >= BUDGET);
    }
    budgets.close()
}
