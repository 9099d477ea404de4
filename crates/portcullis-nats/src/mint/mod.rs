//! Mints tokens that nats-server, the library in Go, and this crate accept.
//!
//! The primary type is [`Mint`]: an operator, an account, a user, or an activation that is about to be signed. [`AccountEdit`] changes an
//! account's token and signs it again without losing what this crate does not model.
//!
//! What is minted is read back as a server would read it before it is returned, so that a mistake is found where it is made:
//!
//! - A key of the right role signs: an operator signs itself and its accounts, an account its users and activations.
//! - A user of a scoped signing key has no terms, because a server refuses such a user with any: [`Mint::scoped_user`] has no method for them.
//! - An operator whose own key signs nothing (`strict_signing_key_usage`) has signing keys, and so have its accounts.
//! - Subjects, networks, times, templates and activations of imports are valid, and the token is not longer than 1 MiB.
//!
//! Signing goes through [`Signer`](portcullis_core::signing::Signer), whose key id is the public nkey. [`KeyPair`](crate::nkey::KeyPair) is one;
//! implement it for a key that lives in a vault or a security module. Time is an argument.
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::UnixTime;
//! use portcullis_nats::{
//!     claims::{Account, Operator, Permissions, Terms},
//!     mint::{Mint, MintErrorKind},
//!     nkey::{AccountKey, KeyPair, OperatorKey, Role, UserKey},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> { block_on(async {
//! let (operator, account, user) =
//!     (KeyPair::generate(Role::Operator)?, KeyPair::generate(Role::Account)?, KeyPair::generate(Role::User)?);
//! let now = UnixTime::from_secs(1_800_000_000);
//!
//! let operator_token =
//!     Mint::operator(OperatorKey::try_from(*operator.public_key())?, "acme", Operator::default()).sign(&operator, now).await?;
//! let account_token =
//!     Mint::account(AccountKey::try_from(*account.public_key())?, "orders", Account::default()).sign(&operator, now).await?;
//!
//! let mut terms = Terms::default();
//! terms.permissions = Permissions::default().publish(["orders.*.read"]);
//! let alice = || Mint::user(UserKey::try_from(*user.public_key()).unwrap(), "alice").terms(terms.clone()).expires_in(Duration::from_secs(3600));
//! assert_eq!(alice().sign(&account, now).await?.token().registered.expires_at, Some(now.plus(Duration::from_secs(3600))));
//!
//! // An operator does not sign users.
//! let refused = alice().sign(&operator, now).await.unwrap_err();
//! assert_eq!(refused.kind(), MintErrorKind::SigningKey);
//! # Ok::<(), Box<dyn std::error::Error>>(()) }) }
//! # fn block_on<T>(future: impl Future<Output = T>) -> T {
//! #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
//! #     let mut future = std::pin::pin!(future);
//! #     loop { if let std::task::Poll::Ready(done) = future.as_mut().poll(&mut context) { return done; } }
//! # }
//! ```

mod account;
mod activation;
mod edit;
mod error;
mod minted;
mod operator;
mod seal;
mod user;
mod write;

use std::time::Duration;

use portcullis_core::UnixTime;

use self::write::{Generic, WriteClaims};
pub use self::{
    account::NewAccount,
    edit::{AccountEdit, staple},
    error::{MintError, MintErrorKind},
    minted::Minted,
    user::{OwnTerms, ScopedTerms},
};
use crate::nkey::PublicKey;

/// A token that is about to be signed. See the module docs.
///
/// | made by | who signs |
/// |---|---|
/// | [`operator`](Mint::operator) | the operator's own key |
/// | [`account`](Mint::account) | a key of the operator |
/// | [`user`](Mint::user) | the account's own key, or a signing key without a scope |
/// | [`scoped_user`](Mint::scoped_user) | a signing key with a scope |
/// | [`activation`](Mint::activation) | the exporting account's own key, or a signing key |
#[derive(Clone, Debug)]
#[must_use = "it has to be signed"]
pub struct Mint<K> {
    subject: PublicKey,
    name: String,
    not_before: Option<UnixTime>,
    end: End,
    kind: K,
}

/// When the token expires.
#[derive(Clone, Copy, Debug)]
enum End {
    Never,
    At(UnixTime),
    In(Duration),
}

impl<K> Mint<K> {
    fn new(subject: impl Into<PublicKey>, name: impl Into<String>, kind: K) -> Self {
        Self { subject: subject.into(), name: name.into(), not_before: None, end: End::Never, kind }
    }

    /// Sets `exp` to this long after the instant of signing. Defaults to no expiry.
    pub fn expires_in(self, life: Duration) -> Self {
        Self { end: End::In(life), ..self }
    }

    /// Sets `exp`. Defaults to no expiry.
    pub fn expires_at(self, at: UnixTime) -> Self {
        Self { end: End::At(at), ..self }
    }

    /// Sets `nbf`. Defaults to none: the token is valid at once.
    pub fn not_before(self, at: UnixTime) -> Self {
        Self { not_before: Some(at), ..self }
    }

    /// Returns the JSON of the claims.
    fn claims(
        &self,
        kind: &'static str,
        nats: &impl WriteClaims,
        issuer: &PublicKey,
        now: UnixTime,
    ) -> Result<String, MintError> {
        let expires_at = match self.end {
            End::Never => None,
            End::At(at) => Some(at),
            End::In(life) => Some(now.plus(life)),
        };
        require_times(self.not_before, expires_at, now)?;
        let generic = Generic {
            audience: "",
            expires_at,
            issued_at: now,
            issuer,
            name: &self.name,
            not_before: self.not_before,
            subject: &self.subject,
        };
        let mut members = generic.members(&generic.id());
        let mut object = write::Members::default();
        nats.write(&mut object);
        object.text("type", kind);
        object.any_number("version", 2);
        members.object("nats", object);
        Ok(members.finish())
    }
}

/// Refuses a token that could never be used.
fn require_times(not_before: Option<UnixTime>, expires_at: Option<UnixTime>, now: UnixTime) -> Result<(), MintError> {
    let refused = |why: &'static str| Err(MintError::new(MintErrorKind::Time, why));
    let Some(end) = expires_at else { return Ok(()) };
    if end <= now {
        return refused("the token would have expired already");
    }
    if not_before.is_some_and(|start| end <= start) {
        return refused("the token would expire before it is valid");
    }
    Ok(())
}

/// Returns tags as tools of NATS keep them: in lower case, without blanks around them, each once.
fn in_lower_case<S: Into<String>>(tags: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut known = Vec::<String>::new();
    for tag in tags {
        let tag = tag.into().trim().to_lowercase();
        if !tag.is_empty() && !known.contains(&tag) {
            known.push(tag);
        }
    }
    known
}
