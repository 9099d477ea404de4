//! What is decided about a source of keys. Nothing here waits or fetches.

pub(crate) mod absent_keys;
pub(crate) mod attempts;
pub(crate) mod cool_down;
pub(crate) mod held;
pub(crate) mod schedule;
