//! The decoded signature.

use std::mem::MaybeUninit;

use super::base64url::decode_into;
use crate::{AuthError, Code};

/// As long as a signature of the largest RSA key (8192 bits) that is accepted.
const MAX_SIGNATURE: usize = 1024;

/// Decodes a signature on the stack and gives its bytes to `check`.
///
/// A closure, and not a value that is returned: a kilobyte would be copied with every move. It is not filled with zeros
/// either, as most signatures take a fraction of it.
pub(super) fn with_signature<T>(encoded: &str, check: impl FnOnce(&[u8]) -> T) -> Result<T, AuthError> {
    let mut buffer = [MaybeUninit::uninit(); MAX_SIGNATURE];
    let signature = decode_into(encoded, &mut buffer).ok_or(Code::TokenMalformed)?;
    Ok(check(signature))
}
