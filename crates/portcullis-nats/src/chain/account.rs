//! [`VerifiedAccount`]: an account that a trusted operator has admitted.

use portcullis_core::UnixTime;

use super::{
    anchor::{Operators, Signs},
    policy::{Policy, V1},
    refusal::{Refusal, RefusalKind},
};
use crate::{
    claims::{Account, Scope},
    nkey::{AccountKey, PublicKey},
    token::{Token, TokenErrorKind, Version},
};

/// An account whose token a key of a trusted operator has signed.
#[derive(Clone, Debug)]
pub struct VerifiedAccount {
    id: AccountKey,
    pub(super) token: Token<Account>,
    signs: Signs,
}

impl VerifiedAccount {
    /// Decides about the text that a resolver gives for this account, or that a caller brings along.
    pub(super) fn new(
        id: &AccountKey,
        text: &str,
        operators: &Operators,
        policy: &Policy,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        let trusts = |issuer: &PublicKey| operators.find(issuer, now).is_some();
        let token = Token::<Account>::read_if(text, trusts).map_err(|error| Refusal::of_account(&error))?;
        let Some(token) = token else {
            let why = "no key of a trusted operator has signed the account's token";
            return Err(Refusal::new(RefusalKind::AccountUntrusted, why));
        };
        if token.version == Version::V1 && policy.v1 == V1::Refuse {
            let kind = RefusalKind::Account(TokenErrorKind::Version);
            return Err(Refusal::new(kind, "the account's token is of version 1, which is not accepted here"));
        }
        let Some(signs) = operators.find(&token.registered.issuer, now) else {
            let why = "no key of a trusted operator has signed the account's token";
            return Err(Refusal::new(RefusalKind::AccountUntrusted, why));
        };
        if token.registered.subject != *id.public_key() {
            return Err(Refusal::new(RefusalKind::AccountMismatch, "the token is that of another account"));
        }
        let account = Self { id: *id, token, signs };
        account.require_times(policy, now)?;
        Ok(account)
    }

    /// Refuses the account outside of its times. To be asked at each use, not only when the token comes.
    pub(super) fn require_times(&self, policy: &Policy, now: UnixTime) -> Result<(), Refusal> {
        let times = &self.token.registered;
        if times.expires_at.is_some_and(|end| now >= end.plus(policy.leeway)) {
            return Err(Refusal::new(RefusalKind::AccountExpired, "the account's token has expired"));
        }
        if times.not_before.is_some_and(|start| now.plus(policy.leeway) < start) {
            return Err(Refusal::new(RefusalKind::AccountNotYetValid, "the account's token is not valid yet"));
        }
        if times.issued_at > now.plus(policy.issued_at_leeway) {
            return Err(Refusal::new(RefusalKind::AccountRolledBack, "the account's token is from the future"));
        }
        Ok(())
    }

    /// Returns the scope of a key that signs users of the account; `None` inside if it has none.
    pub(super) fn scope_of(&self, issuer: &PublicKey) -> Result<Option<&Scope>, Refusal> {
        if let Some(key) = self.token.nats.signing_key(issuer) {
            return Ok(key.scope.as_ref());
        }
        if issuer == self.id.public_key() && self.signs == Signs::WithAnyKey {
            return Ok(None);
        }
        let why = "the key that has signed the user's token does not sign for the account";
        Err(Refusal::new(RefusalKind::IssuerNotInAccount, why))
    }

    /// Whether this key signs for the account: a signing key, or its own unless the operator is strict.
    pub(super) fn signs_with(&self, key: &PublicKey) -> bool {
        self.scope_of(key).is_ok()
    }

    /// Returns the account's id.
    pub const fn id(&self) -> &AccountKey {
        &self.id
    }

    /// Returns the account's token.
    pub const fn token(&self) -> &Token<Account> {
        &self.token
    }

    /// Returns when the token was issued. A verifier accepts none that is older than one it has seen.
    pub const fn issued_at(&self) -> UnixTime {
        self.token.registered.issued_at
    }
}
