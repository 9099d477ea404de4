//! The log in Redis: one server, Valkey, and a master with a replica under Sentinel.

use portcullis_store::RedisLog;
use real_servers::{Proxy, RedisSentinel, RedisServer, is_missing};
use tempfile::TempDir;
use tokio::task::block_in_place;

use super::{support::time::until, *};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_valkey_keeps_the_contract() {
    if is_missing("valkey-server") || is_missing("redis-cli") {
        return;
    }
    keeps_the_contract(RedisServer::start_valkey()).await;
}

/// A master and a replica that Sentinel watches, and a proxy that leads to the current master: what the URL of the log has to name.
struct Watched {
    servers: [RedisServer; 2],
    /// Which of them is the master.
    master: usize,
    sentinel: RedisSentinel,
    way: Proxy,
}

impl Watched {
    async fn start() -> Self {
        let master = RedisServer::start_with(&[("repl-diskless-sync-delay", "0")]);
        let of = format!("127.0.0.1 {}", master.port());
        let replica = RedisServer::start_with(&[("repl-diskless-sync-delay", "0"), ("replicaof", &of)]);
        let (sentinel, way) = (RedisSentinel::of(master.port()), Proxy::before(master.port()).await);
        let watched = Self { servers: [master, replica], master: 0, sentinel, way };
        watched.has_a_replica().await;
        watched
    }

    async fn has_a_replica(&self) {
        let master = &self.servers[self.master];
        until("the replica is known", || master.cli(&["INFO", "replication"]).contains("state=online")).await;
        // Sentinel asks the master for its replicas every ten seconds.
        until("Sentinel knows the replica", || self.sentinel.knows_a_replica()).await;
    }

    fn cli(&self, words: &[&str]) {
        self.servers[self.master].cli(words);
    }
}

impl LogPlace for Watched {
    type Log = RedisLog;

    async fn open(&self) -> RedisLog {
        RedisLog::new(&format!("redis://127.0.0.1:{}", self.way.port())).unwrap().acknowledged_by(1)
    }

    /// The master goes, the replica takes over, and the old master comes back as its replica.
    async fn crash(&mut self) -> Possible {
        let old = self.master;
        self.servers[old].kill();
        let port = block_in_place(|| self.sentinel.fail_over(self.servers[old].port()));
        self.master = 1 - old;
        assert_eq!(port, self.servers[self.master].port());
        self.way.lead_to(port);
        self.servers[old].set("replicaof", &format!("127.0.0.1 {port}"));
        self.servers[old].restart();
        self.has_a_replica().await;
        Possible::Yes
    }

    async fn lose_everything(&mut self) -> Possible {
        self.cli(&["FLUSHALL"]);
        Possible::Yes
    }

    async fn save(&mut self) -> Possible {
        Possible::No
    }

    async fn roll_back(&mut self) -> Possible {
        Possible::No
    }

    async fn trim(&mut self) -> Possible {
        self.cli(&["XTRIM", STREAM, "MAXLEN", "600"]);
        Possible::Yes
    }

    async fn write(&mut self, texts: &[&str]) -> Possible {
        for text in texts {
            self.cli(&["XADD", STREAM, "*", "e", text]);
        }
        Possible::Yes
    }

    async fn pass(&mut self, _time: Duration) -> Possible {
        Possible::No
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_redis_under_sentinel_keeps_the_contract() {
    if is_missing("redis-server") {
        return;
    }
    let contract = RevocationLogContract::new(Watched::start().await).without(Switch::Pass, CLOCK_OF_THE_MACHINE);
    contract
        .without(Switch::RollBack, "what acknowledges here is not behind; `promoted` in tests/redis.rs has one that is")
        .check()
        .await;
}
