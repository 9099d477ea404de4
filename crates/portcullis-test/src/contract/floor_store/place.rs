//! [`FloorPlace`]: where floors are stored, and the faults that can happen to them there.

use std::{fmt, future::Future};

use portcullis_core::floors::FloorStore;

use super::Possible;

/// Where floors are stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`FloorStoreContract::without`](super::FloorStoreContract::without).
pub trait FloorPlace {
    /// The store.
    type Store: FloorStore;

    /// Opens a handle to the store. If only one process can have it, handles may share it.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Opens another store, which is empty, with room for this many names.
    fn open_small(&self, names: usize) -> impl Future<Output = Self::Store> + Send;

    /// Kills the process that keeps the store, like `kill -9`, and starts it again. No handles are open at that time.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes the store unreachable for all handles, like a network that is cut.
    fn cut_off(&mut self) -> impl Future<Output = Possible> + Send;

    /// Ends what [`cut_off`](Self::cut_off) did.
    fn reconnect(&mut self) -> impl Future<Output = ()> + Send;
}

/// A fault that can happen to a store: the methods of [`FloorPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FloorSwitch {
    /// [`FloorPlace::crash`].
    Crash,
    /// [`FloorPlace::cut_off`].
    CutOff,
}

impl fmt::Display for FloorSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::CutOff => "be cut off",
        })
    }
}
