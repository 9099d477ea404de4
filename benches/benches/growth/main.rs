//! What stores of sessions do when there are many: bytes for each session, steps a second, a user's list, and forgetting.
//!
//! `cargo bench --bench growth -- 10000000` measures with as many, and `-- redb postgres` in these stores alone.

mod places;

use std::{
    env,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use places::{NatsPlace, Place, PostgresPlace, RedbPlace, RedisPlace};
use portcullis_benches::{Budgets, Options};
use portcullis_issuer::refresh::{Family, FamilyId, LogIn, RefreshPolicy, RefreshStore, ShareDigest, Step};
use real_servers::{NatsProgram, is_missing};
use tokio::{runtime::Builder, task::JoinSet};

/// How many calls are under way at once.
const AT_ONCE: usize = 64;

/// How many sessions a user has.
const OF_A_USER: u64 = 4;

fn main() -> ExitCode {
    let options = Options::from_args();
    let most = env::args().filter_map(|word| word.parse().ok()).max().unwrap_or(1_000_000);
    let sizes: [u64; 2] = if options.quick { [500, 2_000] } else { [10_000, most] };
    let mut budgets = Budgets::new(&options);
    println!(
        "| store | sessions | bytes each | steps a second, one caller | {AT_ONCE} callers | a user's list µs | forgotten a second |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        if is_wanted("redb") {
            grow(&options, &mut budgets, RedbPlace::new(), sizes).await;
        }
        if is_wanted("redis") && !is_missing("redis-server") {
            grow(&options, &mut budgets, RedisPlace::new(), sizes).await;
        }
        if is_wanted("postgres") && !is_missing("postgres") {
            grow(&options, &mut budgets, PostgresPlace::new(), sizes).await;
        }
        if is_wanted("nats")
            && let Some(program) = NatsProgram::recent()
        {
            grow(&options, &mut budgets, NatsPlace::new(&program), sizes).await;
        }
    });
    budgets.close()
}

/// Whether the store is named on the command line, or none is.
fn is_wanted(store: &str) -> bool {
    let named = |name: &str| env::args().any(|word| word == name);
    named(store) || !["redb", "redis", "postgres", "nats"].into_iter().any(named)
}

/// What was measured at one size.
struct Row {
    steps: f64,
    list: f64,
}

/// Measures at both sizes: what depends on the number of sessions by more than the depth of an index shows.
async fn grow<P: Place>(options: &Options, budgets: &mut Budgets, mut place: P, sizes: [u64; 2]) {
    let store = Arc::new(place.store());
    let (mut opened, mut rows) = (0, Vec::new());
    for size in sizes.map(|size| size.min(place.most())) {
        let started = Instant::now();
        place.fill(&store, opened..size).await;
        eprintln!("{}: {size} sessions, after {} s", place.name(), started.elapsed().as_secs());
        opened = size;
        rows.push(row(options, &place, &store, size).await);
    }
    let [few, many] = &rows[..] else { return };
    let name = place.name();
    budgets.judge(
        &format!("{name}: steps go at {:.2} of their speed", many.steps / few.steps),
        many.steps >= few.steps / 2.0,
    );
    budgets
        .judge(&format!("{name}: a list takes {:.2} times as long", many.list / few.list), many.list <= few.list * 2.0);
}

async fn row<P: Place>(options: &Options, place: &P, store: &Arc<P::Store>, size: u64) -> Row {
    let bytes = place.bytes().await / size;
    let one = steps_a_second(options, store, size, 1).await;
    let many = steps_a_second(options, store, size, AT_ONCE).await;
    let list = list_micros(options, store, size).await;
    let forgotten = forgotten_a_second(options, store, size).await;
    let forgotten = forgotten.map_or_else(|| "by the server".to_owned(), |rate| format!("{rate:.0}"));
    println!("| {} | {size} | {bytes} | {one:.0} | {many:.0} | {list:.0} | {forgotten} |", place.name());
    Row { steps: many, list }
}

/// Returns the family of this number, and its step from this generation.
pub fn family(number: u64, now: portcullis_issuer::refresh::Millis) -> Family {
    let log_in = LogIn::new(format!("user-{}", number / OF_A_USER), "web")
        .scope("orders:read orders:write")
        .label("Firefox on Linux");
    Family::new(id(number), share(number), 1, log_in, &RefreshPolicy::new(), now)
}

fn id(number: u64) -> FamilyId {
    // Spread like random ids.
    let spread = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    FamilyId::from_bytes(spread.to_be_bytes())
}

fn share(number: u64) -> ShareDigest {
    ShareDigest::from_bytes(u128::from(number).to_le_bytes())
}

/// Each step rotates another family.
async fn steps_a_second<S: RefreshStore>(options: &Options, store: &Arc<S>, size: u64, callers: usize) -> f64 {
    let (rounds, limit) = if options.quick { (200, Duration::from_secs(1)) } else { (20_000, Duration::from_secs(6)) };
    let (started, mut done) = (Instant::now(), 0);
    let mut under_way = JoinSet::new();
    let mut numbers = (0..rounds).map(|at| at * 7_919 % size);
    loop {
        while under_way.len() < callers && started.elapsed() < limit {
            let Some(number) = numbers.next() else { break };
            let store = Arc::clone(store);
            under_way.spawn(async move { step(&*store, number).await });
        }
        let Some(taken) = under_way.join_next().await else { break };
        taken.expect("a step is taken");
        done += 1;
    }
    f64::from(done) / started.elapsed().as_secs_f64()
}

async fn step<S: RefreshStore>(store: &S, number: u64) {
    let policy = RefreshPolicy::new().grace(Duration::ZERO);
    let found = store.find(id(number)).await.expect("the store answers").0.expect("it was opened");
    let step = Step::new(found.id, found.generation, share(number), "web", 1, &policy);
    store.rotate(step).await.expect("the store answers");
}

async fn list_micros<S: RefreshStore>(options: &Options, store: &Arc<S>, size: u64) -> f64 {
    let rounds = if options.quick { 20 } else { 500 };
    let started = Instant::now();
    for at in 0..rounds {
        let user = at * 7_919 % (size / OF_A_USER);
        let listed = store.families_of(&format!("user-{user}")).await.expect("the store answers");
        assert_eq!(listed.len() as u64, OF_A_USER);
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(u32::try_from(rounds).expect("a small number"))
}

/// Opens sessions that are over at once, and forgets them; `None` where the server forgets by itself.
async fn forgotten_a_second<S: RefreshStore>(options: &Options, store: &Arc<S>, size: u64) -> Option<f64> {
    let count = if options.quick { 200 } else { 5_000 };
    let now = store.now().await.expect("the store answers");
    let policy = RefreshPolicy::new().absolute(Duration::ZERO);
    let mut under_way = JoinSet::new();
    for at in 0..count {
        let number = u64::MAX - size - at;
        let family = Family::new(id(number), share(number), 1, LogIn::new("over", "web"), &policy, now);
        let store = Arc::clone(store);
        under_way.spawn(async move { store.open(family).await.expect("a session is opened") });
    }
    under_way.join_all().await;
    let started = Instant::now();
    let forgotten = store.forget_before(now.plus(Duration::from_millis(1))).await.expect("the store answers");
    let is_by_us = forgotten > 0;
    is_by_us.then(|| f64::from(u32::try_from(forgotten).expect("a small number")) / started.elapsed().as_secs_f64())
}
