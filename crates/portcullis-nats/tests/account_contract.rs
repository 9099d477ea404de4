//! The contract of resolvers of accounts, for each of ours.
#![cfg(feature = "chain")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "account_contract/directory.rs"]
mod directory;
#[cfg(feature = "http")]
#[path = "account_contract/http.rs"]
mod http;
#[path = "account_contract/memory.rs"]
mod memory;
#[cfg(feature = "nats")]
#[path = "account_contract/nats.rs"]
mod nats;
#[cfg(feature = "nats")]
#[path = "support/nats_kit.rs"]
mod nats_kit;
#[cfg(feature = "http")]
#[path = "support/web.rs"]
mod web;
