//! Contract tests: the rules of a trait, as tests for any implementation.

mod expiry;
mod faults;
mod foreign;
mod instance;
mod life;
mod order;
mod place;
mod reader;
mod revocation_log;

pub use place::{LogPlace, Possible, Switch};
pub use reader::LogReader;
pub use revocation_log::RevocationLogContract;
