//! [`RefreshPlace`]: where sessions are stored, and the faults that can happen to them there.

use std::{fmt, future::Future, time::Duration};

use portcullis_issuer::refresh::{FamilyId, RefreshStore};

use super::Possible;

/// Where sessions are stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`RefreshStoreContract::without`](super::RefreshStoreContract::without).
pub trait RefreshPlace {
    /// The store.
    type Store: RefreshStore;

    /// Opens a handle to the store, like another instance of the issuer.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Makes a family older: moves its `rotated_at`, `idle_until` and `absolute_until` back by this much, as if the time had passed.
    fn age(&mut self, family: FamilyId, by: Duration) -> impl Future<Output = ()> + Send;

    /// Writes this text in the place of a family's row, like a later version of the store, or damage. If it is a row of this version
    /// ([`Family::to_json`](portcullis_issuer::refresh::Family::to_json)), the row can be read again; what is stored beside it, such as its end,
    /// stays.
    fn overwrite(&mut self, family: FamilyId, text: &str) -> impl Future<Output = Possible> + Send;

    /// Kills the process that keeps the store, like `kill -9`, and starts it again. No handles are open at that time.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes a backup of the store, for [`roll_back`](Self::roll_back).
    fn save(&mut self) -> impl Future<Output = Possible> + Send;

    /// Restores the backup.
    fn roll_back(&mut self) -> impl Future<Output = Possible> + Send;
}

/// A fault that can happen to a store: the methods of [`RefreshPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshSwitch {
    /// [`RefreshPlace::overwrite`].
    Overwrite,
    /// [`RefreshPlace::crash`].
    Crash,
    /// [`RefreshPlace::save`] and [`RefreshPlace::roll_back`].
    RollBack,
}

impl fmt::Display for RefreshSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overwrite => "overwrite a row",
            Self::Crash => "crash",
            Self::RollBack => "roll back",
        })
    }
}
