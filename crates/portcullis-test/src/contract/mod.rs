//! Contract tests: what whoever implements a seam has to keep, as tests that can be run on any implementation.

mod place;
mod reader;
mod revocation_log;

pub use place::{LogPlace, Possible};
pub use revocation_log::RevocationLogContract;
