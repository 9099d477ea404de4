//! Keys that check signatures, prepared once.

mod algorithm;

pub use algorithm::{Algorithm, AlgorithmSet, UnknownAlgorithm};
