//! The server, called by two client libraries that know only its URL, and by requests that no library would send.
#![cfg(test)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod guard;
mod node;
mod rust;
mod world;
