//! How many instructions a request takes, as callgrind counts them: the same on a loaded machine as on a quiet one.
//!
//! Each contender runs in a process of its own under valgrind, once with few and once with many requests; the difference is divided by
//! the difference in requests, so that what happens at the start does not count. Without valgrind the benchmark says so and measures nothing.

use std::{
    env,
    process::{Command, ExitCode},
    slice,
};

use axum::Router;
use portcullis::{Admission, Algorithm, metrics::Telemetry};
use portcullis_benches::{
    Options, admission, counted, extension, guarded, layered, plain, requests, two_places, uncached, with_state,
};
use portcullis_test::{FixedClock, MockIssuer};

/// How many requests the two runs of a contender make. The first ones fill caches.
const FEW: usize = 100;
const MANY: usize = 2_100;

/// How often each is counted; the least counts. Hashes have random keys, so that what a table costs differs from process to process.
const RUNS: usize = 5;

/// What the process that is counted runs, and how often.
const CONTENDER: &str = "PORTCULLIS_BENCH_CONTENDER";
const REQUESTS: &str = "PORTCULLIS_BENCH_REQUESTS";

type Contender = (&'static str, fn(&MockIssuer) -> Router);

const CONTENDERS: [Contender; 9] = [
    ("bare router", |_| plain()),
    ("bare router with Extension(Arc)", |_| extension()),
    ("warm: extractor from state", |issuer| with_state(still(issuer))),
    ("warm: layer and extractor", |issuer| layered(still(issuer))),
    ("warm: layer that counts, and extractor", |issuer| counted(still(issuer), &Telemetry::new())),
    ("warm: layer with two places, and extractor", |issuer| two_places(still(issuer))),
    ("warm: layer, extractor and scope guard", |issuer| guarded(still(issuer))),
    ("cold: extractor from state", |issuer| with_state(uncached(still(issuer)))),
    ("cold: layer and extractor", |issuer| layered(uncached(still(issuer)))),
];

fn main() -> ExitCode {
    if let (Ok(contender), Ok(count)) = (env::var(CONTENDER), env::var(REQUESTS)) {
        run(&contender, count.parse().expect("a number of requests"));
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        println!("NOT RUN: valgrind is not installed (apt install valgrind)");
        return ExitCode::SUCCESS;
    }
    let options = Options::from_args();
    println!("| what | instructions a request | over the bare router |");
    println!("|---|---:|---:|");
    let mut bare = None;
    for (name, _) in CONTENDERS {
        let [few, many] =
            [FEW, MANY].map(|count| (0..RUNS).map(|_| counted_by_callgrind(name, count)).min().unwrap_or(0));
        let each = (many - few) / (MANY - FEW) as u64;
        let bare = *bare.get_or_insert(each);
        println!("| {name} | {each} | {} |", each.saturating_sub(bare));
        options.record(serde_json::json!({ "bench": "instructions", "name": name, "instructions": each }));
    }
    ExitCode::SUCCESS
}

/// With a clock that stands still: how the system is asked for the time cannot run under valgrind.
fn still(issuer: &MockIssuer) -> Admission {
    admission(issuer.trusted()).clock(FixedClock::default())
}

/// HMAC, because it is the cheapest signature: what is ours shows best beside it.
fn run(contender: &str, count: usize) {
    let issuer = MockIssuer::with_algorithm(Algorithm::Hs256).clock(FixedClock::default());
    let token = issuer.token().subject("alice").scope("orders:read profile").sign();
    let (_, router) = CONTENDERS.iter().find(|(name, _)| *name == contender).expect("a contender of this name");
    let mut request = requests(router(&issuer), slice::from_ref(&token));
    (0..count).for_each(|_| request());
}

fn counted_by_callgrind(contender: &str, count: usize) -> u64 {
    let program = env::current_exe().expect("the path of this program");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .env(CONTENDER, contender)
        .env(REQUESTS, count.to_string())
        .output()
        .expect("valgrind runs");
    let told = String::from_utf8_lossy(&valgrind.stderr);
    assert!(valgrind.status.success(), "the contender ended with {}: {told}", valgrind.status);
    let counted = told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    counted.unwrap_or_else(|| panic!("valgrind counted nothing: {told}"))
}
