//! The store in Redis and Valkey.

use portcullis_store::{RedisRecordStore, RedisRefreshStore};
use real_servers::{RedisServer, is_missing};

use super::{
    support::redis::{OF_ISSUER, add_documented_user},
    *,
};

struct Redis(RedisServer);

impl Redis {
    fn key(key: &RecordKey) -> String {
        let (kind, group) = (key.group().kind().name(), key.group().name());
        format!("{{portcullis}}:record:{kind}:{}:{group}:{}", group.len(), key.id())
    }

    fn group(key: &RecordKey) -> String {
        format!("{{portcullis}}:records:{}:{}", key.group().kind().name(), key.group().name())
    }

    fn store(&self) -> RedisRecordStore {
        RedisRefreshStore::new(&self.0.url()).unwrap().records()
    }

    /// Returns the row as it is on the server.
    fn row(&self, key: &RecordKey) -> String {
        let row = self.0.cli(&["--no-raw", "STRLEN", &Self::key(key)]);
        assert_ne!(row.trim(), "(integer) 0");
        self.0.cli(&["--raw", "GET", &Self::key(key)])
    }
}

impl RecordPlace for Redis {
    type Store = RedisRecordStore;

    async fn open(&self) -> RedisRecordStore {
        self.store()
    }

    async fn pass(&mut self, _: Duration) {}

    async fn overwrite(&mut self, key: &RecordKey) -> Possible {
        self.0.cli(&["SET", &Self::key(key), LATER]);
        Possible::Yes
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
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_in_redis_keep_the_contract() {
    if !is_missing("redis-server") {
        RecordStoreContract::new(Redis(RedisServer::start())).check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_in_valkey_keep_the_contract() {
    if !is_missing("valkey-server") && !is_missing("redis-cli") {
        RecordStoreContract::new(Redis(RedisServer::start_valkey())).check().await;
    }
}

#[tokio::test]
async fn rows_of_version_1_are_read_from_redis() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    redis.0.cli(&["SET", &Redis::key(&of_version_1()), ROW]);
    redis.0.cli(&["ZADD", &Redis::group(&of_version_1()), "4102444800000", of_version_1().id()]);
    is_read(&redis.store()).await;
    for key in [of_version_1(), other()] {
        assert_eq!(with_the_version(&redis.row(&key)).trim_end(), ROW.trim_end());
        assert_eq!(redis.0.cli(&["PEXPIRETIME", &Redis::key(&key)]).trim(), "4102444800000");
        assert_eq!(redis.0.cli(&["ZSCORE", &Redis::group(&key), key.id()]).trim().trim_matches('"'), "4102444800000");
    }
}

#[tokio::test]
async fn redis_forgets_records_by_itself_and_their_groups() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let (store, live) = (redis.store(), three_of_which_one_lives(&redis.store()).await);
    let mut keys: Vec<_> = redis.0.cli(&["--raw", "KEYS", "*"]).lines().map(str::to_owned).collect();
    keys.sort();
    assert_eq!(keys, [Redis::key(&live), Redis::group(&live)], "what has ended or was deleted is gone");
    let ends = |key: &str| redis.0.cli(&["--raw", "PEXPIRETIME", key]).trim().to_owned();
    assert_eq!(ends(&Redis::group(&live)), ends(&Redis::key(&live)), "a group lasts as long as its last record");
    // With one that has no end, the group has none.
    let endless = RecordKey::new(RecordKind::Code, "group", "endless").unwrap();
    store.swap(&endless, None, Some(NewRecord::new("endless"))).await.unwrap();
    assert_eq!((ends(&Redis::key(&endless)), ends(&Redis::group(&live))), ("-1".to_owned(), "-1".to_owned()));
    // An end that is taken away, and one that is given.
    for (next, end) in
        [(NewRecord::new("x"), "-1"), (NewRecord::new("x").until(Millis::new(4_102_444_800_000)), "4102444800000")]
    {
        let version = store.find(&live).await.unwrap().unwrap().version();
        store.swap(&live, Some(version), Some(next)).await.unwrap();
        assert_eq!(ends(&Redis::key(&live)), end);
    }
    let version = store.find(&endless).await.unwrap().unwrap().version();
    store.swap(&endless, Some(version), None).await.unwrap();
    assert_eq!(ends(&Redis::group(&live)), "4102444800000", "the last record has an end again");
    let version = store.find(&live).await.unwrap().unwrap().version();
    store.swap(&live, Some(version), None).await.unwrap();
    assert_eq!(redis.0.cli(&["--raw", "DBSIZE"]).trim(), "0");
}

/// As after a restore that has lost the expiry, or while the server's clock is set back and on again.
#[tokio::test]
async fn a_record_whose_key_has_outlived_its_end_is_absent_in_redis() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    for (row, is_there) in [("1 7 1000\nover", false), ("1 7 4102444800000\nlive", true)] {
        redis.0.cli(&["SET", &Redis::key(&other()), row]);
        redis.0.cli(&["ZADD", &Redis::group(&other()), "+inf", other().id()]);
        let store = redis.store();
        assert_eq!(store.find(&other()).await.unwrap().is_some(), is_there);
        assert_eq!(store.list(other().group()).await.unwrap().len(), usize::from(is_there));
        let seven = Some(RecordVersion::new(7));
        let stale = store.swap(&other(), seven, Some(NewRecord::new("changed"))).await.unwrap();
        assert_eq!(stale == Swapped::Stored, is_there);
        let created = store.swap(&other(), None, Some(NewRecord::new("created"))).await.unwrap();
        assert_eq!(created == Swapped::Stored, !is_there);
    }
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_records() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    add_documented_user(&redis.0, OF_ISSUER);
    let store = RedisRefreshStore::new(&redis.0.url()).unwrap().credentials("issuer", "secret").records();
    let live = three_of_which_one_lives(&store).await;
    assert_eq!(store.list(live.group()).await.unwrap().len(), 1);
    // Without one of them, nothing is said about the record.
    redis.0.cli(&["ACL", "SETUSER", "issuer", "-mget"]);
    assert!(store.find(&live).await.is_err());
}

#[tokio::test]
async fn a_server_that_evicts_is_refused_for_records() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]));
    let error = redis.store().find(&other()).await.unwrap_err();
    assert!(error.to_string().contains("noeviction"), "{error}");
    let redis = Redis(RedisServer::start());
    assert_eq!(redis.store().find(&other()).await.unwrap(), None);
}

#[tokio::test]
async fn a_large_group_is_listed_in_several_steps() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let (store, group) = (redis.store(), RecordGroup::new(RecordKind::Client, "large").unwrap());
    for id in 0..250 {
        let key = RecordKey::new(RecordKind::Client, "large", id.to_string()).unwrap();
        store.swap(&key, None, Some(NewRecord::new(id.to_string()))).await.unwrap();
    }
    let listed = store.list(&group).await.unwrap();
    assert_eq!(listed.len(), 250);
    assert!(listed.iter().all(|(id, record)| id == record.text()));
}
