//! The chain of trust: an operator signs accounts, an account signs users.
//!
//! [`Chain`] decides, from the texts of the tokens and the time, without I/O: first about the user's token by itself
//! ([`screen`](Chain::screen)), then about the account's ([`account`](Chain::account)), then about both together ([`admit`](Chain::admit)).
//!
//! The rules are those of nats-server, with a few that are stricter:
//!
//! - The subject of each token is a key of its role, and no key is of small order.
//! - An operator's token is signed by its own key, and has not expired.
//! - The header says the same version as the claims.
//! - A value that is filled into a template has no wildcards and no braces, and no wildcard stands right beside a placeholder.
//! - A token from the future is refused, and a user without any permission, unless the [`Policy`] says otherwise.
//! - A subscription of which a part is denied is denied, because nothing here holds messages back.
//! - A list of permissions has at most 4 096 subjects and 64 KiB, also once a template is filled in, and then at most 1 KiB in each subject. An account has at most 1 024 imports and exports.
//!
//! The limit `payload` is only shown, because bodies are not seen here: see [`AdmittedUser::payload`] for what enforces it.

mod account;
mod admitted;
mod anchor;
mod conditions;
mod explain;
mod imports;
mod pattern;
mod permissions;
mod policy;
mod refusal;
mod screened;
mod template;
#[cfg(feature = "mint")]
mod usable;

use std::collections::BTreeSet;

#[cfg(feature = "mint")]
pub(crate) use self::usable::{require_usable, require_usable_template};
pub use self::{
    account::VerifiedAccount,
    admitted::{AdmittedUser, Circumstances},
    anchor::Operators,
    explain::{Deciding, Explanation, Operation, Step},
    permissions::{EffectivePermissions, Rules},
    policy::{Connection, Policy, TemplateDots, V1},
    refusal::{Refusal, RefusalKind},
    screened::ScreenedUser,
};
use crate::nkey::AccountKey;

/// Decides whether a user is let in, from the user's token, the account's token and the time. It does no I/O and keeps nothing.
///
/// For requests, use the authenticator around it, which finds accounts, checks proofs, and asks for what this leaves to its caller: that an
/// account's users mean something only within that account.
#[derive(Clone, Debug)]
pub struct Chain {
    operators: Operators,
    policy: Policy,
    pinned: Option<BTreeSet<AccountKey>>,
}

impl Chain {
    /// Returns a chain with these roots.
    pub const fn new(operators: Operators, policy: Policy) -> Self {
        Self { operators, policy, pinned: None }
    }

    /// Lets in users of these accounts only. Defaults to all accounts of the operators.
    #[must_use]
    pub fn accounts(self, pinned: impl IntoIterator<Item = AccountKey>) -> Self {
        Self { pinned: Some(pinned.into_iter().collect()), ..self }
    }

    /// Returns the roots.
    pub const fn operators(&self) -> &Operators {
        &self.operators
    }

    /// Returns the policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides about a user's token by itself: everything that can be known before the account is.
    ///
    /// # Errors
    ///
    /// Why the token cannot be accepted, whatever its account says.
    pub fn screen(&self, token: &str, at: &Circumstances<'_>) -> Result<ScreenedUser, Refusal> {
        let user = ScreenedUser::new(token, &self.policy, at.now)?;
        if self.pinned.as_ref().is_some_and(|pinned| !pinned.contains(user.account())) {
            return Err(Refusal::new(RefusalKind::AccountNotPinned, "users of this account are not let in here"));
        }
        Ok(user)
    }

    /// Checks the times of a user's token again, which was screened before.
    pub(crate) fn screen_again(&self, user: &ScreenedUser, now: portcullis_core::UnixTime) -> Result<(), Refusal> {
        user.require_times(&self.policy, now)
    }

    /// Decides about the text of an account's token, from wherever it came.
    ///
    /// # Errors
    ///
    /// Why it is not the token of this account, admitted by a trusted operator.
    pub fn account(&self, id: &AccountKey, token: &str, at: &Circumstances<'_>) -> Result<VerifiedAccount, Refusal> {
        VerifiedAccount::new(id, token, &self.operators, &self.policy, at.now)
    }

    /// Decides about a user together with the account. It does **not** check that the user holds the key: see
    /// [`AdmittedUser::is_bearer`].
    ///
    /// # Errors
    ///
    /// Why the account does not let the user in, here and now.
    pub fn admit(
        &self,
        user: &ScreenedUser,
        account: &VerifiedAccount,
        at: &Circumstances<'_>,
    ) -> Result<AdmittedUser, Refusal> {
        self.admit_to(user, account, None, at)
    }

    /// Decides the same about a service of the account `exporter`: its own users have their permissions, and those of other accounts only
    /// what their account imports and the exporter exports. The permissions are those of the exporter's subjects.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit), and if the user's account imports nothing from it.
    pub fn admit_to_service_of(
        &self,
        exporter: &VerifiedAccount,
        user: &ScreenedUser,
        account: &VerifiedAccount,
        at: &Circumstances<'_>,
    ) -> Result<AdmittedUser, Refusal> {
        exporter.require_times(&self.policy, at.now)?;
        admitted::require_open(exporter)?;
        self.admit_to(user, account, Some(exporter), at)
    }

    fn admit_to(
        &self,
        user: &ScreenedUser,
        account: &VerifiedAccount,
        exporter: Option<&VerifiedAccount>,
        at: &Circumstances<'_>,
    ) -> Result<AdmittedUser, Refusal> {
        if user.account() != account.id() {
            return Err(Refusal::new(RefusalKind::AccountMismatch, "the user is one of another account"));
        }
        admitted::admit(user, account, exporter, &self.policy, at)
    }
}
