//! What is done for a source of keys: it fetches, and has requests wait.

pub(crate) mod shared;
pub(crate) mod task;
pub(crate) mod waiting;
