//! [`ApiTokenPlace`]: where API tokens are stored, and the faults that can happen to them there.

use std::{fmt, future::Future};

use portcullis_issuer::api_tokens::{ApiTokenId, ApiTokenStore};

use super::Possible;

/// Where API tokens are stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`ApiTokenStoreContract::without`](super::ApiTokenStoreContract::without).
pub trait ApiTokenPlace {
    /// The store.
    type Store: ApiTokenStore;

    /// Opens a handle to the store, like another instance of the issuer.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Writes something in the place of a row that a later version of the store may have written. Indexes still name it.
    fn overwrite(&mut self, id: ApiTokenId) -> impl Future<Output = Possible> + Send;

    /// Kills the process that keeps the store, like `kill -9`, and starts it again. No handles are open at that time.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes the store unreachable for all handles, like a network that is cut or a disk that is not mounted.
    fn cut_off(&mut self) -> impl Future<Output = Possible> + Send;

    /// Ends what [`cut_off`](Self::cut_off) did.
    fn reconnect(&mut self) -> impl Future<Output = ()> + Send;
}

/// A fault that can happen to a store: the methods of [`ApiTokenPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiTokenSwitch {
    /// [`ApiTokenPlace::overwrite`].
    Overwrite,
    /// [`ApiTokenPlace::crash`].
    Crash,
    /// [`ApiTokenPlace::cut_off`].
    CutOff,
}

impl fmt::Display for ApiTokenSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overwrite => "overwrite a row",
            Self::Crash => "crash",
            Self::CutOff => "be cut off",
        })
    }
}
