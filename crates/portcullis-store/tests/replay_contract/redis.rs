//! The store in Redis and Valkey.

use portcullis_store::RedisReplayStore;
use real_servers::{Proxy, RedisServer, is_missing};

use super::{
    support::redis::{OF_PROOFS, add_documented_user},
    *,
};

struct Redis(RedisServer);

impl Redis {
    fn store(&self) -> RedisReplayStore {
        RedisReplayStore::new(&self.0.url()).unwrap()
    }
}

impl ReplayPlace for Redis {
    type Store = RedisReplayStore;

    async fn open(&self) -> RedisReplayStore {
        self.store()
    }

    async fn crash(&mut self) -> Possible {
        self.0.restart();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.0.kill();
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.0.restart();
    }

    /// Its memory is full, and it evicts nothing.
    async fn fill(&mut self) -> Possible {
        self.0.cli(&["CONFIG", "SET", "maxmemory", "1"]);
        Possible::Yes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proofs_in_redis_keep_the_contract() {
    if !is_missing("redis-server") {
        ReplayStoreContract::new(Redis(RedisServer::start())).check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proofs_in_valkey_keep_the_contract() {
    if !is_missing("valkey-server") && !is_missing("redis-cli") {
        ReplayStoreContract::new(Redis(RedisServer::start_valkey())).check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_7_of_a_thousand_concurrent_duplicates_one_is_accepted_by_redis() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    of_a_thousand_duplicates_one_is_accepted([redis.store(), redis.store()]).await;
}

#[tokio::test]
async fn redis_forgets_ids_by_itself_and_learns_no_name() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    assert_eq!(ask(&redis.store(), "4f7c").await, Once::First);
    let name = format!("{:032x}", u128::from_be_bytes(*key("4f7c").as_bytes()));
    let name = format!("{{portcullis}}:proof:{name}");
    assert_eq!(redis.0.cli(&["--raw", "KEYS", "*"]), name);
    let left: u64 = redis.0.cli(&["--raw", "PTTL", &name]).parse().unwrap();
    assert!((60_000..=120_000).contains(&left), "a minute longer than the nonce: {left}");
    // Services with other names do not see each other's.
    assert_eq!(ask(&redis.store().name("other"), "4f7c").await, Once::First);
    assert_eq!(ask(&redis.store().name("other"), "4f7c").await, Once::Repeated);
}

#[tokio::test]
async fn a_store_recognises_what_it_has_written_itself() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let store = redis.store();
    assert_eq!(ask(&store, "connected").await, Once::First);
    // The server closes the idle connection; the next question is asked on a new one.
    redis.0.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_eq!(ask(&store, "after").await, Once::First);
    assert_eq!(ask(&store, "after").await, Once::Repeated);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let store = redis.store();
    assert_eq!(ask(&store, "before").await, Once::First);
    redis.0.suspend();
    let asked = tokio::time::Instant::now();
    assert_eq!(fault(&store, "meanwhile").await.0, Code::ReplayUndecided);
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
    redis.0.resume();
    assert_eq!(ask(&store, "before").await, Once::Repeated);
    assert!(figures(&store).contains("portcullis_replay_undecided_total{source=\"proofs\"} 1"));
    assert!(figures(&store).contains("portcullis_replay_repeated_total{source=\"proofs\"} 1"));
}

#[tokio::test]
async fn a_server_that_evicts_is_refused_for_proofs() {
    if is_missing("redis-server") {
        return;
    }
    for policy in ["allkeys-lru", "volatile-ttl"] {
        let redis = Redis(RedisServer::start_with(&[("maxmemory-policy", policy)]));
        let (code, cause) = fault(&redis.store(), "1").await;
        assert!(code == Code::ReplayUndecided && cause.contains("noeviction"), "{cause}");
        assert_eq!(ask(&redis.store().danger_trust_eviction_policy(), "1").await, Once::First);
    }
    let redis = Redis(RedisServer::start());
    assert_eq!(ask(&redis.store(), "1").await, Once::First);
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_proofs() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    add_documented_user(&redis.0, OF_PROOFS);
    let store = redis.store().credentials("proofs", "secret");
    assert_eq!(ask(&store, "1").await, Once::First);
    assert_eq!(ask(&store, "1").await, Once::Repeated);
    redis.0.cli(&["ACL", "SETUSER", "proofs", "-set"]);
    assert_eq!(fault(&store, "2").await.0, Code::ReplayUndecided);
    let wrong = redis.store().credentials("proofs", "wr0ng");
    let (code, cause) = fault(&wrong, "2").await;
    assert!(code == Code::ReplayUndecided && !cause.contains("wr0ng"), "{cause}");
    assert!(!format!("{wrong:?}").contains("wr0ng") && format!("{wrong:?}").contains("localhost"));
}

#[tokio::test]
async fn settings_that_lose_ids_are_warned_about() {
    if is_missing("redis-server") {
        return;
    }
    for (appendonly, is_warned) in [("yes", false), ("no", true)] {
        let redis = Redis(RedisServer::start_with(&[("appendonly", appendonly)]));
        let store = redis.store();
        assert!(store.warnings().is_empty(), "before the first connection");
        assert_eq!(ask(&store, "1").await, Once::First);
        assert_eq!(!store.warnings().is_empty(), is_warned, "{:?}", store.warnings());
    }
}

#[test]
fn a_bad_url_is_refused_without_showing_it() {
    for url in ["http://user:s3cret@localhost", "redis://user:s3cret@", "rediss://user:s3cret@localhost#insecure"] {
        let error = RedisReplayStore::new(url).unwrap_err().to_string();
        assert!(!error.contains("s3cret"), "{error}");
    }
    let plain = RedisReplayStore::new("redis://localhost").unwrap();
    assert!(plain.root_certificates(b"-----BEGIN CERTIFICATE-----").is_err());
    assert!(plain.client_certificate(b"x", b"y").is_err());
}

/// The network between the service and the server: connections are closed, nothing arrives, or a router has forgotten the connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_network_does_not_decide() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let breaks: [fn(&Proxy); 3] = [Proxy::cut, Proxy::hold, Proxy::forget];
    for (number, breaks) in breaks.into_iter().enumerate() {
        let proxy = Proxy::before(redis.0.port()).await;
        let store = RedisReplayStore::new(&format!("redis://127.0.0.1:{}", proxy.port())).unwrap();
        let used = format!("before {number}");
        assert_eq!(ask(&store, &used).await, Once::First);
        breaks(&proxy);
        assert_eq!(fault(&store, &format!("meanwhile {number}")).await.0, Code::ReplayUndecided, "{number}");
        proxy.open();
        assert_eq!(ask(&store, &used).await, Once::Repeated, "{number}");
        assert_eq!(ask(&store, &format!("after {number}")).await, Once::First, "{number}");
    }
}
