//! The store in Redis and Valkey.

use portcullis_store::RedisRefreshStore;
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
