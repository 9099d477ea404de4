//! Sessions in a bucket of NATS, on a real server.
#![cfg(all(feature = "issuer", feature = "nats"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "refresh_nats/content.rs"]
mod content;
#[path = "refresh_nats/faults.rs"]
mod faults;
#[path = "refresh_nats/races.rs"]
mod races;
#[path = "refresh_nats/setup.rs"]
mod setup;
mod support;

use std::time::Duration;

use portcullis_issuer::refresh::{
    EndReason, Family, FamilyId, LogIn, Millis, Opened, Outcome, RefreshPolicy, RefreshStore, ShareDigest, Step,
    StoreError,
};
use portcullis_store::NatsRefreshStore;
use portcullis_test::FixedClock;
use real_servers::{NatsProgram, NatsServer};

const STREAM: &str = "KV_portcullis_refresh";
const CLIENT: &str = "web";
const SHARE: ShareDigest = ShareDigest::from_bytes([3; 16]);
const DAY: Duration = Duration::from_secs(86_400);

fn store_at(server: &NatsServer) -> NatsRefreshStore {
    NatsRefreshStore::new(&server.url()).unwrap()
}

/// A family that was opened now, of that subject.
async fn family(store: &NatsRefreshStore, id: u8, subject: &str) -> Family {
    family_by(store, id, subject, &RefreshPolicy::new()).await
}

async fn family_by(store: &NatsRefreshStore, id: u8, subject: &str, policy: &RefreshPolicy) -> Family {
    let id = FamilyId::from_bytes([id; 16]);
    Family::new(id, SHARE, 1, LogIn::new(subject, CLIENT), policy, store.now().await.unwrap())
}

/// Opens a family.
async fn opened(store: &NatsRefreshStore, id: u8, subject: &str) -> Family {
    let family = family(store, id, subject).await;
    assert_eq!(store.open(family.clone()).await.unwrap(), Opened::New);
    family
}

fn step(family: &Family, generation: u64, grace_secs: u64) -> Step<'static> {
    let policy = RefreshPolicy::new().grace(Duration::from_secs(grace_secs));
    Step::new(family.id, generation, SHARE, CLIENT, 1, &policy)
}

fn row(family: FamilyId) -> String {
    format!("$KV.portcullis_refresh.f.{}", family.session_id())
}

/// Writes a key as another client would.
fn write(server: &NatsServer, key: &str, value: &str) {
    let answer = server.request(key, value);
    assert!(answer.contains("\"seq\""), "{answer}");
}

/// All that an operator might see of an error.
fn in_full(error: &(dyn std::error::Error + 'static)) -> String {
    let source = std::error::Error::source(error).map(|source| format!("{source} {source:?}"));
    format!("{error} {error:?} {source:?}")
}

#[tokio::test]
async fn the_time_is_that_of_the_given_clock() {
    let clock = FixedClock::default();
    let store = NatsRefreshStore::new("nats://127.0.0.1:1").unwrap().clock(clock.clone());
    assert_eq!(store.now().await.unwrap(), Millis::new(1_800_000_000_000));
    clock.advance(Duration::from_secs(7));
    assert_eq!(store.now().await.unwrap(), Millis::new(1_800_000_007_000));
}

#[tokio::test]
async fn the_grace_is_at_most_thirty_seconds_whatever_the_policy_says() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let clock = FixedClock::default();
    let store = store_at(&server).clock(clock.clone());
    for (grace, passed, is_retry) in [(60, 29, true), (60, 30, false), (300, 31, false), (10, 9, true), (10, 10, false)]
    {
        let family = opened(&store, passed, "alice").await;
        assert!(matches!(store.rotate(step(&family, 0, grace)).await.unwrap(), Outcome::Rotated { .. }));
        clock.advance(Duration::from_secs(passed.into()));
        let outcome = store.rotate(step(&family, 0, grace)).await.unwrap();
        assert_eq!(matches!(outcome, Outcome::Retry { .. }), is_retry, "{grace} s, {passed} s later: {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Reuse { .. }), !is_retry, "{grace} s, {passed} s later: {outcome:?}");
        let _ = server.request(&format!("$JS.API.STREAM.PURGE.{STREAM}"), "");
    }
}

#[tokio::test]
async fn a_session_that_may_last_longer_than_the_bucket_keeps_it_is_not_opened() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let lasting = |days: u32| RefreshPolicy::new().absolute(DAY * days);
    assert_eq!(store.open(family_by(&store, 1, "alice", &lasting(31)).await).await.unwrap(), Opened::New);
    let too_long = family_by(&store, 2, "alice", &lasting(32)).await;
    let error = store.open(too_long.clone()).await.unwrap_err();
    assert!(error.to_string().contains("longest_session"), "{error}");
    assert_eq!(store.find(too_long.id).await.unwrap().0, None);
    let store = NatsRefreshStore::new(&server.url()).unwrap().bucket("long").unwrap().longest_session(DAY * 32);
    assert_eq!(store.open(too_long).await.unwrap(), Opened::New);
    assert_eq!(store.forget_before(Millis::new(u64::MAX)).await.unwrap(), 0, "the server forgets by itself");
}

#[tokio::test]
async fn a_subject_has_up_to_255_bytes() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let (long, too_long) = ("ü".repeat(127) + "x", "ü".repeat(128));
    let family_of_long = opened(&store, 1, &long).await;
    assert_eq!(store.families_of(&long).await.unwrap(), [family_of_long]);
    let error = store.open(family(&store, 2, &too_long).await).await.unwrap_err();
    assert!(error.to_string().contains("more than 255 bytes"), "{error}");
    assert_eq!(store.families_of(&too_long).await.unwrap(), []);
}

#[tokio::test]
async fn a_session_that_is_too_large_for_the_server_is_not_opened() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start_with("max_payload: 20000\n");
    let store = store_at(&server);
    let of_size = |size: usize, id: u8| {
        let log_in = LogIn::new("alice", CLIENT).label("x".repeat(size));
        Family::new(FamilyId::from_bytes([id; 16]), SHARE, 1, log_in, &RefreshPolicy::new(), Millis::new(0))
    };
    assert_eq!(store.open(of_size(19_000, 1)).await.unwrap(), Opened::New);
    let error = store.open(of_size(20_000, 2)).await.unwrap_err();
    assert!(error.to_string().contains("grant fewer scopes"), "{error}");
}

#[tokio::test]
async fn a_key_that_an_operator_deleted_is_an_unknown_session() {
    let Some(nats) = NatsProgram::recent() else { return };
    let server = nats.start();
    let store = store_at(&server);
    let jetstream = async_nats::jetstream::new(content::client(&server).await);
    let cases = [("KV-Operation", "DEL"), ("KV-Operation", "PURGE"), ("Nats-Marker-Reason", "MaxAge")];
    for (id, header) in cases.into_iter().enumerate() {
        let deleted = opened(&store, u8::try_from(id).unwrap(), "alice").await;
        let headers = async_nats::HeaderMap::from_iter([(header.0.parse().unwrap(), header.1.parse().unwrap())]);
        let sent = jetstream.publish_with_headers(row(deleted.id), headers, "".into()).await.unwrap();
        sent.await.unwrap();
        assert_eq!(store.find(deleted.id).await.unwrap().0, None, "{header:?}");
        assert_eq!(store.rotate(step(&deleted, 0, 30)).await.unwrap(), Outcome::Unknown, "{header:?}");
    }
    assert_eq!(store.families_of("alice").await.unwrap(), []);
    let emptied = opened(&store, 9, "alice").await;
    write(&server, &row(emptied.id), "");
    // An empty value without such a header is damage.
    let error = store.find(emptied.id).await.unwrap_err();
    assert!(error.to_string().contains(&format!("f.{}", emptied.id.session_id())), "{error}");
    assert!(store.rotate(step(&emptied, 0, 30)).await.is_err());
    assert!(store.end_all_of("alice", None, EndReason::Revoked).await.is_err(), "one was not ended");
    assert_eq!(store.families_of("alice").await.unwrap(), [], "the operator is told");
}
