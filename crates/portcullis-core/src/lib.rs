//! Core.

mod authenticator;
mod claims;
mod clock;
mod error;
mod json;
mod key;
mod key_source;
mod policy;
mod token;
mod verified;
mod verifier;

pub use authenticator::{Attempt, Authenticator, Credential, JwtAuthenticator, Waiting};
pub use claims::{ClaimRef, Roles, Scopes};
pub use clock::{Clock, SystemClock, UnixTime};
pub use error::{AuthError, AuthErrorKind, Code, ConfigError};
pub use key::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind, KeyMatch, KeyRing, KeySet, KeySetError, KeySetErrorKind, KeyState,
    MAX_KEYS_TRIED, RingError, RingErrorKind, Secret, SkippedKey, UnknownAlgorithm, VerifyingKey,
};
pub use key_source::{KeyHint, KeySource, KeySourceError, KeySourceErrorKind, Resolved};
pub use policy::{Leeway, Profile, TrustedIssuer};
pub use token::{Header, UnverifiedToken};
pub use verified::{AnyVerified, Conventions, Facts, Identity, NoCustom, Verified};
