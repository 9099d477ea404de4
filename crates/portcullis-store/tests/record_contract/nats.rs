//! The store in a bucket of NATS.

use async_nats::jetstream;
use futures_util::StreamExt;
use portcullis_store::{NatsRecordStore, NatsRefreshStore};
use portcullis_test::FixedClock;
use real_servers::{NatsProgram, NatsServer};
use tokio::time::timeout;

use super::*;

const STREAM: &str = "KV_portcullis_refresh_records";

struct Bucket {
    server: NatsServer,
    clock: FixedClock,
}

impl Bucket {
    fn new(nats: &NatsProgram) -> Self {
        Self { server: nats.start(), clock: FixedClock::default() }
    }

    fn store(&self) -> NatsRecordStore {
        self.sessions().records()
    }

    fn sessions(&self) -> NatsRefreshStore {
        NatsRefreshStore::new(&self.server.url()).unwrap().clock(self.clock.clone())
    }

    async fn stream(&self) -> jetstream::stream::Stream {
        let client = async_nats::connect(self.server.url()).await.unwrap();
        jetstream::new(client).get_stream(STREAM).await.unwrap()
    }

    /// Finds the subject of a record by its text.
    async fn subject_of(&self, key: &RecordKey) -> String {
        let text = self.store().find(key).await.unwrap().unwrap().text().to_owned();
        let stream = self.stream().await;
        for sequence in (1..=stream.cached_info().state.last_sequence).rev() {
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            if message.payload.ends_with(format!("\n{text}").as_bytes()) {
                return message.subject.to_string();
            }
        }
        panic!("no subject has this record");
    }

    fn write(&self, subject: &str, row: &str) {
        let answer = self.server.request(subject, row);
        assert!(answer.contains("\"seq\""), "{answer}");
    }
}

impl RecordPlace for Bucket {
    type Store = NatsRecordStore;

    async fn open(&self) -> NatsRecordStore {
        self.store()
    }

    async fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
    }

    async fn overwrite(&mut self, key: &RecordKey) -> Possible {
        self.write(&self.subject_of(key).await, LATER);
        Possible::Yes
    }

    async fn crash(&mut self) -> Possible {
        self.server.restart();
        Possible::Yes
    }

    async fn cut_off(&mut self) -> Possible {
        self.server.kill();
        Possible::Yes
    }

    async fn reconnect(&mut self) {
        self.server.restart();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_records_in_nats_keep_the_contract() {
    let Some(nats) = NatsProgram::recent() else { return };
    RecordStoreContract::new(Bucket::new(&nats)).check().await;
}

#[tokio::test]
async fn rows_and_keys_of_records_of_version_1_are_read() {
    let Some(nats) = NatsProgram::recent() else { return };
    let bucket = Bucket::new(&nats);
    bucket.store().find(&other()).await.unwrap(); // creates the bucket
    let subject = "$KV.portcullis_refresh_records.user_of_client.xaHR0cHM6Ly9hcHAuZXhhbXBsZS9sw61uZWE.xYWxpY2UvYS5i";
    bucket.write(subject, ROW);
    is_read(&bucket.store()).await;
    let stream = bucket.stream().await;
    let others = "$KV.portcullis_refresh_records.user_of_client.xaHR0cHM6Ly9hcHAuZXhhbXBsZS9sw61uZWE.xb3RoZXI";
    for subject in [subject, others] {
        let row = stream.get_last_raw_message_by_subject(subject).await.unwrap().payload;
        assert_eq!(with_the_version(str::from_utf8(&row).unwrap()), ROW, "{subject}");
    }
}

#[tokio::test]
async fn what_has_ended_and_markers_leave_the_bucket() {
    let Some(nats) = NatsProgram::recent() else { return };
    let bucket = Bucket::new(&nats);
    let (store, live) = (bucket.store(), three_of_which_one_lives(&bucket.store()).await);
    bucket.write("$KV.portcullis_refresh_records.code.xZ3JvdXA.xbGF0ZXI", LATER);
    assert_eq!(bucket.stream().await.cached_info().state.messages, 4);
    assert_eq!(store.forget_before(Millis::new(1)).await.unwrap(), 0);
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    assert_eq!(bucket.stream().await.cached_info().state.messages, 2, "a row of a later form, and one that lives");
    assert_eq!(store.find(&live).await.unwrap().unwrap().text(), "live");
}

/// Counts the requests by which records are read.
#[tokio::test]
async fn a_record_is_read_when_it_is_new_and_when_it_has_ended_and_not_in_each_call() {
    let Some(nats) = NatsProgram::recent() else { return };
    let bucket = Bucket::new(&nats);
    let (writing, store) = (bucket.store(), bucket.store());
    let until = writing.now().await.unwrap().plus(Duration::from_secs(7200));
    for number in 0..300 {
        let key = RecordKey::new(RecordKind::Client, "", number.to_string()).unwrap();
        let record = NewRecord::new("stays");
        let record = if number < 10 { record.until(until) } else { record };
        assert_eq!(writing.swap(&key, None, Some(record)).await.unwrap(), Swapped::Stored);
    }
    let client = async_nats::connect(bucket.server.url()).await.unwrap();
    let mut reads = client.subscribe(format!("$JS.API.STREAM.MSG.GET.{STREAM}")).await.unwrap();
    client.flush().await.unwrap();
    let mut counts = Vec::new();
    for (hours, forgotten) in [(0, 0), (1, 0), (1, 10), (1, 0), (21, 0)] {
        bucket.clock.advance(Duration::from_secs(3600 * hours));
        assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), forgotten);
        client.flush().await.unwrap();
        let mut count = 0;
        while let Ok(Some(_)) = timeout(Duration::from_millis(300), reads.next()).await {
            count += 1;
        }
        counts.push(count);
    }
    assert_eq!(counts, [300, 0, 10, 0, 290]);
}

/// A marker that is purged between the read of a change and its write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_created_while_markers_are_forgotten() {
    let Some(nats) = NatsProgram::recent() else { return };
    let bucket = Bucket::new(&nats);
    let store = bucket.store();
    let changes = async {
        for round in 0..100 {
            let created = store.swap(&other(), None, Some(NewRecord::new(round.to_string()))).await.unwrap();
            assert_eq!(created, Swapped::Stored, "a record that is absent cannot be created");
            let found = store.find(&other()).await.unwrap().unwrap();
            assert_eq!(found.text(), round.to_string());
            assert_eq!(store.swap(&other(), Some(found.version()), None).await.unwrap(), Swapped::Stored);
            let stale = store.swap(&other(), Some(found.version()), Some(NewRecord::new("stale"))).await.unwrap();
            assert_eq!(stale, Swapped::Conflict, "a stale change has passed a marker");
        }
    };
    let forget = async {
        loop {
            // One that has read nothing yet, so that it looks at the key.
            assert_eq!(bucket.store().forget_before(Millis::new(u64::MAX)).await.unwrap(), 0);
        }
    };
    tokio::select! {
        () = changes => {}
        () = forget => {}
    }
}

#[tokio::test]
async fn a_bucket_that_forgets_records_is_refused() {
    let Some(nats) = NatsProgram::recent() else { return };
    let limits = [
        ("\"max_age\":2764800000000000", "--max-age=0"),
        ("\"max_msgs\":5,\"discard\":\"old\"", "--discard=new"),
        ("\"max_msg_size\":2000", "max-value-size"),
        ("\"max_age\":0", ""),
    ];
    for (limit, advice) in limits {
        let bucket = Bucket::new(&nats);
        let config = format!(
            "{{\"name\":\"{STREAM}\",\"subjects\":[\"$KV.portcullis_refresh_records.>\"],\"max_msgs_per_subject\":1,\"storage\":\"file\",\"num_replicas\":1,{limit}}}"
        );
        let answer = bucket.server.request(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &config);
        assert!(!answer.contains("\"error\""), "{answer}");
        let found = bucket.store().find(&other()).await;
        match found {
            Ok(None) => assert_eq!(advice, ""),
            Ok(found) => panic!("{found:?}"),
            Err(error) => assert!(!advice.is_empty() && error.to_string().contains(advice), "{limit}: {error}"),
        }
    }
}

#[tokio::test]
async fn the_rights_that_are_documented_are_enough_for_records_in_nats() {
    let Some(nats) = NatsProgram::recent() else { return };
    let rights = |of_purge: &str| {
        format!(
            "publish: [ \"$KV.B_records.>\", \"$JS.API.STREAM.INFO.KV_B_records\", \"$JS.API.STREAM.CREATE.KV_B_records\", \
             \"$JS.API.STREAM.MSG.GET.KV_B_records\"{of_purge} ]"
        )
    };
    let user = |name: &str, rights: &str| {
        format!("{{ user: {name}, password: p, permissions: {{ subscribe: \"_INBOX.>\", {rights} }} }}")
    };
    let purge = ", \"$JS.API.STREAM.PURGE.KV_B_records\"";
    let server = nats.start_with(&format!(
        "no_auth_user: all\nauthorization {{ users: [ {{ user: all, password: p }}, {}, {} ] }}\n",
        user("issuer", &rights(purge)),
        user("lacking", &rights(""))
    ));
    let store = |user: &str| {
        let store = NatsRefreshStore::new(&server.url()).unwrap().bucket("B").unwrap().credentials(user, "p");
        store.records()
    };
    let live = three_of_which_one_lives(&store("issuer")).await;
    assert!(store("lacking").forget_before(Millis::new(u64::MAX)).await.is_err());
    let issuer = store("issuer");
    assert_eq!(issuer.forget_before(Millis::new(u64::MAX)).await.unwrap(), 1);
    assert_eq!(issuer.list(live.group()).await.unwrap().len(), 1);
    assert!(issuer.warnings().iter().any(|warning| warning.contains("records")), "{:?}", issuer.warnings());
}

#[tokio::test]
async fn sessions_and_records_are_in_buckets_of_their_own() {
    use portcullis_issuer::refresh::RefreshStore;

    let Some(nats) = NatsProgram::recent() else { return };
    let bucket = Bucket::new(&nats);
    assert_eq!(RefreshStore::families_of(&bucket.sessions(), "alice").await.unwrap().len(), 0);
    three_of_which_one_lives(&bucket.store()).await;
    let client = async_nats::connect(bucket.server.url()).await.unwrap();
    let sessions = jetstream::new(client).get_stream("KV_portcullis_refresh").await.unwrap();
    assert_eq!(sessions.cached_info().state.messages, 0);
    assert_eq!(sessions.cached_info().config.max_age, Duration::from_secs(31 * 86_400 + 20 * 60));
    assert_eq!(bucket.stream().await.cached_info().config.max_age, Duration::ZERO);
}
