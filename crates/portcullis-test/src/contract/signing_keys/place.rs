//! [`SigningKeysPlace`]: where the document of a key ring is stored, and the faults that can happen to it there.

use std::{fmt, future::Future};

use portcullis_issuer::key_ring::SigningKeys;

use super::Possible;

/// Where the document of a key ring is stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`SigningKeysContract::without`](super::SigningKeysContract::without).
pub trait SigningKeysPlace {
    /// The store.
    type Store: SigningKeys;

    /// Opens a handle to the store, like another instance of the issuer.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Kills the process that keeps the store, like `kill -9`, and starts it again. No handles are open at that time.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes the store unreachable for all handles, like a network that is cut or a disk that is not mounted.
    fn cut_off(&mut self) -> impl Future<Output = Possible> + Send;

    /// Ends what [`cut_off`](Self::cut_off) did.
    fn reconnect(&mut self) -> impl Future<Output = ()> + Send;
}

/// A fault that can happen to a store: the methods of [`SigningKeysPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SigningKeysSwitch {
    /// [`SigningKeysPlace::crash`].
    Crash,
    /// [`SigningKeysPlace::cut_off`].
    CutOff,
}

impl fmt::Display for SigningKeysSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Crash => "crash",
            Self::CutOff => "be cut off",
        })
    }
}
