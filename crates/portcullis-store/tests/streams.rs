//! The end of an identity, for handlers that last long.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and its tasks end with it"
)]

use std::time::Duration;

use portcullis_core::{
    revocation::{Level, Revocation},
    verified::AnyVerified,
};
use portcullis_store::{Ended, MemoryLog, Revocations};
use portcullis_test::{MockIssuer, provider::VirtualClock};
use tokio::time::{Instant, sleep, timeout};

const MINUTE: Duration = Duration::from_secs(60);

struct Scene {
    clock: VirtualClock,
    issuer: MockIssuer,
    log: MemoryLog,
    revocations: Revocations,
}

async fn scene() -> Scene {
    let clock = VirtualClock::new();
    let issuer = MockIssuer::new().clock(clock.clone());
    let log = MemoryLog::new();
    let revocations = Revocations::builder(log.clone()).clock(clock.clone()).start().unwrap();
    revocations.require(MINUTE).await.unwrap();
    Scene { clock, issuer, log, revocations }
}

impl Scene {
    fn identity(&self, session: &str, life: Duration) -> AnyVerified {
        let token = self.issuer.token().claim("sid", session).expires_in(life).sign();
        self.issuer.admission().verify(&token).ready().unwrap().unwrap().into()
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_ends_when_it_expires() {
    let scene = scene().await;
    let opened = Instant::now();
    let ended = scene.revocations.end_of(scene.identity("s", 10 * MINUTE)).await;
    assert_eq!((ended, opened.elapsed().as_secs()), (Ended::Expired, 600));
}

#[tokio::test(start_paused = true)]
async fn an_identity_ends_at_once_when_it_is_revoked_on_whatever_instance() {
    let scene = scene().await;
    let other = Revocations::builder(scene.log.clone()).clock(scene.clock.clone()).start().unwrap();
    let stream = tokio::spawn(scene.revocations.end_of(scene.identity("mine", 10 * MINUTE)));
    sleep(MINUTE).await;
    other.revoke(Revocation::session(scene.issuer.name(), "another")).await.unwrap();
    sleep(MINUTE).await;
    assert!(!stream.is_finished());
    let revoked = Instant::now();
    other.revoke(Revocation::session(scene.issuer.name(), "mine")).await.unwrap();
    assert_eq!(stream.await.unwrap(), Ended::Revoked(Level::Session));
    assert_eq!(revoked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_has_ended_ends_at_once() {
    let scene = scene().await;
    let (revoked, expired) = (scene.identity("s", 10 * MINUTE), scene.identity("t", MINUTE));
    scene.revocations.revoke(Revocation::session(scene.issuer.name(), "s")).await.unwrap();
    sleep(2 * MINUTE).await;
    let at_once = |future| timeout(Duration::from_millis(1), future);
    assert_eq!(at_once(scene.revocations.end_of(revoked)).await, Ok(Ended::Revoked(Level::Session)));
    assert_eq!(at_once(scene.revocations.end_of(expired)).await, Ok(Ended::Expired));
}

#[tokio::test(start_paused = true)]
async fn a_calendar_that_is_set_ahead_ends_what_has_expired() {
    let scene = scene().await;
    let stream = tokio::spawn(scene.revocations.end_of(scene.identity("s", 60 * MINUTE)));
    sleep(MINUTE).await;
    scene.clock.jump_forward(60 * MINUTE);
    assert_eq!(timeout(MINUTE, stream).await.unwrap().unwrap(), Ended::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_an_outage_unless_it_is_told_not_to() {
    let scene = scene().await;
    let identity = scene.identity("s", 60 * MINUTE);
    let patient = tokio::spawn(scene.revocations.end_of(identity.clone()));
    let strict = tokio::spawn(scene.revocations.end_of(identity).unless_confirmed_within(MINUTE));
    sleep(10 * MINUTE).await;
    assert!(!strict.is_finished() && !patient.is_finished());
    drop(scene.revocations); // the log is no longer followed
    let cut = Instant::now();
    assert_eq!(strict.await.unwrap(), Ended::Unconfirmed);
    assert!((57..=61).contains(&cut.elapsed().as_secs()), "{:?}", cut.elapsed());
    sleep(MINUTE).await;
    assert!(!patient.is_finished());
    assert_eq!(patient.await.unwrap(), Ended::Expired);
}
