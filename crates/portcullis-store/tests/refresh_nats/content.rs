//! What is in the bucket.

use async_nats::jetstream;
use portcullis_core::{Algorithm, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    refresh::{DangerUncheckedSubjects, RefreshKeys, Sessions},
};
use portcullis_store::{MemoryLog, Revocations};

use super::*;

/// A client that is not ours.
pub(super) async fn client(server: &NatsServer) -> async_nats::Client {
    async_nats::connect(server.url()).await.unwrap()
}

pub(super) type TestSessions = Sessions<NatsRefreshStore, Revocations, DangerUncheckedSubjects>;

/// Instances of an issuer with the same keys.
pub(super) async fn instances<const N: usize>(server: &NatsServer) -> [TestSessions; N] {
    let spec = TokenSpec::new("https://id.test").audience("https://orders.test");
    let issuer = TokenIssuer::new(spec, SigningKey::generate(Algorithm::EdDsa).unwrap()).unwrap();
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(Duration::from_secs(60)).await.unwrap();
    [(); N].map(|()| {
        let keys = RefreshKeys::new(1, [1; 32]).unwrap();
        Sessions::new(issuer.clone(), store_at(server), keys, revocations.clone(), DangerUncheckedSubjects)
    })
}

/// Returns all keys and values.
async fn dump(server: &NatsServer) -> Vec<(String, Vec<u8>)> {
    let stream = jetstream::new(client(server).await).get_stream(STREAM).await.unwrap();
    let mut messages = Vec::new();
    for sequence in 1..=stream.cached_info().state.last_sequence {
        if let Ok(message) = stream.get_raw_message(sequence).await {
            messages.push((message.subject.to_string(), message.payload.to_vec()));
        }
    }
    messages
}

/// Fails when a later version no longer reads what this one writes.
#[tokio::test]
async fn rows_and_keys_of_version_1_are_read() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server).clock(FixedClock::default());
    store.find(FamilyId::from_bytes([0; 16])).await.unwrap(); // creates the bucket
    let text = include_str!("../../../portcullis-issuer/tests/rows/v1.json").trim();
    let ended = Family::from_json(text).unwrap();
    write(&server, "$KV.portcullis_refresh.f.AgICAgICAgICAgICAgICAg", text);
    write(&server, "$KV.portcullis_refresh.s.x616c696365.AgICAgICAgICAgICAgICAg", "");
    assert_eq!(store.find(ended.id).await.unwrap().0, Some(ended.clone()));
    assert_eq!(store.families_of("alice").await.unwrap(), []);
    let live = text.replace(r#""ended":"logged_out""#, r#""ended":null"#);
    write(&server, "$KV.portcullis_refresh.f.AgICAgICAgICAgICAgICAg", &live);
    assert_eq!(store.families_of("alice").await.unwrap(), [Family::from_json(&live).unwrap()]);
    // What this version writes is the same.
    let other = opened(&store, 5, "alice").await;
    let keys: Vec<_> = dump(&server).await.into_iter().map(|(key, _)| key).collect();
    assert!(keys.contains(&row(other.id)), "{keys:?}");
    assert!(keys.contains(&format!("$KV.portcullis_refresh.s.x616c696365.{}", other.id.session_id())), "{keys:?}");
}

#[tokio::test]
async fn the_index_may_name_sessions_that_do_not_exist_and_misses_none() {
    let Some(nats) = NatsProgram::recent() else { return };
    let publish = |keys: &str| format!("publish: [ {keys}, \"$JS.API.>\" ]");
    let user = |name: &str, keys: &str| {
        format!("{{ user: {name}, password: p, permissions: {{ subscribe: \"_INBOX.>\", {} }} }}", publish(keys))
    };
    let server = nats.start_with(&format!(
        "no_auth_user: all\nauthorization {{ users: [ {{ user: all, password: p }}, {}, {} ] }}\n",
        user("index", "\"$KV.portcullis_refresh.s.>\""),
        user("rows", "\"$KV.portcullis_refresh.f.>\"")
    ));
    let (all, index_only, rows_only) = (
        store_at(&server).credentials("all", "p"),
        store_at(&server).credentials("index", "p"),
        store_at(&server).credentials("rows", "p"),
    );
    // A crash between the index and the row: the row is not written.
    let family = family(&all, 1, "alice").await;
    assert!(index_only.open(family.clone()).await.is_err());
    assert_eq!(dump(&server).await.len(), 1, "the index was not written first");
    assert_eq!(all.families_of("alice").await.unwrap(), []);
    assert_eq!(all.end_all_of("alice", None, EndReason::Revoked).await.unwrap(), []);
    // Without the index, there is no row that a log-out everywhere would miss.
    let missed = super::family(&all, 2, "alice").await;
    assert!(rows_only.open(missed.clone()).await.is_err());
    assert_eq!(all.find(missed.id).await.unwrap().0, None, "a session that no log-out everywhere finds");
    // Opened again, it is one session.
    assert_eq!(all.open(family.clone()).await.unwrap(), Opened::New);
    assert!(all.families_of("alice").await.unwrap().iter().eq([&family]));
    assert_eq!(all.end_all_of("alice", None, EndReason::Revoked).await.unwrap(), [family.id]);
}

#[tokio::test]
async fn a_session_whose_key_of_the_index_cannot_be_written_is_not_opened() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    opened(&store, 1, "alice").await;
    let take = |keys: &str| {
        let config = setup::config(&format!(r#""subjects":["$KV.portcullis_refresh.{keys}"]"#));
        let updated = server.request(&format!("$JS.API.STREAM.UPDATE.{STREAM}"), &config);
        assert!(!updated.contains("\"error\""), "{updated}");
    };
    // The connection stays good, and the row could be written.
    take("f.>");
    let missed = family(&store, 2, "alice").await;
    assert!(store.open(missed.clone()).await.is_err());
    take(">");
    assert_eq!(store.find(missed.id).await.unwrap().0, None, "a session that no log-out everywhere finds");
    assert_eq!(store.open(missed).await.unwrap(), Opened::New);
    assert_eq!(store.families_of("alice").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_of_the_index_that_names_a_session_of_another_subject_ends_and_shows_nothing() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let alice = opened(&store, 1, "alice").await;
    // Its id was opened again, for another subject.
    assert_eq!(store.open(family(&store, 1, "bob").await).await.unwrap(), Opened::Exists);
    assert_eq!(store.families_of("bob").await.unwrap(), []);
    assert_eq!(store.end_all_of("bob", None, EndReason::Revoked).await.unwrap(), []);
    assert!(store.families_of("alice").await.unwrap().iter().eq([&alice]));
    assert_eq!(store.end_all_of("alice", None, EndReason::Revoked).await.unwrap(), [alice.id]);
}
