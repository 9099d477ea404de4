//! API tokens: made, checked, replaced and ended.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod attenuation;
mod checks;
mod explained;
mod house;
mod leaks;
mod lifecycle;
mod owners;
mod races;
mod rotation;
mod scanners;
mod trouble;
