//! Carries out what a source's [`Machine`](crate::machine::Machine) decides: one task fetches, and requests wait for it.

mod shared;
mod task;
mod waiting;

use std::time::Instant;

pub(crate) use shared::Shared;
pub(crate) use task::Task;

/// Returns the time of the runtime's clock, which tests can move.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
