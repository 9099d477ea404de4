//! [`ProofVerifier`]: checks the proof of a request.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    Algorithm, AuthError, Code, ConfigError, UnixTime,
    authenticator::{Attempt, Header, RequestView},
    keys::VerifyingKey,
    possession::{MemoryReplayStore, NonceIssuer, Once, ReplayKey, ReplayStore, SignedNonces},
};

use super::{HEADER, Origin, Proof, Signed};
use crate::nkey::UserKey;

/// What keeps a proof from being used later, or again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Freshness {
    /// A nonce of the service, for several requests within its life, each with an id of its own. The default.
    Nonce,
    /// A nonce for each request, as in NATS. Each request needs a nonce that an answer has brought.
    SingleUseNonce,
    /// Only the time, so that no request has to be repeated for a nonce. Let instances share a store of used proofs. Proofs can then be made in advance, by anyone who can use the client's
    /// key for a moment.
    DangerTimeOnly {
        /// How far the client's clock may be wrong: five minutes at most, more counts as five.
        clock_error: Duration,
    },
}

/// Checks the proofs of requests to one service: that they are for it, fresh, made with the user's key, and not used before.
///
/// Cheap to clone; clones share nonces and used ids.
#[derive(Clone)]
pub struct ProofVerifier {
    origin: Origin,
    nonces: Arc<dyn NonceIssuer>,
    replays: Arc<dyn ReplayStore>,
    freshness: Freshness,
    body: Body,
}

/// Whether a request that may have a body has to say its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    MayBeUnsigned,
    IsSigned,
}

/// How wrong the clock of a client may be that has a nonce: the nonce says how old the proof can be.
const CLOCK_ERROR: Duration = Duration::from_secs(60);

/// The most that a service may set. Ids of proofs are kept for twice as long.
const MOST_CLOCK_ERROR: Duration = Duration::from_secs(300);

/// What a proof is checked for.
#[derive(Clone, Copy)]
pub(crate) struct Checked<'a> {
    pub(crate) request: &'a dyn RequestView,
    pub(crate) user: &'a UserKey,
    pub(crate) key: &'a VerifyingKey,
    /// SHA-256 of the user's token.
    pub(crate) token_digest: &'a [u8; 32],
    pub(crate) now: UnixTime,
}

/// A proof whose signature is right, and that has to be new.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replay {
    key: ReplayKey,
    until: UnixTime,
    now: UnixTime,
}

impl ProofVerifier {
    /// Returns a verifier for the service with this origin, such as `https://api.example.com`: scheme, host and port as clients know them,
    /// without a path. Nonces and used ids are kept in this process; for several instances, see [`nonces`](Self::nonces) and
    /// [`replays`](Self::replays).
    ///
    /// # Errors
    ///
    /// If it is not an origin, or the system has no random numbers.
    pub fn new(origin: impl Into<Arc<str>>) -> Result<Self, ConfigError> {
        Ok(Self {
            origin: Origin::parse(origin)?,
            nonces: Arc::new(SignedNonces::random()?),
            replays: Arc::new(MemoryReplayStore::new()),
            freshness: Freshness::Nonce,
            body: Body::MayBeUnsigned,
        })
    }

    /// Sets what makes nonces. Defaults to [`SignedNonces::random`]: a restart then costs each client one repeated request, and each of
    /// several instances refuses the nonces of the others. A nonce has at most 256 characters, of `A-Z a-z 0-9 - _ . ~ + / =`.
    #[must_use]
    pub fn nonces(self, nonces: impl NonceIssuer) -> Self {
        Self { nonces: Arc::new(nonces), ..self }
    }

    /// Sets where the ids of used proofs are kept. Defaults to a [`MemoryReplayStore`], so that each of several instances accepts a proof
    /// once. With a store that has to be asked over the network, users are not cached: the chain is decided for each request, from known accounts.
    #[must_use]
    pub fn replays(self, replays: impl ReplayStore) -> Self {
        Self { replays: Arc::new(replays), ..self }
    }

    /// Sets what keeps a proof from being used later, or again. Defaults to [`Freshness::Nonce`].
    #[must_use]
    pub fn freshness(self, freshness: Freshness) -> Self {
        Self { freshness, ..self }
    }

    /// Refuses POST, PUT and PATCH whose proof covers no `Content-Digest`. Defaults to accepting them, and then **the body is not signed**.
    ///
    /// The body itself is not read here: `portcullis::content_digest::ContentDigestLayer::required()` compares it with the digest. Use both.
    #[must_use]
    pub fn require_content_digest(self) -> Self {
        Self { body: Body::IsSigned, ..self }
    }

    /// Returns the origin.
    pub fn origin(&self) -> &str {
        self.origin.as_str()
    }

    /// Returns what makes the nonces, for the layer that sends fresh ones with answers:
    /// `NonceLayer::new(NonceHeader::nats(), proofs.nonce_issuer(), proofs.origin().to_owned())`. With another issuer or another origin, every nonce that
    /// the layer sends is refused.
    pub fn nonce_issuer(&self) -> Arc<dyn NonceIssuer> {
        Arc::clone(&self.nonces)
    }

    /// Whether a check never waits.
    pub(crate) fn answers_at_once(&self) -> bool {
        self.replays.answers_at_once()
    }

    /// Checks everything but whether the proof was used before. Must come before anything that costs more than a signature.
    pub(crate) fn check(&self, what: Checked<'_>) -> Result<Replay, AuthError> {
        self.check_signed(what.request, what.user, what.key, what.now, |signed| signed.octets_for(what.token_digest))
    }

    /// Checks, in the same way, that a client holds a key that it enrols for the caller with this credential.
    #[cfg(feature = "mint")]
    pub(crate) fn check_enrolment(
        &self,
        request: &dyn RequestView,
        user: &UserKey,
        credential: &str,
        now: UnixTime,
    ) -> Result<Replay, AuthError> {
        let weak =
            |error: crate::nkey::NkeyError| AuthError::new(Code::ProofMalformed).with_explanation(error.to_string());
        let key = user.verifying_key().map_err(weak)?;
        self.check_signed(request, user, &key, now, |signed| signed.octets_of_enrolment(credential, user.as_str()))
    }

    fn check_signed(
        &self,
        request: &dyn RequestView,
        user: &UserKey,
        key: &VerifyingKey,
        now: UnixTime,
        octets: impl FnOnce(&Signed<'_>) -> Vec<u8>,
    ) -> Result<Replay, AuthError> {
        let value = match request.header(HEADER) {
            Header::One(value) => value,
            Header::Absent => return Err(self.with_nonce(AuthError::new(Code::ProofMissing), now)),
            _ => return Err(AuthError::new(Code::ProofMalformed).with_explanation("the request has several proofs")),
        };
        let proof = Proof::parse(value)
            .map_err(|problem| AuthError::new(Code::ProofMalformed).with_explanation(problem.to_string()))?;
        let content_digest = content_digest(request)?;
        self.require_digest(request.method(), content_digest)?;
        let until = self.require_fresh(&proof, now)?;
        let signed = Signed {
            origin: self.origin(),
            method: request.method(),
            target: request.target(),
            nonce: proof.nonce,
            made_at: proof.made_at,
            id: proof.id,
            content_digest,
        };
        if !key.check_signature(Algorithm::EdDsa, &octets(&signed), &proof.signature) {
            let why = "the user's key has not signed this request: its origin, method, path, query, body digest or token is another";
            return Err(AuthError::new(Code::ProofMismatch).with_explanation(why));
        }
        Ok(Replay { key: self.replay_key(user, &proof), until, now })
    }

    /// Decides whether the proof is new, and remembers it.
    pub(crate) fn accept_once(&self, replay: Replay) -> Attempt<Once> {
        self.replays.accept_once(replay.key, replay.until, replay.now)
    }

    fn require_digest(&self, method: &str, content_digest: &str) -> Result<(), AuthError> {
        if self.body == Body::MayBeUnsigned || !content_digest.is_empty() || !["POST", "PUT", "PATCH"].contains(&method)
        {
            return Ok(());
        }
        let why = "the proof has to cover the body: send a Content-Digest, and sign it";
        Err(AuthError::new(Code::ProofMalformed).with_explanation(why))
    }

    /// Returns until when the proof could be used.
    fn require_fresh(&self, proof: &Proof<'_>, now: UnixTime) -> Result<UnixTime, AuthError> {
        let clock_error = match self.freshness {
            Freshness::DangerTimeOnly { clock_error } => clock_error.min(MOST_CLOCK_ERROR),
            _ => CLOCK_ERROR,
        };
        if proof.made_at > now.plus(clock_error) || now > proof.made_at.plus(clock_error) {
            let why = "the proof was made at another time, by the client's clock: is that set?";
            return Err(self.with_nonce(AuthError::new(Code::ProofExpired).with_explanation(why), now));
        }
        if let Freshness::DangerTimeOnly { .. } = self.freshness {
            return Ok(proof.made_at.plus(clock_error).plus(Duration::from_secs(1)));
        }
        let current = self.nonces.check(proof.nonce, self.origin(), now).until();
        current.ok_or_else(|| self.with_nonce(AuthError::new(Code::ProofNonceNeeded), now))
    }

    fn replay_key(&self, user: &UserKey, proof: &Proof<'_>) -> ReplayKey {
        match self.freshness {
            Freshness::SingleUseNonce => ReplayKey::new(user.as_str(), proof.nonce),
            _ => ReplayKey::new(user.as_str(), proof.id),
        }
    }

    /// Adds a fresh nonce, where nonces are used.
    pub(crate) fn with_nonce(&self, error: AuthError, now: UnixTime) -> AuthError {
        match self.freshness {
            Freshness::DangerTimeOnly { .. } => error,
            _ => error.with_nonce(self.nonces.issue(self.origin(), now)),
        }
    }
}

impl fmt::Debug for ProofVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofVerifier")
            .field("origin", &self.origin)
            .field("nonces", &self.nonces)
            .field("replays", &self.replays)
            .field("freshness", &self.freshness)
            .field("body", &self.body)
            .finish()
    }
}

/// Returns the error of a proof that was used before.
pub(crate) fn replayed() -> AuthError {
    AuthError::new(Code::ProofReplayed)
}

/// Returns the digest of the body that the request has; empty if it has none.
fn content_digest(request: &dyn RequestView) -> Result<&str, AuthError> {
    let wrong = |why| AuthError::new(Code::ProofMalformed).with_explanation(why);
    match request.header("Content-Digest") {
        Header::Absent => Ok(""),
        Header::One(value) => std::str::from_utf8(value).map_err(|_| wrong("the content digest is not text")),
        _ => Err(wrong("the request has several content digests")),
    }
}
