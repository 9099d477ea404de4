//! The contract of a log on the servers of Redis and NATS. (The other logs' places are in their own test files.)
#![cfg(any(feature = "redis", feature = "nats"))]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use portcullis_test::contract::{LogPlace, Possible, RevocationLogContract};
use real_servers::is_missing;

#[cfg(feature = "redis")]
mod redis {
    use portcullis_store::RedisLog;
    use real_servers::RedisServer;
    use tempfile::TempDir;

    use super::*;

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
            self.server.cli(&["XTRIM", "{portcullis}:revocations", "MAXLEN", "600"]);
            Possible::Yes
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_in_redis_keeps_the_contract() {
        if is_missing("redis-server") {
            return;
        }
        RevocationLogContract::new(Redis { server: RedisServer::start(), saved: None }).check().await;
    }
}

#[cfg(feature = "nats")]
mod nats {
    use portcullis_store::JetStreamLog;
    use real_servers::NatsServer;

    use super::*;

    struct Nats(NatsServer);

    impl LogPlace for Nats {
        type Log = JetStreamLog;

        async fn open(&self) -> JetStreamLog {
            JetStreamLog::new(&self.0.url()).unwrap()
        }

        async fn crash(&mut self) -> Possible {
            self.0.restart();
            Possible::Yes
        }

        async fn lose_everything(&mut self) -> Possible {
            self.0.lose_everything();
            Possible::Yes
        }

        async fn save(&mut self) -> Possible {
            self.0.save();
            Possible::Yes
        }

        async fn roll_back(&mut self) -> Possible {
            self.0.roll_back();
            Possible::Yes
        }

        async fn trim(&mut self) -> Possible {
            // Messages, of which each holds what one call appended.
            let answer = self.0.request("$JS.API.STREAM.PURGE.PORTCULLIS_REVOCATIONS", r#"{"keep":0}"#);
            assert!(answer.contains("\"success\":true"), "{answer}");
            Possible::Yes
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_in_jetstream_keeps_the_contract() {
        if is_missing("nats-server") {
            return;
        }
        RevocationLogContract::new(Nats(NatsServer::start())).check().await;
    }
}
