//! What is done for a source of keys, as its [`Machine`](crate::machine::Machine) says: the one task fetches, requests wait.

mod shared;
mod task;
mod waiting;

use std::time::Instant;

pub(crate) use shared::Shared;
pub(crate) use task::Task;

/// The runtime's clock, which tests move.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
