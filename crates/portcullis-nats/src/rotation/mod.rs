//! Replaces a key with which an operator signs accounts, without locking anyone out.
//!
//! Removing the key from the operator's token at once would end every account that it has signed. [`OperatorRotation`] is the plan instead, as a value:
//! it says which accounts have to be signed again, and refuses a step that comes too early by the instant from which it is safe.
//!
//! 1. The operator's token gets the new key beside the old one ([`OperatorRotation::start`]), and is rolled out.
//! 2. Once every verifier has it, each account is signed with the new key ([`AccountEdit`](crate::mint::AccountEdit)) and put into the resolver.
//! 3. Once no verifier uses a token that the old key has signed, the old key leaves the operator's token.
//!
//! If the old key has **leaked**, do not wait: remove it at once, and expect accounts to be refused until they are signed again.
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::UnixTime;
//! use portcullis_nats::{
//!     nkey::{KeyPair, OperatorKey, Role},
//!     rotation::{OperatorRotation, RotationTimes, TooEarly},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = || OperatorKey::try_from(*KeyPair::generate(Role::Operator).unwrap().public_key()).unwrap();
//! let introduced = UnixTime::from_secs(1_800_000_000);
//! let plan = OperatorRotation::start(key(), key(), introduced, RotationTimes::new());
//!
//! assert_eq!(plan.may_sign(introduced), Err(TooEarly::Until(introduced.plus(Duration::from_secs(24 * 3600 + 61)))));
//! assert!(plan.may_sign(introduced.plus(Duration::from_secs(25 * 3600))).is_ok());
//! # Ok(())
//! # }
//! ```

mod times;

use std::{collections::BTreeMap, fmt};

use portcullis_core::UnixTime;

pub use self::times::RotationTimes;
use crate::{
    claims::Account,
    nkey::{AccountKey, OperatorKey, PublicKey},
    token::{Token, TokenError},
};

/// The rotation of a key with which an operator signs accounts. `Display` prints the plan for people. See the module docs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRotation {
    old: OperatorKey,
    new: OperatorKey,
    introduced: UnixTime,
    times: RotationTimes,
    accounts: BTreeMap<AccountKey, AccountState>,
}

/// An account, as it was last seen in the resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AccountState {
    /// Its name, which is not unique.
    pub name: String,
    /// The key that has signed its token.
    pub signer: PublicKey,
    /// `iat` of its token.
    pub issued_at: UnixTime,
    /// When it was first seen with another key than the old one, if it was seen with that before.
    pub replaced: Option<UnixTime>,
}

/// A step of the rotation is not safe yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TooEarly {
    /// It is safe from this instant on.
    Until(UnixTime),
    /// The old key has signed these accounts. Sign them again with the new one first.
    Accounts(Vec<AccountKey>),
}

impl OperatorRotation {
    /// Starts a rotation: the operator's token has both keys since `introduced`, when it was given out. Tell the plan about **every** account next
    /// ([`observe`](Self::observe)).
    pub const fn start(old: OperatorKey, new: OperatorKey, introduced: UnixTime, times: RotationTimes) -> Self {
        Self { old, new, introduced, times, accounts: BTreeMap::new() }
    }

    /// Takes down which key has signed an account's token that is in the resolver at `now`. A token of another key that is older
    /// than the last one seen is ignored.
    ///
    /// # Errors
    ///
    /// If it is not the token of an account.
    pub fn observe(&mut self, account: &str, now: UnixTime) -> Result<(), TokenError> {
        let token = Token::<Account>::read(account.trim())?;
        let id = AccountKey::try_from(token.registered.subject).map_err(|error| TokenError::of_key("sub", error))?;
        let before = self.accounts.get(&id);
        let is_old = token.registered.issuer == *self.old.public_key();
        // An older token that the old key has signed counts: some resolver still gives it out.
        if !is_old && before.is_some_and(|before| before.issued_at > token.registered.issued_at) {
            return Ok(());
        }
        let replaced = match before {
            _ if is_old => None,
            Some(before) if before.signer == *self.old.public_key() => Some(now),
            // It may have been signed with the old key until just before it was seen for the first time.
            None => Some(now),
            Some(before) => before.replaced,
        };
        let (name, signer, issued_at) = (token.registered.name, token.registered.issuer, token.registered.issued_at);
        self.accounts.insert(id, AccountState { name, signer, issued_at, replaced });
        Ok(())
    }

    /// Returns the accounts, as they were last seen.
    pub fn accounts(&self) -> impl Iterator<Item = (&AccountKey, &AccountState)> {
        self.accounts.iter()
    }

    /// Returns the accounts that have to be signed again: those whose token the old key has signed.
    pub fn left(&self) -> impl Iterator<Item = &AccountKey> {
        let is_left = |state: &AccountState| state.signer == *self.old.public_key();
        self.accounts.iter().filter(move |(_, state)| is_left(state)).map(|(id, _)| id)
    }

    /// Whether accounts may be signed with the new key.
    ///
    /// # Errors
    ///
    /// The instant from which every verifier knows the new key.
    pub fn may_sign(&self, now: UnixTime) -> Result<(), TooEarly> {
        at_least(now, self.times.signs_from(self.introduced))
    }

    /// Whether the old key may leave the operator's token.
    ///
    /// # Errors
    ///
    /// The accounts that are left, or the instant from which no verifier uses a token that the old key has signed.
    pub fn may_leave(&self, now: UnixTime) -> Result<(), TooEarly> {
        let left: Vec<_> = self.left().copied().collect();
        if !left.is_empty() {
            return Err(TooEarly::Accounts(left));
        }
        // Without any account, verifiers still have to know the new key before the old one leaves.
        let last = self.accounts.values().filter_map(|state| state.replaced).max();
        let replaced = last.map_or(self.introduced, |last| self.times.leaves_from(last));
        at_least(now, replaced.max(self.times.signs_from(self.introduced)))
    }
}

fn at_least(now: UnixTime, earliest: UnixTime) -> Result<(), TooEarly> {
    if now >= earliest { Ok(()) } else { Err(TooEarly::Until(earliest)) }
}

impl fmt::Display for OperatorRotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old key {}", self.old)?;
        writeln!(f, "new key {}, in the operator's token since {}", self.new, self.introduced)?;
        writeln!(f, "1. from {}: sign these accounts with the new key", self.times.signs_from(self.introduced))?;
        for id in self.left() {
            let state = &self.accounts[id];
            writeln!(f, "   {id} {:?}, iat {}", state.name, state.issued_at)?;
        }
        if self.left().next().is_none() {
            writeln!(f, "   none is left of {}", self.accounts.len())?;
        }
        match self.may_leave(UnixTime::from_secs(0)) {
            Err(TooEarly::Until(earliest)) => {
                write!(f, "2. from {earliest}: remove the old key from the operator's token")
            }
            _ => write!(f, "2. after that, wait, and then remove the old key from the operator's token"),
        }
    }
}

impl fmt::Display for TooEarly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Until(earliest) => write!(f, "this is safe from {earliest} (Unix time) on: wait until then"),
            Self::Accounts(accounts) => {
                write!(
                    f,
                    "the old key has signed {} accounts: sign them again with the new one first:",
                    accounts.len()
                )?;
                accounts.iter().try_for_each(|id| write!(f, " {id}"))
            }
        }
    }
}

impl std::error::Error for TooEarly {}

#[cfg(test)]
mod tests;
