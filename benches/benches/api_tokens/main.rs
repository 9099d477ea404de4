//! API tokens: what a check costs that is cached, and one that asks the store, beside the store's own read; whether the time of an answer says something about
//! a token; and what stores of tokens do when there are many.
//!
//! `cargo bench --bench api_tokens -- 1000000` measures with as many, and `-- redb postgres` in these stores alone.

mod checks;
mod growth;
mod log;
mod places;
mod timing;

use std::{env, process::ExitCode};

use log::Counted;
use places::{MemoryPlace, Place, PostgresPlace, RedbPlace, RedisPlace};
use portcullis_benches::{Budgets, Options};
use portcullis_issuer::api_tokens::{ApiTokenFormat, ApiTokenStore, ApiTokens, DangerUncheckedMemberships, Peppers};
use real_servers::is_missing;
use tokio::runtime::{Builder, Runtime};

const ISSUER: &str = "https://id.example.com";

type Tokens<S> = ApiTokens<S, DangerUncheckedMemberships, Counted>;

fn tokens<S: ApiTokenStore>(store: S, log: Counted) -> Tokens<S> {
    let (format, peppers) =
        (ApiTokenFormat::new("acme").expect("a prefix"), Peppers::new('1', [7; 32]).expect("a key"));
    let builder = ApiTokens::builder(ISSUER, format, peppers, store);
    builder.memberships(DangerUncheckedMemberships).revoker(log).build().expect("a sound configuration")
}

fn main() -> ExitCode {
    let options = Options::from_args();
    let most = env::args().filter_map(|word| word.parse().ok()).max().unwrap_or(1_000_000);
    let sizes: [u32; 2] = if options.quick { [500, 2_000] } else { [10_000, most] };
    let mut budgets = Budgets::new(&options);
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    println!("\n| a check of a token that is cached | ns | allocations |");
    println!("|---|---:|---:|");
    checks::warm(&options, &runtime, &mut budgets);
    println!(
        "\n| store | ancestors | one row by its id µs | token and ancestors µs | check µs | check over store µs |"
    );
    println!("|---|---:|---:|---:|---:|---:|");
    for_each_place(|place| checks::cold(&options, &runtime, &mut budgets, &place));
    println!("\n| whether the time says which one it was | median of the first ns | of the second ns | Welch's t |");
    println!("|---|---:|---:|---:|");
    timing::by_tag(&options, &runtime);
    for_each_place(|place| timing::by_digest(&options, &runtime, &place));
    println!(
        "\n| store | tokens | bytes each | find µs | an owner's list µs | revoke µs | revoke a root µs | preview a root µs | uses a second |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for_each_place(|mut place| growth::grow(&options, &runtime, &mut budgets, &mut place, sizes));
    budgets.close()
}

/// Does it with an empty store in each place that is there.
fn for_each_place(mut work: impl FnMut(Place)) {
    if is_wanted("memory") {
        work(Place::Memory(MemoryPlace::default()));
    }
    if is_wanted("redb") {
        work(Place::Redb(RedbPlace::new()));
    }
    if is_wanted("redis") && !is_missing("redis-server") {
        work(Place::Redis(RedisPlace::new()));
    }
    if is_wanted("postgres") && !is_missing("postgres") {
        work(Place::Postgres(PostgresPlace::new()));
    }
}

/// Whether the store is named on the command line, or none is.
fn is_wanted(store: &str) -> bool {
    let named = |name: &str| env::args().any(|word| word == name);
    named(store) || !["memory", "redb", "redis", "postgres"].into_iter().any(named)
}

/// Microseconds of a call, as the middle of many.
fn micros<F: Future>(runtime: &Runtime, rounds: usize, mut call: impl FnMut(usize) -> F) -> f64 {
    let times = (0..rounds).map(|at| {
        let started = std::time::Instant::now();
        runtime.block_on(call(at));
        started.elapsed().as_secs_f64() * 1e6
    });
    portcullis_benches::median(times.collect())
}
