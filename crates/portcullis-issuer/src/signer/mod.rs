//! The signer of the next token. (The trait of signers is in `portcullis-core`.)

mod current;

pub use current::{Choosing, CurrentSigner, WaitingForSigner};
use portcullis_core::Algorithm;
pub use portcullis_core::signing::{SignError, SignErrorKind, Signature, Signer, Signing, WaitingForSignature};

/// Returns how many bytes a signature of this algorithm has; `None` if it depends on the key.
pub(crate) const fn signature_len(algorithm: Algorithm) -> Option<usize> {
    match algorithm {
        Algorithm::Hs256 => Some(32),
        Algorithm::Hs384 => Some(48),
        Algorithm::Hs512 | Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Ed25519 => Some(64),
        Algorithm::Es384 => Some(96),
        _ => None,
    }
}
