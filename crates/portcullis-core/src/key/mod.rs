//! Keys that verify signatures, prepared once.

mod algorithm;
mod certificate;
mod ed25519;
mod elliptic;
mod error;
mod jwk;
mod key_match;
mod key_set;
mod material;
mod members;
mod not_secret;
mod pem;
mod ring;
mod rsa;
mod secret;
#[cfg(test)]
mod testing;
mod verifying_key;

pub use algorithm::{Algorithm, AlgorithmSet, UnknownAlgorithm};
pub use error::{KeyError, KeyErrorKind};
pub use key_match::{KeyMatch, MAX_KEYS_TRIED};
pub use key_set::{KeySet, KeySetError, KeySetErrorKind, SkippedKey};
pub use ring::{KeyRing, KeyState, RingError, RingErrorKind};
pub use secret::Secret;
pub use verifying_key::VerifyingKey;
