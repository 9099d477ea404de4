//! Core.

mod clock;
mod key;

pub use clock::{Clock, SystemClock, UnixTime};
pub use key::{Algorithm, AlgorithmSet, UnknownAlgorithm};
