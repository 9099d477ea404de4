//! API tokens: made, checked, replaced and ended.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod attenuation;
mod checks;
mod environments;
mod everywhere;
mod explained;
mod house;
mod imported;
mod junk;
mod leaks;
mod lifecycle;
mod owners;
mod races;
mod recording;
mod reports;
mod rotation;
mod rungs;
mod scanners;
mod settings;
mod trouble;
mod warnings;
