//! Contract tests: what whoever implements a seam has to keep, as tests that can be run on any implementation.

mod reader;
mod revocation_log;

pub use revocation_log::{LogPlace, Possible, RevocationLogContract};
