//! [`RecordPlace`]: where records are stored, and the faults that can happen to them there.

use std::{fmt, future::Future, time::Duration};

use portcullis_issuer::records::{RecordKey, RecordStore};

use super::Possible;

/// Where records are stored, as the contract's tests see it.
///
/// Every method that causes a fault has to be implemented. If the fault cannot happen there, return [`Possible::No`], and declare it with
/// the reason by [`RecordStoreContract::without`](super::RecordStoreContract::without).
pub trait RecordPlace {
    /// The store.
    type Store: RecordStore;

    /// Opens a handle to the store, like another instance of the issuer.
    fn open(&self) -> impl Future<Output = Self::Store> + Send;

    /// Moves the clock of all handles on by this much. If the store has the clock of a server, this does nothing: the contract waits.
    fn pass(&mut self, time: Duration) -> impl Future<Output = ()> + Send;

    /// Writes something in the place of a record that a later version of the store may have written, or damage.
    fn overwrite(&mut self, key: &RecordKey) -> impl Future<Output = Possible> + Send;

    /// Kills the process that keeps the store, like `kill -9`, and starts it again. No handles are open at that time.
    fn crash(&mut self) -> impl Future<Output = Possible> + Send;

    /// Makes the store unreachable for all handles, like a network that is cut or a disk that is not mounted.
    fn cut_off(&mut self) -> impl Future<Output = Possible> + Send;

    /// Ends what [`cut_off`](Self::cut_off) did.
    fn reconnect(&mut self) -> impl Future<Output = ()> + Send;
}

/// A fault that can happen to a store: the methods of [`RecordPlace`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordSwitch {
    /// [`RecordPlace::overwrite`].
    Overwrite,
    /// [`RecordPlace::crash`].
    Crash,
    /// [`RecordPlace::cut_off`].
    CutOff,
}

impl fmt::Display for RecordSwitch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overwrite => "overwrite a record",
            Self::Crash => "crash",
            Self::CutOff => "be cut off",
        })
    }
}
