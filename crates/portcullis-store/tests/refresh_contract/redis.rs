//! The store in Redis and Valkey.

use std::collections::BTreeMap;

use ::redis::{Client, aio::MultiplexedConnection, cmd};
use portcullis_issuer::refresh::{EndReason, LogIn, Opened, RefreshPolicy, RefreshStore, ShareDigest, Step};
use portcullis_store::{RedisLog, RedisRefreshStore};
use real_servers::{RedisServer, is_missing};
use serde_json::Value;
use tempfile::TempDir;

use super::*;

struct Redis {
    server: RedisServer,
    saved: Option<TempDir>,
}

impl Redis {
    fn key(family: FamilyId) -> String {
        format!("{{portcullis}}:family:{}", family.session_id())
    }
}

impl RefreshPlace for Redis {
    type Store = RedisRefreshStore;

    async fn open(&self) -> RedisRefreshStore {
        RedisRefreshStore::new(&self.server.url()).unwrap()
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        for field in ["rotated_at", "idle_until", "absolute_until"] {
            let at = self.server.cli(&["HGET", &Self::key(family), field]);
            if let Ok(at) = at.trim().trim_matches('"').parse() {
                let at = earlier(Millis::new(at), by).get().to_string();
                self.server.cli(&["HSET", &Self::key(family), field, &at]);
            }
        }
    }

    async fn overwrite(&mut self, family: FamilyId, text: &str) -> Possible {
        self.server.cli(&["HSET", &Self::key(family), "form", form(text), "family", text]);
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.server.restart();
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        self.saved = Some(self.server.backup());
        Possible::Yes
    }

    async fn roll_back(&mut self) -> Possible {
        self.server.restore(self.saved.as_ref().unwrap().path());
        Possible::Yes
    }
}

impl Dump for Redis {
    async fn dump(&mut self) -> Vec<u8> {
        files_in(self.server.backup().path())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_in_redis() {
    if !is_missing("redis-server") {
        sessions::work(Redis { server: RedisServer::start(), saved: None }).await;
    }
}

async fn keeps_the_contract(server: RedisServer) {
    RefreshStoreContract::new(Redis { server, saved: None }).callers(CALLERS).check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_redis_keeps_the_contract() {
    if is_missing("redis-server") {
        return;
    }
    keeps_the_contract(RedisServer::start()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_valkey_keeps_the_contract() {
    if is_missing("valkey-server") || is_missing("redis-cli") {
        return;
    }
    keeps_the_contract(RedisServer::start_valkey()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_of_a_later_form_is_not_rotated_in_redis() {
    if is_missing("redis-server") {
        return;
    }
    let mut place = Redis { server: RedisServer::start(), saved: None };
    let (store, id, share) = (place.open().await, FamilyId::from_bytes([1; 16]), ShareDigest::from_bytes([2; 16]));
    let policy = RefreshPolicy::new();
    let family = Family::new(id, share, 1, LogIn::new("alice", "web"), &policy, store.now().await.unwrap());
    assert_eq!(store.open(family.clone()).await.unwrap(), Opened::New);
    place.overwrite(id, &family.to_json().replace("\"v\":1", "\"v\":2")).await;
    assert!(store.rotate(Step::new(id, 0, share, "web", 1, &policy)).await.is_err());
    assert_eq!(
        place.server.cli(&["HGET", &Redis::key(id), "generation"]).trim().trim_matches('"').to_owned(),
        "0",
        "an old instance has rotated what it cannot read"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_1_a_thousand_refreshes_of_one_token_rotate_it_once_in_redis() {
    if !is_missing("redis-server") {
        crowd::rotates_once(Redis { server: RedisServer::start(), saved: None }, Duration::from_secs(60)).await;
    }
}

impl everywhere::Shared for Redis {
    type Store = RedisRefreshStore;
    type Log = RedisLog;

    fn store(&self) -> RedisRefreshStore {
        RedisRefreshStore::new(&self.server.url()).unwrap()
    }

    fn log(&self) -> RedisLog {
        RedisLog::new(&self.server.url()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_6_a_log_out_everywhere_with_64_refreshes_in_flight_ends_them_all_in_redis() {
    if !is_missing("redis-server") {
        everywhere::logs_out(Redis { server: RedisServer::start(), saved: None }).await;
    }
}

impl Redis {
    async fn client(&self) -> MultiplexedConnection {
        Client::open(self.server.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
    }
}

impl rows::Rows for Redis {
    async fn load_v1(&mut self) {
        let rows: Value = serde_json::from_str(include_str!("../rows/v1/redis.json")).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let bytes = |value: &Value| match text(value).strip_prefix("hex:") {
            Some(digits) => u128::from_str_radix(digits, 16).unwrap().to_be_bytes().to_vec(),
            None => text(value).into_bytes(),
        };
        let mut write = cmd("HSET");
        write.arg(text(&rows["family"]));
        for (field, value) in rows["fields"].as_object().unwrap() {
            write.arg(field).arg(bytes(value));
        }
        let mut list = cmd("ZADD");
        list.arg(text(&rows["sessions"])).arg(text(&rows["score"])).arg(text(&rows["member"]));
        let mut client = self.client().await;
        for command in [cmd("FLUSHALL"), write, list] {
            command.exec_async(&mut client).await.unwrap();
        }
    }

    async fn make_later(&mut self, session: FamilyId) {
        self.server.cli(&["HSET", &Self::key(session), "form", "2"]);
    }

    async fn stored(&mut self) -> String {
        let mut client = self.client().await;
        let mut keys: Vec<String> = cmd("KEYS").arg("*").query_async(&mut client).await.unwrap();
        keys.sort();
        let mut stored = Vec::new();
        for key in keys {
            if key.contains(":family:") {
                let fields: BTreeMap<String, Vec<u8>> =
                    cmd("HGETALL").arg(&key).query_async(&mut client).await.unwrap();
                stored.push(format!("{key} {fields:?}"));
            } else {
                let mut list = cmd("ZRANGE");
                list.arg(&key).arg(0).arg(-1).arg("WITHSCORES");
                stored.push(format!("{key} {:?}", list.query_async::<Vec<String>>(&mut client).await.unwrap()));
            }
        }
        stored.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_version_1_in_redis_are_served_and_later_ones_left_alone() {
    if !is_missing("redis-server") {
        rows::are_read(Redis { server: RedisServer::start(), saved: None }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_keys_in_redis_keep_no_other_session_alive() {
    if is_missing("redis-server") {
        return;
    }
    let place = Redis { server: RedisServer::start(), saved: None };
    let (store, policy) = (place.open().await, RefreshPolicy::new());
    let now = store.now().await.unwrap();
    let [first, no_hash, no_idle_end, no_end, last] = [1, 2, 3, 4, 5].map(|number| FamilyId::from_bytes([number; 16]));
    for id in [first, no_hash, no_idle_end, no_end, last] {
        let log_in = LogIn::new("alice", "web");
        let opened = store.open(Family::new(id, ShareDigest::from_bytes([2; 16]), 1, log_in, &policy, now)).await;
        assert_eq!(opened.unwrap(), Opened::New);
    }
    place.server.cli(&["SET", &Redis::key(no_hash), "something else"]);
    place.server.cli(&["HDEL", &Redis::key(no_idle_end), "idle_until"]);
    place.server.cli(&["HDEL", &Redis::key(no_end), "absolute_until"]);
    let mut listed: Vec<_> = store.families_of("alice").await.unwrap().iter().map(|family| family.id).collect();
    listed.sort();
    assert_eq!(listed, [first, last], "a damaged key hides other sessions, or is listed");
    let error = store.end_all_of("alice", Some(last), EndReason::LoggedOutEverywhere).await.unwrap_err();
    assert!(error.to_string().contains("1 of the user's sessions could not be ended"), "{error}");
    let has_ended = |id| place.server.cli(&["HGET", &Redis::key(id), "ended"]).contains("logged_out_everywhere");
    assert!([first, no_idle_end, no_end].into_iter().all(has_ended), "a damaged key keeps a session alive");
    assert!(!has_ended(last), "the session that was to stay has ended");
    place.server.cli(&["DEL", &Redis::key(no_hash)]);
    assert_eq!(store.end_all_of("alice", None, EndReason::LoggedOutEverywhere).await.unwrap(), [last]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subjects_list_in_redis_has_no_session_that_has_ended_and_every_one_that_goes_on() {
    if is_missing("redis-server") {
        return;
    }
    let place = Redis { server: RedisServer::start(), saved: None };
    let (store, policy) = (place.open().await, RefreshPolicy::new());
    let now = store.now().await.unwrap();
    let subject = "línea\n\"'; --\u{1F980}";
    let ids = [1, 2, 3, 4, 5, 6].map(|number| FamilyId::from_bytes([number; 16]));
    for id in ids {
        let family = Family::new(id, ShareDigest::from_bytes([2; 16]), 1, LogIn::new(subject, "web"), &policy, now);
        assert_eq!(store.open(family).await.unwrap(), Opened::New);
    }
    let mut client = place.client().await;
    let listed = async |client: &mut MultiplexedConnection| {
        let mut list = cmd("ZRANGE");
        list.arg(format!("{{portcullis}}:sessions:{subject}")).arg(0).arg(-1);
        let listed: Vec<String> = list.query_async(client).await.unwrap();
        listed.iter().map(|id| FamilyId::from_session_id(id).unwrap()).collect::<Vec<_>>()
    };
    for _ in 0..2 {
        store.end(ids[0], EndReason::LoggedOut).await.unwrap();
        assert_eq!(listed(&mut client).await, ids[1..], "it goes on, or has ended");
    }
    // A damaged row of the session is ended, and stays in the list, as it does not say whose it is.
    place.server.cli(&["HSET", &Redis::key(ids[1]), "family", "hello"]);
    place.server.cli(&["DEL", &Redis::key(ids[2])]);
    store.end(ids[1], EndReason::LoggedOut).await.unwrap();
    assert_eq!(listed(&mut client).await, ids[1..]);
    let ended = store.end_all_of(subject, Some(ids[5]), EndReason::LoggedOutEverywhere).await.unwrap();
    assert_eq!(ended, ids[3..5]);
    assert_eq!(listed(&mut client).await, ids[5..]);
    assert_eq!(store.end_all_of(subject, Some(ids[5]), EndReason::LoggedOutEverywhere).await.unwrap(), []);
    assert_eq!(store.end_all_of(subject, None, EndReason::LoggedOutEverywhere).await.unwrap(), ids[5..]);
    assert_eq!(listed(&mut client).await, []);
}
