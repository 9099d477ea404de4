//! Decides whether one JSON Web Token is acceptable, given keys, a policy and an instant.
//!
//! The primary type in this crate is [`Admission`]: made of a [`JwtAuthenticator`] for one or several [`TrustedIssuer`]s, it takes the text
//! of a token and gives a [`Verified`] one, or an [`AuthError`] that says why not.
//!
//! Services use it through the crate `portcullis`, which finds the token in a request and answers refusals. There is no
//! HTTP here, no runtime, no I/O, and no time but what a [`Clock`] says.
//!
//! # The rules
//!
//! The order is parse, screen, resolve key, verify signature, check claims. Nothing in a token is believed before its
//! signature is verified. All of this is always on (RFC 7515, RFC 7519, RFC 8725):
//!
//! - **Shape.** A compact JWS of three non-empty parts and at most 16 KiB by default, in strict base64url. Header and claims are
//!   JSON objects, with no member twice at any level and bounded nesting.
//! - **Header.** `alg` is on the issuer's allow-list *and* among what the key can do. `typ` is absent, `JWT` or `at+jwt`
//!   (or only the last, with [`Profile::AccessToken`](policy::Profile::AccessToken)). Any `crit`, and `b64: false`, is refused. `jwk`, `jku`, `x5u`,
//!   `x5c` are ignored; `x5t` is a name of a key that is known, where there is no `kid`.
//! - **Keys.** A `kid` that names no key of the right kind is refused, and no other key is tried; without one, at most
//!   [`MAX_KEYS_TRIED`](keys::MAX_KEYS_TRIED) keys are tried. Weak keys are refused when they are loaded.
//! - **Claims.** `iss` is one of the trusted issuers, compared exactly; `aud` names this service; `exp` is required;
//!   `nbf` and `iat` are checked when present. Each has the right type: `null`, numeric strings and 1e300 are refused.
//!   (For an issuer that writes no `aud` there is [one exception](TrustedIssuer::danger_claim_as_audience).)
//! - **Binding.** A token with `cnf` is bound to a key; without a proof of that key it is refused.
//! - **Custom claims** are parsed once, into a type of yours; a token without them is refused.
//!
//! "We could not decide" is an error of its own kind, [`AuthErrorKind::Unavailable`](error::AuthErrorKind::Unavailable): never a refusal, never a pass.
//!
//! # Example
//!
//! ```
//! use portcullis_core::{Admission, Code, JwtAuthenticator};
//! use portcullis_test::MockIssuer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
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
//! # Seams
//!
//! | trait | its one job | here | elsewhere |
//! |---|---|---|---|
//! | [`Authenticator`] | whom a credential proves | [`JwtAuthenticator`], [`Dispatch`](authenticator::Dispatch) | your own |
//! | [`RequestView`](authenticator::RequestView) | a request without an HTTP library | | the layer of `portcullis` |
//! | [`IssuerResolver`](issuers::IssuerResolver) | an unknown, allowed issuer to trust in it | closures | your own |
//! | [`KeySource`](keys::KeySource) | a header to the keys that may have signed | [`KeySet`], [`KeyRing`] | `portcullis::KeyFile` |
//! | [`RevocationLog`](revocation::RevocationLog), [`Revoker`](revocation::Revoker) | where revocations are kept; what revokes | | `portcullis-store` |
//! | [`Clock`] | now | [`SystemClock`](clock::SystemClock) | `portcullis_test::FixedClock` |
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod admission;
pub mod authenticator;
pub mod claims;
pub mod clock;
mod config_text;
pub mod error;
pub mod issuers;
mod json;
mod judge;
mod key;
mod key_source;
mod log_text;
pub mod metrics;
pub mod policy;
mod precomputed;
pub mod revocation;
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

/// Keys that verify: sets of them, where they come from, and what can be wrong with them.
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

/// Text that others have chosen: shown in logs, and compared exactly.
pub mod text {
    pub use crate::{config_text::exact_text_problem, log_text::LogText};
}
