//! The size budget of a token.

use portcullis_core::policy::TokenSpec;

use super::{MintError, claims::Claims};

/// Refuses a token that is longer than the specification allows, and names the claim that is to blame.
pub(super) fn check_size(spec: &TokenSpec, bytes: usize, claims: &Claims) -> Result<(), MintError> {
    if bytes <= spec.longest_token() {
        return Ok(());
    }
    let (claim, size) = claims.largest();
    Err(MintError::too_long(bytes, spec.longest_token(), &claim, size))
}
