//! Two instances of an issuer with one store and one log of revocations, each with a cache and a view of its own.

use std::{fmt::Write, time::Duration};

use portcullis_core::{Admission, Clock, Code, clock::SystemClock, error::AuthErrorKind, revocation::RevocationLog};
use portcullis_issuer::api_tokens::{
    ApiTokenFormat, ApiTokens, CreatedApiToken, DangerUncheckedMemberships, NewApiToken, Peppers, Rotation,
};
use portcullis_store::Revocations;
use portcullis_test::FixedClock;

use super::{
    support::time::{PATIENT, StoppedClock, until_answer},
    *,
};

const ISSUER: &str = "https://id.test";

pub(crate) struct Instance<S> {
    pub(crate) tokens: ApiTokens<S, DangerUncheckedMemberships, Revocations>,
    admission: Admission,
}

/// A clock for what instances cache. The views of the log keep the system's.
pub(crate) fn clock() -> FixedClock {
    FixedClock::at(SystemClock.now())
}

impl<S: ApiTokenStore> Instance<S> {
    pub(crate) async fn new(store: S, log: impl RevocationLog, clock: &FixedClock) -> Self {
        // An hour: the tests ask what the cache does while the log cannot be read, too. With the usual five seconds, the route decides earlier.
        let revocations = Revocations::builder(log).max_staleness(Duration::from_secs(3600)).start().unwrap();
        revocations.require(PATIENT).await.unwrap();
        let (format, peppers) = (ApiTokenFormat::new("acme").unwrap(), Peppers::new('1', [7; 32]).unwrap());
        let builder = ApiTokens::builder(ISSUER, format, peppers, store).memberships(DangerUncheckedMemberships);
        let tokens = builder.revoker(revocations.clone()).clock(clock.clone()).build().unwrap();
        let admission = Admission::new(tokens.authenticator()).clock(clock.clone()).revocations(&revocations);
        Self { tokens, admission }
    }

    /// Returns a root, and the token eight levels below it.
    pub(crate) async fn chain(&self) -> (CreatedApiToken, CreatedApiToken) {
        let root = self.tokens.create(new()).await.unwrap();
        let mut last = self.tokens.derive(root.token().id(), new()).await.unwrap();
        for _ in 1..8 {
            last = self.tokens.derive(last.token().id(), new()).await.unwrap();
        }
        (root, last)
    }

    /// Whether it is accepted, or the code of the refusal.
    pub(crate) async fn code(&self, created: &CreatedApiToken) -> Option<Code> {
        let outcome = self.admission.verify(created.secret().expose()).outcome().await;
        outcome.err().map(|error| error.code())
    }
}

fn new() -> NewApiToken {
    let owner = Owner::organisation("acme");
    let new = NewApiToken::new(ApiTokenKind::ServiceAccount, owner, "continuous integration");
    new.grant(Grant::scope("orders:read")).created_by("alice")
}

/// What [`a_revocation_arrives`] leaves behind.
pub(crate) struct Left {
    pub(crate) revoked: CreatedApiToken,
    /// Accepted, and known to the cache of the other instance.
    pub(crate) sibling: CreatedApiToken,
    /// Accepted, and not yet seen by the other instance.
    pub(crate) unseen: CreatedApiToken,
}

/// Revokes a root on one instance. No timer of either fires until the other refuses what is eight levels below and in its cache: the server passes the
/// revocation on by itself, well within the second that is promised, however busy the machine is.
pub(crate) async fn a_revocation_arrives<S: ApiTokenStore>(one: &Instance<S>, other: &Instance<S>) -> Left {
    let ((root, revoked), (unseen, sibling)) = (one.chain().await, one.chain().await);
    for instance in [one, other] {
        assert_eq!((instance.code(&revoked).await, instance.code(&sibling).await), (None, None));
    }
    let stopped = StoppedClock::new();
    let started = std::time::Instant::now();
    one.tokens.revoke(root.token().id(), RevokedReason::Leaked).await.unwrap();
    until_answer("the other instance refuses it", async || other.code(&revoked).await.is_some()).await;
    eprintln!("refused on the other instance after {:?}", started.elapsed());
    drop(stopped);
    for instance in [one, other] {
        assert_eq!(instance.code(&revoked).await, Some(Code::CredentialRevokedByParent));
        assert_eq!(instance.code(&sibling).await, None);
    }
    Left { revoked, sibling, unseen }
}

/// While the store cannot be reached: what is in a cache is accepted until it is a minute old, and nothing else is decided.
pub(crate) async fn an_outage<S: ApiTokenStore>(instance: &Instance<S>, left: &Left, clock: &FixedClock) {
    assert_eq!(instance.code(&left.unseen).await, Some(Code::CredentialUndecided));
    // That is 503.
    assert_eq!(Code::CredentialUndecided.kind(), AuthErrorKind::Unavailable);
    clock.advance(Duration::from_secs(59));
    assert_eq!(instance.code(&left.sibling).await, None);
    clock.advance(Duration::from_secs(1));
    assert_eq!(instance.code(&left.sibling).await, Some(Code::CredentialUndecided));
    assert!(instance.code(&left.revoked).await.is_some());
}

/// After it.
pub(crate) async fn all_is_well_again<S: ApiTokenStore>(instance: &Instance<S>, left: &Left) {
    until_answer("the store is asked again", async || instance.code(&left.sibling).await.is_none()).await;
    assert_eq!(instance.code(&left.unseen).await, None);
    assert_eq!(instance.code(&left.revoked).await, Some(Code::CredentialRevokedByParent));
}

/// Makes, derives, checks, rotates and revokes tokens, and records their uses. Returns their texts.
pub(crate) async fn texts_of_a_life<S: ApiTokenStore>(instance: &Instance<S>) -> Vec<String> {
    let tokens = &instance.tokens;
    let (root, last) = instance.chain().await;
    let rotation = Rotation::new("a request of 16 bytes or more");
    let successor = tokens.rotate(root.token().id(), rotation).await.unwrap();
    for token in [&root, &last, &successor] {
        assert_eq!(instance.code(token).await, None);
    }
    assert_eq!(tokens.record_uses().await.unwrap(), 3);
    tokens.revoke(last.token().id(), RevokedReason::Leaked).await.unwrap();
    [root, last, successor].map(|token| token.secret().expose().to_owned()).into()
}

/// Any eight characters of the secret, the tag and the checksum of a token: as they are, or as a database shows bytes.
pub(crate) fn has_none_of(texts: &[String], what: &str, content: &[u8]) {
    for part in texts.iter().flat_map(|text| text.as_bytes()[8..].windows(8)) {
        let mut hex = String::new();
        for byte in part {
            write!(hex, "{byte:02x}").unwrap();
        }
        for part in [part, hex.as_bytes()] {
            let is_there = content.windows(part.len()).any(|window| window == part);
            assert!(!is_there, "{what} has {:?} of a token", String::from_utf8_lossy(part));
        }
    }
    // Not by looking at nothing.
    let name = b"continuous integration";
    assert!(content.windows(name.len()).any(|window| window == name), "{what} has no token at all");
}
