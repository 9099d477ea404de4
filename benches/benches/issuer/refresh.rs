//! Refreshes: of junk, and of sessions in each store.

use std::time::{Duration, Instant};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portcullis::{
    Algorithm,
    revocation::{Cursor, LogError, Page, Revocation, Revoker},
};
use portcullis_benches::{Contender, Options, measure, median};
use portcullis_issuer::refresh::{
    DangerUncheckedSubjects, LogIn, MemoryRefreshStore, RefreshKeys, RefreshPolicy, RefreshStore, Sessions,
};
use portcullis_store::{NatsRefreshStore, PostgresRefreshStore, RedbRefreshStore, RedisRefreshStore};
use real_servers::{NatsProgram, PostgresServer, RedisServer, is_missing};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{minting, now};

/// How many tokens of junk come in turn.
const JUNK: usize = 1024;

type Bench<S> = Sessions<S, NoLog, DangerUncheckedSubjects>;

fn sessions<S: RefreshStore>(store: S) -> Bench<S> {
    let (issuer, _) = minting::issuer(Algorithm::EdDsa);
    let keys = RefreshKeys::new(1, [7; 32]).expect("32 bytes");
    Sessions::new(issuer, store, keys, NoLog, DangerUncheckedSubjects)
}

/// What junk is like, and how long it takes until it is refused.
pub fn junk_rows(options: &Options) -> Vec<(&'static str, f64)> {
    let sessions = sessions(MemoryRefreshStore::new());
    let policy = RefreshPolicy::new();
    let tokens = now(sessions.log_in(LogIn::new("alice", "web"), &policy)).expect("a session");
    let good = BASE64_URL_SAFE_NO_PAD.decode(&tokens.refresh_token()["prt_".len()..]).expect("base64url");
    let spell = |octets: Vec<u8>| format!("prt_{}", BASE64_URL_SAFE_NO_PAD.encode(octets));
    let flipped = (0..JUNK).map(|at| {
        let mut octets = good.clone();
        octets[at % good.len()] ^= 1 << (at % 8);
        spell(octets)
    });
    // Numbers that no digest of our own has made: only the MAC can tell.
    let random = |at: usize, offset: usize| (at.wrapping_mul(2_654_435_761) >> (offset % 24)) as u8;
    let forged = (0..JUNK).map(|at| {
        let octets = good.iter().enumerate().map(|(n, octet)| if n < 2 { *octet } else { random(at, n) });
        spell(octets.collect())
    });
    let foreign = (0..JUNK).map(|at| format!("v1.{at:064}"));
    let lists: [(&str, Vec<String>); 3] = [
        ("ours with one bit changed", flipped.collect()),
        ("of our form, with a wrong MAC", forged.collect()),
        ("another server's", foreign.collect()),
    ];
    println!("\n| a refresh token that is | ns until it is refused |");
    println!("|---|---:|");
    let (rounds, slice) = options.rounds();
    let row = |(name, list): &(&'static str, Vec<String>)| {
        let mut at = 0;
        let refuse = || {
            at = (at + 1) % list.len();
            now(sessions.refresh(&list[at], "web", &policy)).expect_err("junk")
        };
        let ns = measure(&mut [Contender::new(name, refuse)], rounds, slice).ns(0);
        println!("| {name} | {ns:.0} |");
        options.record_ns("issuer", "junk", name, ns, 0);
        (*name, ns)
    };
    lists.iter().map(row).collect()
}

/// A row for each store and each number of clients that refresh at the same time.
pub fn rows(options: &Options) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    println!("\n| store | clients at once | refreshes a second | median ms | slowest of a hundred ms |");
    println!("|---|---:|---:|---:|---:|");
    store_rows(options, &runtime, "memory", MemoryRefreshStore::new);
    let folder = tempfile::tempdir().expect("a folder");
    let file = |clients| folder.path().join(format!("{clients}.redb"));
    for_each_load(options, &runtime, "redb", |clients| RedbRefreshStore::open(file(clients)).expect("a file"));
    if !is_missing("redis-server") {
        let server = RedisServer::start();
        store_rows(options, &runtime, "Redis", || RedisRefreshStore::new(&server.url()).expect("a URL"));
    }
    if !is_missing("postgres") {
        let server = PostgresServer::start();
        store_rows(options, &runtime, "PostgreSQL", || PostgresRefreshStore::new(&server.url()).expect("a URL"));
    }
    if let Some(nats) = NatsProgram::recent() {
        let server = nats.start();
        store_rows(options, &runtime, "NATS", || NatsRefreshStore::new(&server.url()).expect("a URL"));
    }
}

fn store_rows<S: RefreshStore>(options: &Options, runtime: &Runtime, name: &str, open: impl Fn() -> S) {
    for_each_load(options, runtime, name, |_| open());
}

fn for_each_load<S: RefreshStore>(options: &Options, runtime: &Runtime, name: &str, open: impl Fn(usize) -> S) {
    for clients in [1, 64] {
        let _in_runtime = runtime.enter();
        let times = runtime.block_on(refresh(sessions(open(clients)), clients, options));
        let rate = times.times.len() as f64 / times.elapsed.as_secs_f64();
        let (median, slow) = (median(times.times.clone()), percentile(times.times, 99));
        println!("| {name} | {clients} | {rate:.0} | {median:.3} | {slow:.3} |");
        options.record_ns("issuer", &format!("refresh, {clients} at once"), name, 1e9 / rate, 0);
    }
}

struct Times {
    /// Milliseconds of each refresh.
    times: Vec<f64>,
    elapsed: Duration,
}

/// Each client has a session of its own, and replaces its token again and again, so every refresh writes.
async fn refresh<S: RefreshStore>(sessions: Bench<S>, clients: usize, options: &Options) -> Times {
    let policy = RefreshPolicy::new().grace(Duration::ZERO);
    let lasts = if options.quick { Duration::from_millis(200) } else { Duration::from_secs(5) };
    let mut tokens = Vec::new();
    for client in 0..clients {
        let log_in = LogIn::new(format!("user-{client}"), "web").scope("orders:read");
        tokens.push(sessions.log_in(log_in, &policy).await.expect("a session").refresh_token().to_owned());
    }
    let (started, mut tasks) = (Instant::now(), JoinSet::new());
    for mut token in tokens {
        let sessions = sessions.clone();
        tasks.spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < lasts {
                let start = Instant::now();
                token = sessions.refresh(&token, "web", &policy).await.expect("new tokens").refresh_token().to_owned();
                times.push(start.elapsed().as_secs_f64() * 1e3);
                tokio::task::yield_now().await;
            }
            times
        });
    }
    let times = tasks.join_all().await.concat();
    Times { times, elapsed: started.elapsed() }
}

fn percentile(mut times: Vec<f64>, percent: usize) -> f64 {
    times.sort_by(f64::total_cmp);
    times[(times.len() * percent / 100).min(times.len() - 1)]
}

/// Nothing is revoked here.
#[derive(Debug)]
pub struct NoLog;

impl Revoker for NoLog {
    async fn revoke_all(&self, _: Vec<Revocation>) -> Result<(), LogError> {
        Err(LogError::unavailable("there is no log"))
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Err(LogError::unavailable("there is no log"))
    }
}
