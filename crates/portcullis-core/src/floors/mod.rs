//! [`FloorStore`]: the newest time that was ever seen for each name, so that an older document is not accepted in place of a newer one.
//!
//! Someone who restores an old copy of a directory, or serves one on purpose, brings back what was revoked since then. A floor prevents that:
//! it is the issue time (`iat`) of the newest document that was accepted for a name, such as the token of a NATS account. A document that is
//! older than its floor is refused, also after a restart, if the floors are in a store that outlives the process.
//!
//! Floors are loaded once, at start, and compared in memory. A floor is raised before the newer document is used.
//!
//! [`MemoryFloors`] ends with the process. `portcullis-store` has floors in a file.

mod error;
mod memory;
mod shared;

use std::{collections::HashMap, fmt, future::Future, sync::Arc};

pub use error::{FloorError, FloorErrorKind};
pub use memory::MemoryFloors;
pub use shared::SharedFloors;

use crate::UnixTime;

/// How many names a store has at most by default: only names that a trusted party has signed get in, and an operator with more accounts has
/// to say so.
pub const DEFAULT_LIMIT: usize = 100_000;

/// The length of the longest name, in bytes.
pub const MAX_NAME_LEN: usize = 256;

/// Keeps the newest time that was ever seen for each name.
///
/// Implement it for another kind of storage, and run the contract tests of `portcullis-test` on it. The rules:
///
/// - A floor only rises: a lower time changes nothing, in whatever order times arrive.
/// - [`raise`](Self::raise) returns only when the floor is durable. After an error, it may be raised or not.
/// - [`load`](Self::load) returns every floor that was raised and not reset. What cannot be read is an error, never an empty answer: without its
///   floors, a service would accept old documents.
/// - A new name in a store that has as many names as it may have is an error ([`FloorErrorKind::Full`]), and no other name is dropped for it.
///   Names that are known can still be raised.
/// - A name is 1 to [`MAX_NAME_LEN`] bytes of any text, compared exactly ([`check_name`]).
/// - Futures may be dropped at any await.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no floors",
    note = "use `MemoryFloors`, or a store of the crate `portcullis-store` that outlives the process"
)]
pub trait FloorStore: fmt::Debug + Send + Sync + 'static {
    /// Returns all floors by their names. Called once, at start.
    fn load(&self) -> impl Future<Output = Result<HashMap<String, UnixTime>, FloorError>> + Send;

    /// Raises the floor of `name` to `time`, unless it is higher. Returns the floor afterwards: if it is later than `time`, another instance
    /// has seen a newer document.
    fn raise(&self, name: &str, time: UnixTime) -> impl Future<Output = Result<UnixTime, FloorError>> + Send;

    /// Forgets the floor of `name`, on an operator's demand: an older document is then accepted again. Returns the floor that was forgotten.
    /// Instances that run have loaded it, and use it until they are restarted.
    fn reset(&self, name: &str) -> impl Future<Output = Result<Option<UnixTime>, FloorError>> + Send;
}

/// Checks a name for a store.
///
/// # Errors
///
/// [`FloorErrorKind::BadName`] if it is empty or longer than [`MAX_NAME_LEN`].
pub fn check_name(name: &str) -> Result<(), FloorError> {
    match name.len() {
        1..=MAX_NAME_LEN => Ok(()),
        len => Err(FloorError::bad_name(len)),
    }
}

impl<S: FloorStore> FloorStore for Arc<S> {
    fn load(&self) -> impl Future<Output = Result<HashMap<String, UnixTime>, FloorError>> + Send {
        (**self).load()
    }

    fn raise(&self, name: &str, time: UnixTime) -> impl Future<Output = Result<UnixTime, FloorError>> + Send {
        (**self).raise(name, time)
    }

    fn reset(&self, name: &str) -> impl Future<Output = Result<Option<UnixTime>, FloorError>> + Send {
        (**self).reset(name)
    }
}
