//! [`ReplayPlace`]: where used proofs are stored, and the faults that can happen to them there.

use std::{fmt, future::Future};

use portcullis_core::possession::ReplayStore;

use super::Possible;

/// Where used proofs are stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`ReplayStoreContract::without`](super::ReplayStoreContract::without).
pub trait ReplayPlace {
    /// The store.
    type Store: ReplayStore;

    /// Opens a handle to the store, like another instance of the service.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Kills the process that keeps the store, like `kill -9`, and starts it again.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes the store unreachable for all handles, like a network that is cut.
    fn cut_off(&mut self) -> impl Future<Output = Possible> + Send;

    /// Ends what [`cut_off`](Self::cut_off) did.
    fn reconnect(&mut self) -> impl Future<Output = ()> + Send;

    /// Makes the store full, so that it has no room for another id. It stays full.
    fn fill(&mut self) -> impl Future<Output = Possible> + Send;
}

/// A fault that can happen to a store: the methods of [`ReplayPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplaySwitch {
    /// [`ReplayPlace::crash`].
    Crash,
    /// [`ReplayPlace::cut_off`].
    CutOff,
    /// [`ReplayPlace::fill`].
    Fill,
}

impl fmt::Display for ReplaySwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::CutOff => "be cut off",
            Self::Fill => "be filled",
        })
    }
}
