//! The store in Redis and Valkey.

use std::fs;

use portcullis_store::{RedisApiTokenStore, RedisLog, RedisRefreshStore};
use portcullis_test::FixedClock;
use real_servers::{RedisServer, is_missing};

use super::{
    instances::{Instance, a_revocation_arrives, all_is_well_again, an_outage, clock, has_none_of, texts_of_a_life},
    support::redis::{OF_ISSUER, add_documented_user},
    *,
};

struct Redis(RedisServer);

impl Redis {
    fn key(id: ApiTokenId) -> String {
        format!("{{portcullis}}:api-token:{id}")
    }

    fn store(&self) -> RedisApiTokenStore {
        RedisRefreshStore::new(&self.0.url()).unwrap().api_tokens()
    }

    /// Returns everything that is stored.
    fn content(&self) -> Vec<String> {
        let keys = self.0.cli(&["--raw", "KEYS", "*"]);
        let value = |key: &str| match self.0.cli(&["--raw", "TYPE", key]).trim() {
            "string" => self.0.cli(&["--raw", "GET", key]),
            "hash" => self.0.cli(&["--raw", "HGETALL", key]),
            "stream" => self.0.cli(&["--raw", "XRANGE", key, "-", "+"]),
            _ => self.0.cli(&["--raw", "ZRANGE", key, "0", "-1", "WITHSCORES"]),
        };
        let mut content: Vec<_> = keys.lines().map(|key| format!("{key} = {}", value(key).trim_end())).collect();
        content.sort();
        content
    }
}

impl ApiTokenPlace for Redis {
    type Store = RedisApiTokenStore;

    async fn open(&self) -> RedisApiTokenStore {
        self.store()
    }

    async fn overwrite(&mut self, id: ApiTokenId) -> Possible {
        self.0.cli(&["SET", &Self::key(id), &format!("2 0 -\n-\n{}", later())]);
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
async fn the_api_tokens_in_redis_keep_the_contract() {
    if !is_missing("redis-server") {
        ApiTokenStoreContract::new(Redis(RedisServer::start())).check().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_tokens_in_valkey_keep_the_contract() {
    if !is_missing("valkey-server") && !is_missing("redis-cli") {
        ApiTokenStoreContract::new(Redis(RedisServer::start_valkey())).check().await;
    }
}

#[tokio::test]
async fn rows_of_version_1_are_read_from_redis() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    for line in include_str!("../rows/api-token-v1.redis").lines() {
        let words: Vec<String> =
            line.split('\t').map(|word| word.replace("<ROW>", ROW.trim()).replace("<LF>", "\n")).collect();
        redis.0.cli(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let before = redis.content();
    assert_eq!(before.len(), 8, "{before:?}");
    is_read(&redis.store()).await;
    assert_eq!(redis.content(), before, "this version writes another form");
    assert_eq!(redis.store().forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    assert_eq!(redis.content(), Vec::<String>::new(), "what is forgotten leaves nothing behind");
}

#[tokio::test]
async fn more_are_forgotten_than_one_script_forgets_past_those_that_cannot_be_read() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let store = redis.store();
    many_that_are_over(&store, 1030).await;
    for number in 0..20 {
        redis.0.cli(&["SET", &Redis::key(numbered(number).id), "2 0 -\n-\n{}"]);
    }
    assert_eq!(store.forget_before(Millis::new(2)).await.unwrap(), 1010);
    let left = store.all(None, 100).await.unwrap();
    assert_eq!((left.rows.len(), left.unreadable.len()), (1, 20));
}

#[tokio::test]
async fn a_long_list_has_several_pages() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    let store = redis.store();
    many_that_are_over(&store, 1010).await;
    let first = store.list(&Owner::user("alice"), None, 5000).await.unwrap();
    assert_eq!((first.rows.len(), first.next), (1000, Some(numbered(999).id)));
    let rest = store.list(&Owner::user("alice"), first.next, 5000).await.unwrap();
    assert_eq!((rest.rows.len(), rest.next), (11, None));
}

/// As if an attacker had pointed the digest of the own token at the row of another one.
#[tokio::test]
async fn a_digest_that_names_another_row_finds_nothing() {
    if is_missing("redis-server") {
        return;
    }
    let (redis, [own, other]) = (Redis(RedisServer::start()), [numbered(1), numbered(2)]);
    let store = redis.store();
    for row in [&own, &other] {
        assert_eq!(store.insert(row).await.unwrap(), Inserted::New);
    }
    assert_eq!(store.find(&own.digest).await.unwrap().unwrap().row, own);
    let key = format!("{{portcullis}}:api-token-digest:{}", own.digest);
    for id in [other.id, numbered(77).id] {
        redis.0.cli(&["SET", &key, &id.to_string()]);
        assert!(store.find(&own.digest).await.is_err());
        assert_eq!(store.find(&other.digest).await.unwrap().unwrap().row, other);
    }
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_api_tokens() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start());
    add_documented_user(&redis.0, OF_ISSUER);
    let store = RedisRefreshStore::new(&redis.0.url()).unwrap().credentials("issuer", "secret").api_tokens();
    is_read_with_rights(&store).await;
    // Without one of them, nothing is said about the token.
    redis.0.cli(&["ACL", "SETUSER", "issuer", "-get"]);
    assert!(store.find(&of_version_1().digest).await.is_err());
}

async fn is_read_with_rights(store: &RedisApiTokenStore) {
    let row = of_version_1();
    assert_eq!(store.insert(&row).await.unwrap(), Inserted::New);
    store.record_uses(&[ApiTokenUse::new(row.id, LastUse::new(Millis::new(1), None))]).await.unwrap();
    let mut changed = row.clone();
    changed.version += 1;
    assert_eq!(store.replace(&changed, Some(&numbered(9))).await.unwrap(), Changed::Stored);
    assert_eq!(store.list(&row.owner, None, 9).await.unwrap().rows, [changed]);
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_server_that_evicts_is_refused_for_api_tokens() {
    if is_missing("redis-server") {
        return;
    }
    let redis = Redis(RedisServer::start_with(&[("maxmemory-policy", "allkeys-lru")]));
    let error = redis.store().find_by_id(numbered(1).id).await.unwrap_err();
    assert!(error.to_string().contains("noeviction"), "{error}");
}

async fn instance(redis: &Redis, clock: &FixedClock) -> Instance<RedisApiTokenStore> {
    Instance::new(redis.store(), RedisLog::new(&redis.0.url()).unwrap(), clock).await
}

#[tokio::test]
async fn pitfall_7_a_revocation_reaches_another_instance_by_redis_and_an_outage_is_bridged_for_a_minute() {
    if is_missing("redis-server") {
        return;
    }
    let (mut redis, clock) = (Redis(RedisServer::start()), clock());
    let (one, other) = (instance(&redis, &clock).await, instance(&redis, &clock).await);
    let left = a_revocation_arrives(&one, &other).await;
    redis.0.kill();
    an_outage(&other, &left, &clock).await;
    redis.0.restart();
    all_is_well_again(&other, &left).await;
}

/// All keys and values, and all commands that ever changed them.
#[tokio::test]
async fn pitfall_6_the_text_of_a_token_is_nowhere_in_redis() {
    if is_missing("redis-server") {
        return;
    }
    let (redis, clock) = (Redis(RedisServer::start()), clock());
    let texts = texts_of_a_life(&instance(&redis, &clock).await).await;
    has_none_of(&texts, "Redis", redis.content().join("\n").as_bytes());
    let mut folders = vec![redis.0.folder().to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.is_file() {
                files.extend(fs::read(entry).unwrap());
            }
        }
    }
    has_none_of(&texts, "the files of Redis", &files);
}
