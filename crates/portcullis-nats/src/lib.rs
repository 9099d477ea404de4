//! Verifies and mints NATS JSON Web Tokens along the chain of trust: an operator signs accounts, an account signs users, and a user proves
//! possession of a key. It needs no nats-server.
//!
//! The primary type in this crate is `TrustChain`, an authenticator for the layer of `portcullis`. The guide is in `docs/nats.md` of the
//! repository.
//!
//! - [`nkey`] has the keys, [`token`] the form of tokens, [`claims`] what they say, [`creds`] the file that users get, and [`proof`]
//!   how a request proves possession of a key.
//! - `TrustChain` (feature `chain`, on by default) lets users into a service. Behind it, `chain` decides about them, and `accounts` says where the
//!   tokens of their accounts come from.
//! - `mint` (feature `mint`) makes tokens; `rotation`, `server_config`, `files`, `nsc` and `inspect` (the same feature) are for those who
//!   administer operators and accounts; `enrol` gives authenticated callers short users of NATS.
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

#[cfg(all(doctest, feature = "mint"))]
#[doc = include_str!("../../../docs/nats.md")]
mod guide {}
