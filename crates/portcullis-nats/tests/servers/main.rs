//! Real nats-servers decide as we do: about what we mint, and about the test vectors.
#![cfg(feature = "mint")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test may panic, and says what it chose")]

mod account_server;
mod enrolled;
#[path = "../support/nats_py.rs"]
mod nats_py;
mod ours;
mod permission_sets;
mod python;
mod raw;
mod vectors;

use real_servers::{NatsProgram, is_missing};

/// The servers to try: the installed one, which is Debian's 2.9, and a recent one.
fn programs() -> Vec<NatsProgram> {
    let installed = (!is_missing("nats-server")).then(NatsProgram::installed);
    installed.into_iter().chain(NatsProgram::recent()).collect()
}
