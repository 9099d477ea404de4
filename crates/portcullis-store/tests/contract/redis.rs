//! The log in Redis: one server, Valkey, and a master with a replica under Sentinel.

use portcullis_store::RedisLog;
use real_servers::{RedisServer, is_missing};
use tempfile::TempDir;

use super::*;

const STREAM: &str = "{portcullis}:revocations";

struct Redis {
    server: RedisServer,
    saved: Option<TempDir>,
}

impl LogPlace for Redis {
    type Log = RedisLog;

    async fn open(&self) -> RedisLog {
        RedisLog::new(&self.server.url()).unwrap()
    }

    async fn crash(&mut self) -> Possible {
        self.server.restart();
        Possible::Yes
    }

    async fn lose_everything(&mut self) -> Possible {
        self.server.cli(&["FLUSHALL"]);
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

    async fn trim(&mut self) -> Possible {
        self.server.cli(&["XTRIM", STREAM, "MAXLEN", "600"]);
        Possible::Yes
    }

    async fn write(&mut self, texts: &[&str]) -> Possible {
        for text in texts {
            self.server.cli(&["XADD", STREAM, "*", "e", text]);
        }
        Possible::Yes
    }

    async fn pass(&mut self, _time: Duration) -> Possible {
        Possible::No
    }
}

async fn keeps_the_contract(server: RedisServer) {
    let contract = RevocationLogContract::new(Redis { server, saved: None });
    contract.without(Switch::Pass, CLOCK_OF_THE_MACHINE).check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_redis_keeps_the_contract() {
    if is_missing("redis-server") {
        return;
    }
    keeps_the_contract(RedisServer::start()).await;
}
