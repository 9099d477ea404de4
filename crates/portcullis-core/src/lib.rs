//! Decides whether a JSON Web Token is acceptable, given keys, a policy and the time.
//!
//! The primary type in this crate is [`Admission`]. It is created from a [`JwtAuthenticator`] for one or several
//! [`TrustedIssuer`]s. It takes the text of a token and returns a [`Verified`] one, or an [`AuthError`] with the reason for the
//! refusal.
//!
//! Services use it through the crate `portcullis`, which finds the token in a request and answers refusals. This crate has no
//! HTTP, no runtime and no I/O, and takes the time only from a [`Clock`].
//!
//! `portcullis` re-exports these names, in modules of the same names. In a service that depends on it, write `portcullis::` for
//! `portcullis_core::` in the examples.
//!
//! # The rules
//!
//! The order is: parse, screen, resolve the key, verify the signature, check the claims. Nothing in a token is trusted before its
//! signature is verified. All of this is always on (RFC 7515, RFC 7519, RFC 8725):
//!
//! - **Shape.** A compact JWS of three non-empty parts and at most 16 KiB by default, in strict base64url. Header and claims are
//!   JSON objects, with no member twice at any level and bounded nesting.
//! - **Header.** `alg` must be on the issuer's allow-list *and* among the key's algorithms. `typ` must be absent, `JWT` or
//!   `at+jwt` (only `at+jwt` with [`Profile::AccessToken`](policy::Profile::AccessToken)). Any `crit`, and `b64: false`, is
//!   refused. `jwk`, `jku`, `x5u` and `x5c` are ignored; `x5t` identifies a known key if there is no `kid`.
//! - **Keys.** A `kid` that names no key of the right kind is refused, and no other key is tried; without one, at most
//!   [`MAX_KEYS_TRIED`](keys::MAX_KEYS_TRIED) keys are tried. Weak keys are refused when they are loaded.
//! - **Claims.** `iss` is one of the trusted issuers, compared exactly; `aud` names this service; `exp` is required;
//!   `nbf` and `iat` are checked when present. Each has the right type: `null`, numeric strings and 1e300 are refused.
//!   (For an issuer that writes no `aud` there is [one exception](TrustedIssuer::danger_claim_as_audience).)
//! - **Binding.** A token with `cnf` is bound to a key; without a proof of that key it is refused.
//! - **Custom claims** are parsed once, into your own type; a token without them is refused.
//!
//! If no decision is possible, the error has its own kind, [`AuthErrorKind::Unavailable`](error::AuthErrorKind::Unavailable): the
//! token is neither refused nor accepted.
//!
//! # Example
//!
//! ```
//! use portcullis_core::{Admission, Code, JwtAuthenticator};
//! use portcullis_test::MockIssuer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // takes the place of the real issuer
//! let admission = Admission::new(JwtAuthenticator::new(issuer.trusted())?);
//!
//! let verified = admission.verify(&issuer.token().subject("alice").sign()).outcome().await?;
//! assert_eq!(verified.subject(), Some("alice"));
//!
//! let other = MockIssuer::new().token().subject("alice").sign(); // the same claims, another key
//! let error = admission.verify(&other).outcome().await.unwrap_err();
//! assert_eq!(error.code(), Code::SignatureInvalid);
//! # Ok(())
//! # }
//! ```
//!
//! # Traits
//!
//! | trait | task | implemented here | elsewhere |
//! |---|---|---|---|
//! | [`Authenticator`] | finds out whose credential it is | [`JwtAuthenticator`], [`Dispatch`](authenticator::Dispatch) | your own |
//! | [`RequestView`](authenticator::RequestView) | shows a request without an HTTP library | | the layer of `portcullis` |
//! | [`IssuerResolver`](issuers::IssuerResolver) | decides whether to trust an unknown, allowed issuer | closures | your own |
//! | [`KeySource`](keys::KeySource) | finds the keys that may have signed a token | [`KeySet`], [`KeyRing`] | `portcullis::KeyFile` |
//! | [`RevocationLog`](revocation::RevocationLog), [`Revoker`](revocation::Revoker) | stores revocations; makes them | | `portcullis-store` |
//! | [`NonceIssuer`](possession::NonceIssuer) | makes nonces for proofs | [`SignedNonces`](possession::SignedNonces) | your own |
//! | [`ReplayStore`](possession::ReplayStore) | accepts a proof once | [`MemoryReplayStore`](possession::MemoryReplayStore) | `portcullis-store` |
//! | [`FloorStore`](floors::FloorStore) | keeps the newest time seen, against rollback | [`MemoryFloors`](floors::MemoryFloors) | `portcullis-store` |
//! | [`Signer`](signing::Signer) | makes signatures, for crates that mint | | `portcullis-issuer`, `portcullis-nats` |
//! | [`Clock`] | tells the time | [`SystemClock`](clock::SystemClock) | `portcullis_test::FixedClock` |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod admission;
pub mod authenticator;
pub mod claims;
pub mod clock;
mod config_text;
pub mod error;
pub mod floors;
mod invisible;
pub mod issuers;
mod json;
mod judge;
mod key;
mod key_source;
mod log_text;
pub mod metrics;
pub mod policy;
pub mod possession;
mod precomputed;
pub mod revocation;
pub mod signing;
pub mod subjects;
pub mod token;
pub mod verified;
mod verifier;

pub use admission::Admission;
pub use authenticator::{Authenticator, JwtAuthenticator};
pub use clock::{Clock, UnixTime};
pub use error::{AuthError, Code, ConfigError};
pub use issuers::Issuers;
pub use key::{Algorithm, KeyRing, KeySet, Secret};
pub use policy::TrustedIssuer;
pub use verified::{Principal, Verified};

/// Why a credential is accepted or refused, check by check: see [`Admission::explain`].
pub mod explain {
    pub use crate::{
        authenticator::{Explain, Explainable, Explaining},
        judge::{Check, Explanation, Finding, Outcome, Recorder},
    };
}

/// Keys that verify signatures: single keys, sets, sources, and their problems.
pub mod keys {
    pub use crate::{
        key::{
            Algorithm, AlgorithmSet, KeyError, KeyErrorKind, KeyMatch, KeyRing, KeySet, KeySetError, KeySetErrorKind,
            KeyState, MAX_KEYS_TRIED, RingError, RingErrorKind, Secret, SkippedKey, UnknownAlgorithm, VerifyingKey,
        },
        key_source::{
            KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved, SecretAndPublic, TokenHash, TokenHashKey,
            WaitingForKeys,
        },
    };
}

/// Foreign text: showing it in logs, and comparing it exactly.
pub mod text {
    pub use crate::{config_text::exact_text_problem, log_text::LogText};
}
