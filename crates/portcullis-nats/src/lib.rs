//! Verifies and mints NATS JSON Web Tokens along the chain of trust: an operator signs accounts, an account signs users, and a user proves
//! possession of a key. It needs no nats-server.
//!
//! The primary type in this crate is [`TrustChain`](https://docs.rs/portcullis-nats/latest/portcullis_nats/struct.TrustChain.html), an authenticator for the layer of
//! `portcullis`. The guide, with a whole service and a client, is
//! [NATS identities over HTTP in ten minutes](https://github.com/portcullis-rs/portcullis/blob/main/docs/nats.md).
//!
//! | module | feature | what it has |
//! |---|---|---|
//! | [`nkey`] | | keys |
//! | [`token`], [`claims`] | | tokens, and their content |
//! | [`creds`] | | the file with a user's token and key |
//! | [`proof`] | | how a request proves possession of a key |
//! | `chain`, `accounts` | `chain` (on by default) | decisions about users, and where the tokens of their accounts come from: memory, directories, callers |
//! | `accounts` | `http` | accounts from an account server |
//! | `accounts` | `nats` | accounts from nats-servers, over the system account |
//! | `mint` | `mint` | new tokens, and changes of accounts |
//! | `rotation`, `server_config`, `files`, `nsc`, `inspect` | `mint` | tools for administrators of operators and accounts |
//! | `enrol` | `mint` | short-lived users of NATS for callers with other credentials |
//!
//! The feature `tracing` (on by default) emits events for what an operator wants to know. The minimum Rust version is 1.88, and 1.89 with `nats`.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "chain")]
pub mod accounts;
#[cfg(feature = "chain")]
pub mod chain;
pub mod claims;
pub mod connect;
pub mod creds;
#[cfg(feature = "mint")]
pub mod enrol;
#[cfg(feature = "mint")]
pub mod files;
#[cfg(feature = "mint")]
pub mod inspect;
#[cfg(feature = "mint")]
pub mod mint;
pub mod nkey;
#[cfg(feature = "mint")]
pub mod nsc;
pub mod proof;
#[cfg(feature = "mint")]
pub mod rotation;
#[cfg(feature = "mint")]
pub mod server_config;
#[cfg(feature = "chain")]
mod telemetry;
pub mod token;

#[cfg(feature = "chain")]
mod trust_chain;

#[cfg(feature = "chain")]
pub use trust_chain::{Isolated, NotIsolated, TrustChain, TrustChainBuilder};

#[cfg(all(doctest, feature = "mint"))]
#[doc = include_str!("../README.md")]
mod readme {}
