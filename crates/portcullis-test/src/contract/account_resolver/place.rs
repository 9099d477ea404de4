//! [`AccountPlace`]: where accounts are, and what can happen to them there.

use std::{fmt, future::Future};

use portcullis_nats::{
    accounts::AccountResolver,
    nkey::{AccountKey, KeyPair},
};

use crate::contract::Possible;

/// Where accounts are, as the contract's tests see it.
///
/// If something cannot happen there, return [`Possible::No`], and declare it with the reason by
/// [`AccountResolverContract::without`](super::AccountResolverContract::without).
pub trait AccountPlace {
    /// The resolver.
    type Resolver: AccountResolver;

    /// Returns a resolver that looks there.
    fn open(&self) -> impl Future<Output = Self::Resolver> + Send;

    /// Returns the key that signs the accounts.
    fn operator(&self) -> &KeyPair;

    /// Puts the token of an account there, in place of an earlier one.
    fn put(&mut self, id: &AccountKey, token: &str) -> impl Future<Output = ()> + Send;

    /// Removes an account.
    fn remove(&mut self, id: &AccountKey) -> impl Future<Output = Possible> + Send;

    /// Makes the place unreachable for all resolvers, like a network that is cut.
    fn cut_off(&mut self) -> impl Future<Output = Possible> + Send;

    /// Ends what [`cut_off`](Self::cut_off) did.
    fn reconnect(&mut self) -> impl Future<Output = ()> + Send;
}

/// Something that can happen: the methods of [`AccountPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountSwitch {
    /// [`AccountPlace::remove`].
    Remove,
    /// [`AccountPlace::cut_off`].
    CutOff,
}

impl fmt::Display for AccountSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Remove => "remove accounts",
            Self::CutOff => "be cut off",
        })
    }
}
