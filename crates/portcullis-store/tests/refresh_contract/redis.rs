//! The store in Redis and Valkey.

use portcullis_issuer::refresh::{LogIn, Opened, RefreshPolicy, RefreshStore, ShareDigest, Step};
use portcullis_store::{RedisLog, RedisRefreshStore};
use real_servers::{RedisServer, is_missing};
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
        self.server.cli(&["HSET", &Self::key(family), "form", "2", "family", text]);
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
