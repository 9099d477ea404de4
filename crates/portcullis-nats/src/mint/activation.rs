//! The permission to import an export.

use portcullis_core::{UnixTime, signing::Signer};

use super::{Mint, MintError, Minted, seal};
use crate::{
    claims::Activation,
    nkey::{AccountKey, Role},
};

impl Mint<Activation> {
    /// The permission for the account `importer` to import this. If a signing key signs it, [`issuer_account`](Activation::issuer_account) has to
    /// be set to the exporting account.
    pub fn activation(importer: AccountKey, name: impl Into<String>, claims: Activation) -> Self {
        Self::new(importer, name, claims)
    }

    /// Signs it.
    ///
    /// # Errors
    ///
    /// See [`MintErrorKind`](super::MintErrorKind).
    pub async fn sign<S: Signer + ?Sized>(self, signer: &S, now: UnixTime) -> Result<Minted<Activation>, MintError> {
        let issuer = seal::issuer_of(signer, Role::Account)?;
        let claims = self.claims("activation", &self.kind, &issuer, now)?;
        seal::seal(&claims, signer).await
    }
}
