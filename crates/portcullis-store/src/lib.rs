//! State of Portcullis that outlives a process: revocations that apply on every instance of a service.
//!
//! The primary type in this crate is [`Revocations`]. It follows a log of revocations and keeps a view of it in memory;
//! requests are checked against this view without any I/O. An application also revokes with this type.
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::Code;
//! use portcullis_core::revocation::Revocation;
//! use portcullis_store::{MemoryLog, Revocations};
//! use portcullis_test::MockIssuer;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let log = MemoryLog::new(); // in production: a log that outlives the process, see below
//! let revocations = Revocations::builder(log).start()?;
//! revocations.require(Duration::from_secs(5)).await?; // now the view is complete
//!
//! let issuer = MockIssuer::new();
//! let admission = issuer.admission().revocations(&revocations);
//! let token = issuer.token().subject("alice").claim("sid", "s-17").sign();
//! assert!(admission.verify(&token).outcome().await.is_ok());
//!
//! revocations.revoke(Revocation::session(issuer.name(), "s-17")).await?; // she logs out
//! let refused = admission.verify(&token).outcome().await.unwrap_err();
//! assert_eq!(refused.code(), Code::TokenRevoked);
//! # Ok(())
//! # }
//! ```
//!
//! In a service that depends on `portcullis`, write `portcullis::` for `portcullis_core::` in the examples of this
//! crate: it re-exports these names, in modules of the same names.
//!
//! # Which log
//!
//! - [`MemoryLog`] is for tests. It ends with the process.
//! - `RedbLog` (feature `redb`) is a file, for one instance on one machine. It survives `kill -9` of the service.
//! - `RedisLog` (feature `redis`) is for several instances that use Redis or Valkey. It survives `kill -9` of the service,
//!   and of Redis if its append-only file is on.
//! - `JetStreamLog` (feature `nats`) is for several instances that use NATS. It survives `kill -9` of the service and of
//!   NATS.
//! - `PostgresLog` (feature `postgres`) is for several instances that use PostgreSQL. It survives `kill -9` of the service
//!   and of PostgreSQL.
//!
//! The documentation of each log says with which settings its server loses acknowledged writes; the log warns about
//! such settings when it starts ([`RevocationHealth::warnings`]). You can write a log of your own: a
//! [`RevocationLog`](portcullis_core::revocation::RevocationLog) that passes the contract tests of `portcullis-test`.
//!
//! # What an issuer keeps
//!
//! With the feature `issuer`, sessions and their refresh tokens are kept in the same places: `RedbRefreshStore`, `RedisRefreshStore`,
//! `NatsRefreshStore` and `PostgresRefreshStore` are stores for `portcullis_issuer::refresh::Sessions`. All but the one in NATS also keep the
//! document of a key ring: `signing_keys()` returns the place. Codes, consents, clients and what else an authorization server keeps are records, in the
//! same places: `records()` returns the store. With the feature `api-tokens`, `api_tokens()` of the stores in a file, Redis and PostgreSQL returns a store
//! for API tokens.
//!
//! # Proofs of possession
//!
//! Several instances that check proofs share a store of used proofs, so that each proof is accepted once: `RedisReplayStore` and
//! `PostgresReplayStore` (features of the same names) are stores for
//! [`ReplayStore`](portcullis_core::possession::ReplayStore). `FileFloors` (on Unix) and `RedbFloors` (feature `redb`) keep
//! [floors](portcullis_core::floors), against documents that are older than those seen before.
//!
//! # What is promised
//!
//! - [`Revocations::revoke`] returns `Ok` only once the revocation is durable in the log; on this instance it applies
//!   even earlier. The append is skipped only for what is known to be in the log, and only while the view is fresh.
//! - While the log does not accept writes, up to 100 000 revocations wait for it; further ones are refused. Reading
//!   continues meanwhile, and within a second after the log is back, the view is confirmed again.
//! - Every instance that reaches the log applies a revocation as soon as it has read it, usually within milliseconds
//!   ([`RevocationHealth::lag`] measures this, with one entry per second that revokes nothing). An instance also knows
//!   when it may be missing something: a view that the log has not confirmed for `max_staleness` (5 s) is stale, and
//!   the route decides what happens then ([`WhenStale`](portcullis_core::revocation::WhenStale): 503 by default).
//! - Revocations are never undone on a running instance: not if the log is trimmed, rolled back or lost, nor if it
//!   cannot be reached. An instance that starts later knows what the log then contains, including what the running
//!   instances append to it again: each appends the newest 100 000 that it has made or confirmed.
//! - All instances on one log must have the same horizon. An instance with a longer one uses its own horizon for
//!   entries that the others wrote, but a log in a file or in PostgreSQL forgets each entry by the horizon of its
//!   writer.
//! - A revocation cannot be undone. It would have spread and taken effect before anyone could take it back. To let a
//!   user in again, issue a new token after the cut-off. (A key that was revoked by mistake gets a new id.)
//!
//! # Features
//!
//! There is one feature for each log that needs a library. None of them is on by default: a service compiles only the
//! one that it uses. `tracing` (default) reports events for operators. (At the level `trace`, the clients of some
//! servers log whole messages, including ids of sessions and subjects: leave their level at `info`.)
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "api-tokens")]
mod api_tokens;
#[cfg(any(feature = "postgres", feature = "redis", all(feature = "issuer", feature = "nats")))]
mod configuration;
#[cfg(any(unix, feature = "redb"))]
mod floors;
mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "issuer")]
mod records;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "issuer")]
mod refresh;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod replay;
mod revocations;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
mod secrecy;
#[cfg(feature = "issuer")]
mod signing_keys;
mod telemetry;

#[cfg(all(feature = "api-tokens", feature = "postgres"))]
pub use api_tokens::PostgresApiTokenStore;
#[cfg(all(feature = "api-tokens", feature = "redb"))]
pub use api_tokens::RedbApiTokenStore;
#[cfg(all(feature = "api-tokens", feature = "redis"))]
pub use api_tokens::RedisApiTokenStore;
#[cfg(unix)]
pub use floors::FileFloors;
#[cfg(feature = "redb")]
pub use floors::RedbFloors;
pub use memory::MemoryLog;
#[cfg(feature = "nats")]
pub use nats::JetStreamLog;
#[cfg(feature = "postgres")]
pub use postgres::PostgresLog;
#[cfg(all(feature = "issuer", feature = "nats"))]
pub use records::NatsRecordStore;
#[cfg(all(feature = "issuer", feature = "postgres"))]
pub use records::PostgresRecordStore;
#[cfg(all(feature = "issuer", feature = "redb"))]
pub use records::RedbRecordStore;
#[cfg(all(feature = "issuer", feature = "redis"))]
pub use records::RedisRecordStore;
#[cfg(feature = "redb")]
pub use redb::RedbLog;
#[cfg(feature = "redis")]
pub use redis::RedisLog;
#[cfg(all(feature = "issuer", feature = "nats"))]
pub use refresh::NatsRefreshStore;
#[cfg(all(feature = "issuer", feature = "postgres"))]
pub use refresh::PostgresRefreshStore;
#[cfg(all(feature = "issuer", feature = "redis"))]
pub use refresh::RedisRefreshStore;
#[cfg(all(feature = "issuer", feature = "redb"))]
pub use refresh::{RedbRefreshStore, RedbRefreshStoreBuilder};
#[cfg(feature = "postgres")]
pub use replay::PostgresReplayStore;
#[cfg(feature = "redis")]
pub use replay::RedisReplayStore;
pub use revocations::{
    EndOfIdentity, Ended, Events, RevocationEvent, RevocationGauge, RevocationHealth, Revocations, RevocationsBuilder,
};

#[cfg(all(feature = "issuer", feature = "postgres"))]
pub use signing_keys::PostgresSigningKeys;
#[cfg(all(feature = "issuer", feature = "redb"))]
pub use signing_keys::RedbSigningKeys;
#[cfg(all(feature = "issuer", feature = "redis"))]
pub use signing_keys::RedisSigningKeys;

/// The longest lifetime of tokens whose revocations a log remembers by default: the longest default lifetime of access
/// tokens at the large identity providers.
const DEFAULT_HORIZON: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
