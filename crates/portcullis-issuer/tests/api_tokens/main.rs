//! API tokens: made, checked, replaced and ended.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod at_once;
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
mod room;
mod rotation;
mod rungs;
mod scanners;
mod settings;
mod timing;
mod trouble;
mod warnings;
