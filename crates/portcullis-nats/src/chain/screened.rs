//! [`ScreenedUser`]: a user's token that is acceptable as far as it goes.

use portcullis_core::UnixTime;

use super::{
    policy::{Policy, V1},
    refusal::{Refusal, RefusalKind},
};
use crate::{
    claims::User,
    nkey::{AccountKey, UserKey},
    token::{Token, TokenErrorKind, Version},
};

/// A user's token that is signed by the key in `iss`, within its times, and names an account. Whether that account exists, and that key
/// signs for it, is not known yet.
#[derive(Clone, Debug)]
pub struct ScreenedUser {
    pub(super) token: Token<User>,
    key: UserKey,
    account: AccountKey,
}

impl ScreenedUser {
    /// Makes the checks that need nothing but the token.
    pub(super) fn new(text: &str, policy: &Policy, now: UnixTime) -> Result<Self, Refusal> {
        if text.len() > policy.max_token_bytes {
            return Err(Refusal::new(RefusalKind::User(TokenErrorKind::TooLong), "the user's token is too long"));
        }
        let token = Token::<User>::read(text).map_err(|error| Refusal::of_user(&error))?;
        if token.version == Version::V1 && policy.v1 == V1::Refuse {
            let kind = RefusalKind::User(TokenErrorKind::Version);
            return Err(Refusal::new(kind, "the user's token is of version 1, which is not accepted here"));
        }
        if token.nats.terms.proxy_required {
            return Err(proxy_required());
        }
        require_times(&token, policy, now)?;
        let wrong_key = |_| Refusal::new(RefusalKind::User(TokenErrorKind::Key), "the user's token names no user");
        let key = UserKey::try_from(token.registered.subject).map_err(wrong_key)?;
        let issuer = AccountKey::try_from(token.registered.issuer).map_err(wrong_key)?;
        Ok(Self { account: token.nats.issuer_account.unwrap_or(issuer), token, key })
    }

    pub(super) fn require_times(&self, policy: &Policy, now: UnixTime) -> Result<(), Refusal> {
        require_times(&self.token, policy, now)
    }

    /// Returns the user's key, which a proof of possession is checked with.
    pub const fn key(&self) -> &UserKey {
        &self.key
    }

    /// Returns the account that the token names.
    pub const fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Whether the token says that it needs no proof. The scope of its signing key may say so instead.
    pub const fn claims_bearer(&self) -> bool {
        self.token.nats.terms.bearer
    }

    /// Returns the token, of which nothing is trusted yet.
    pub const fn token(&self) -> &Token<User> {
        &self.token
    }
}

/// Refuses a user who may only come through a proxy: there is none here that is trusted.
pub(super) fn proxy_required() -> Refusal {
    Refusal::new(RefusalKind::ProxyRequired, "the user may only come through a trusted proxy of NATS")
}

fn require_times(token: &Token<User>, policy: &Policy, now: UnixTime) -> Result<(), Refusal> {
    let times = &token.registered;
    if times.expires_at.is_some_and(|end| now >= end.plus(policy.leeway)) {
        return Err(Refusal::new(RefusalKind::Expired, "the user's token has expired"));
    }
    if times.not_before.is_some_and(|start| now.plus(policy.leeway) < start) {
        return Err(Refusal::new(RefusalKind::NotYetValid, "the user's token is not valid yet"));
    }
    if times.issued_at > now.plus(policy.issued_at_leeway) {
        return Err(Refusal::new(RefusalKind::IssuedInFuture, "the user's token is from the future"));
    }
    Ok(())
}
