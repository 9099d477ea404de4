//! The decoded signature.

use super::base64url::decode_into;
use crate::{AuthError, Code};

/// As long as a signature of the largest RSA key (8192 bits) that is accepted.
const MAX_SIGNATURE: usize = 1024;

/// The bytes of a signature, on the stack.
#[derive(Debug)]
pub(crate) struct Signature {
    bytes: [u8; MAX_SIGNATURE],
    len: usize,
}

impl Signature {
    pub(crate) fn decode(encoded: &str) -> Result<Self, AuthError> {
        let mut bytes = [0; MAX_SIGNATURE];
        match decode_into(encoded, &mut bytes).map(<[u8]>::len) {
            Some(len) => Ok(Self { bytes, len }),
            None => Err(Code::TokenMalformed.into()),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
