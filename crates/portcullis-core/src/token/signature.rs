//! Decodes the signature.

use std::mem::MaybeUninit;

use super::base64url::decode_into;
use crate::{AuthError, Code};

/// The length of a signature of the largest accepted RSA key (8192 bits).
const MAX_SIGNATURE: usize = 1024;

/// Decodes a signature on the stack and passes its bytes to `check`.
///
/// Takes a closure instead of returning a value, because a kilobyte would be copied with every move. The buffer is not filled with zeros
/// either, because most signatures need only a fraction of it.
pub(super) fn with_signature<T>(encoded: &str, check: impl FnOnce(&[u8]) -> T) -> Result<T, AuthError> {
    let mut buffer = [MaybeUninit::uninit(); MAX_SIGNATURE];
    let signature = decode_into(encoded, &mut buffer).ok_or(Code::TokenMalformed)?;
    Ok(check(signature))
}
