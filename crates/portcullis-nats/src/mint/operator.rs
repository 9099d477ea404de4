//! The token of an operator.

use portcullis_core::{UnixTime, signing::Signer};

use super::{Mint, MintError, MintErrorKind, Minted, in_lower_case, seal};
use crate::{
    claims::Operator,
    nkey::{OperatorKey, Role},
};

impl Mint<Operator> {
    /// An operator with this key of its own.
    pub fn operator(key: OperatorKey, name: impl Into<String>, claims: Operator) -> Self {
        let tags = in_lower_case(claims.tags.iter());
        Self::new(key, name, Operator { tags, ..claims })
    }

    /// Signs it.
    ///
    /// # Errors
    ///
    /// If another key than the operator's own signs, if only signing keys may sign and there are none, and as for every token: see
    /// [`MintErrorKind`].
    pub async fn sign<S: Signer + ?Sized>(self, signer: &S, now: UnixTime) -> Result<Minted<Operator>, MintError> {
        let issuer = seal::issuer_of(signer, Role::Operator)?;
        if issuer != self.subject {
            let why = "an operator's token has to be signed by the operator's own key";
            return Err(MintError::new(MintErrorKind::NotAllowed, why));
        }
        if self.kind.strict_signing_key_usage && self.kind.signing_keys.is_empty() {
            return Err(MintError::claims("the operator lets only its signing keys sign, and has none: add one"));
        }
        let claims = self.claims("operator", &self.kind, &issuer, now)?;
        seal::seal(&claims, signer).await
    }
}
