//! The log in a stream of NATS.

use portcullis_store::JetStreamLog;
use real_servers::{NatsProgram, NatsServer, is_missing};

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

    async fn write(&mut self, texts: &[&str]) -> Possible {
        for text in texts {
            let answer = self.0.request("portcullis.revocations", text);
            assert!(answer.contains("\"seq\""), "{answer}");
        }
        Possible::Yes
    }

    async fn pass(&mut self, _time: Duration) -> Possible {
        Possible::No
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_jetstream_keeps_the_contract() {
    if is_missing("nats-server") {
        return;
    }
    let contract = RevocationLogContract::new(Nats(NatsServer::start()));
    contract.without(Switch::Pass, CLOCK_OF_THE_MACHINE).check().await;
}

/// Debian's server is older than the one that sessions need.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_in_jetstream_of_a_recent_server_keeps_the_contract() {
    let Some(nats) = NatsProgram::recent() else { return };
    let contract = RevocationLogContract::new(Nats(nats.start()));
    contract.without(Switch::Pass, CLOCK_OF_THE_MACHINE).check().await;
}
