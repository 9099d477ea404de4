//! The store in a bucket of NATS.

use async_nats::jetstream;
use portcullis_store::{JetStreamLog, NatsRefreshStore};
use real_servers::{NatsProgram, NatsServer};

use super::*;

struct Bucket(NatsServer);

impl Bucket {
    fn key(family: FamilyId) -> String {
        format!("$KV.portcullis_refresh.f.{}", family.session_id())
    }

    fn write(&self, family: FamilyId, text: &str) {
        let answer = self.0.request(&Self::key(family), text);
        assert!(answer.contains("\"seq\""), "{answer}");
    }
}

impl RefreshPlace for Bucket {
    type Store = NatsRefreshStore;

    async fn open(&self) -> NatsRefreshStore {
        NatsRefreshStore::new(&self.0.url()).unwrap()
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        let client = async_nats::connect(self.0.url()).await.unwrap();
        let stream = jetstream::new(client).get_stream("KV_portcullis_refresh").await.unwrap();
        let row = stream.get_last_raw_message_by_subject(&Self::key(family)).await.unwrap().payload;
        let family_now = Family::from_json(str::from_utf8(&row).unwrap()).unwrap();
        self.write(family, &older(family_now, by).to_json());
    }

    async fn overwrite(&mut self, family: FamilyId, text: &str) -> Possible {
        self.write(family, text);
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.0.restart();
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
}

impl Dump for Bucket {
    async fn dump(&mut self) -> Vec<u8> {
        self.0.kill();
        let dump = files_in(&self.0.data());
        self.0.restart();
        dump
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_in_nats() {
    let Some(nats) = NatsProgram::recent() else { return };
    sessions::work(Bucket(nats.start())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_in_nats_keeps_the_contract() {
    let Some(nats) = NatsProgram::recent() else { return };
    let contract = RefreshStoreContract::new(Bucket(nats.start())).longest_grace(NatsRefreshStore::MOST_GRACE);
    contract.callers(CALLERS).check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_1_a_thousand_refreshes_of_one_token_rotate_it_once_in_nats() {
    let Some(nats) = NatsProgram::recent() else { return };
    crowd::rotates_once(Bucket(nats.start()), NatsRefreshStore::MOST_GRACE).await;
}

impl everywhere::Shared for Bucket {
    type Store = NatsRefreshStore;
    type Log = JetStreamLog;

    fn store(&self) -> NatsRefreshStore {
        NatsRefreshStore::new(&self.0.url()).unwrap()
    }

    fn log(&self) -> JetStreamLog {
        JetStreamLog::new(&self.0.url()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pitfall_6_a_log_out_everywhere_with_64_refreshes_in_flight_ends_them_all_in_nats() {
    let Some(nats) = NatsProgram::recent() else { return };
    everywhere::logs_out(Bucket(nats.start())).await;
}

/// A bucket for sessions that last until 2123.
struct LongBucket(Bucket);

impl RefreshPlace for LongBucket {
    type Store = NatsRefreshStore;

    async fn open(&self) -> NatsRefreshStore {
        self.0.open().await.longest_session(Duration::from_secs(200 * 365 * 86_400))
    }

    async fn age(&mut self, family: FamilyId, by: Duration) {
        self.0.age(family, by).await;
    }

    async fn overwrite(&mut self, family: FamilyId, text: &str) -> Possible {
        self.0.overwrite(family, text).await
    }

    async fn crash(&mut self) -> Possible {
        self.0.crash().await
    }

    async fn save(&mut self) -> Possible {
        self.0.save().await
    }

    async fn roll_back(&mut self) -> Possible {
        self.0.roll_back().await
    }
}

impl rows::Rows for LongBucket {
    async fn load_v1(&mut self) {
        let _ = self.0.0.request("$JS.API.STREAM.PURGE.KV_portcullis_refresh", "");
        let rows: Vec<(String, String)> = serde_json::from_str(include_str!("../rows/v1/nats.json")).unwrap();
        for (key, value) in rows {
            let answer = self.0.0.request(&key, &value);
            assert!(answer.contains("\"seq\""), "{answer}");
        }
    }

    async fn make_later(&mut self, session: FamilyId) {
        self.0.write(session, &rows::FAMILY.trim().replacen("\"v\":1", "\"v\":2", 1));
    }

    async fn stored(&mut self) -> String {
        let client = async_nats::connect(self.0.0.url()).await.unwrap();
        let stream = jetstream::new(client).get_stream("KV_portcullis_refresh").await.unwrap();
        let mut stored = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            if let Ok(message) = stream.get_raw_message(sequence).await {
                stored.push(format!("{} {}\n", message.subject, String::from_utf8_lossy(&message.payload)));
            }
        }
        stored.sort();
        stored.concat()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_version_1_in_nats_are_served_and_later_ones_left_alone() {
    let Some(nats) = NatsProgram::recent() else { return };
    rows::are_read(LongBucket(Bucket(nats.start()))).await;
}
