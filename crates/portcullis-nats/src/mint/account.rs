//! The token of an account.

use portcullis_core::{UnixTime, signing::Signer};

use super::{Mint, MintError, MintErrorKind, Minted, in_lower_case, seal};
use crate::{
    chain::require_usable_template,
    claims::{Account, Operator},
    nkey::{AccountKey, OperatorKey, PublicKey, Role},
    token::Token,
};

/// An account, and the operator that it is checked against.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub(super) claims: Account,
    operator: Option<Token<Operator>>,
}

impl Mint<NewAccount> {
    /// An account with this id.
    pub fn account(id: AccountKey, name: impl Into<String>, claims: Account) -> Self {
        let tags = in_lower_case(claims.tags.iter());
        Self::new(id, name, NewAccount { claims: Account { tags, ..claims }, operator: None })
    }

    /// Checks what this operator demands: that the signer is one of its keys, and signing keys if only those may sign. Defaults to no check.
    pub fn under(mut self, operator: &Token<Operator>) -> Self {
        self.kind.operator = Some(operator.clone());
        self
    }

    /// Signs it with a key of the operator.
    ///
    /// # Errors
    ///
    /// See [`MintErrorKind`].
    pub async fn sign<S: Signer + ?Sized>(self, signer: &S, now: UnixTime) -> Result<Minted<Account>, MintError> {
        let issuer = seal::issuer_of(signer, Role::Operator)?;
        require_claims(&self.kind.claims, self.kind.operator.as_ref(), &issuer)?;
        let claims = self.claims("account", &self.kind.claims, &issuer, now)?;
        seal::seal(&claims, signer).await
    }
}

/// Refuses claims of an account that a server would refuse, or with which no user could come in.
pub(super) fn require_claims(
    claims: &Account,
    operator: Option<&Token<Operator>>,
    issuer: &PublicKey,
) -> Result<(), MintError> {
    for scope in claims.signing_keys.iter().filter_map(|key| key.scope.as_ref()) {
        require_usable_template(&scope.template)
            .map_err(|refusal| MintError::claims(refusal.explanation().to_owned()))?;
    }
    let Some(operator) = operator else { return Ok(()) };
    let key = |key: PublicKey| {
        OperatorKey::try_from(key).map_err(|error| MintError::new(MintErrorKind::SigningKey, error.to_string()))
    };
    let (own, issuer) = (key(operator.registered.subject)?, key(*issuer)?);
    if !operator.nats.signs_accounts(&own, &issuer) {
        let why = "the signing key is not one with which the operator signs accounts";
        return Err(MintError::new(MintErrorKind::NotAllowed, why));
    }
    if operator.nats.strict_signing_key_usage && claims.signing_keys.is_empty() {
        return Err(MintError::claims("the operator lets only signing keys sign, and the account has none: add one"));
    }
    Ok(())
}
