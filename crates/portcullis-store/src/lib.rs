//! State of Portcullis that outlives a process: revocations that hold on every instance of a service.
//!
//! The primary type in this crate is [`Revocations`]: it follows a log of revocations and keeps the view of it that requests are
//! checked against, without any I/O, and it is what an application revokes with.
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
//! revocations.require(Duration::from_secs(5)).await?; // what is revoked is known
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
//! # Which log
//!
//! | log | feature | for | survives `kill -9` of |
//! |---|---|---|---|
//! | [`MemoryLog`] | none | tests | nothing |
//! | `RedbLog` | `redb` | one instance on one machine: a file, no server | the service |
//! | `RedisLog` | `redis` | several instances that have Redis or Valkey | the service, and Redis if its log of writes is on |
//! | `JetStreamLog` | `nats` | several instances that have NATS | the service and NATS |
//! | `PostgresLog` | `postgres` | several instances that have PostgreSQL | the service and PostgreSQL |
//!
//! Each says in its documentation which settings of its server lose acknowledged writes, and warns about them at the start
//! ([`RevocationHealth::warnings`]). A log of one's own is a [`RevocationLog`](portcullis_core::revocation::RevocationLog) that passes the
//! contract tests of `portcullis-test`.
//!
//! # What is promised
//!
//! - [`Revocations::revoke`] returns `Ok` once the revocation is durable in the log, to every caller; it holds on this instance even before.
//!   An append is skipped only for what the log is known to hold, while the view is fresh.
//! - While the log takes no writes, up to 100 000 revocations wait for it; more are refused. Reading goes on meanwhile, and within a second of
//!   the log's return the view is confirmed again.
//! - Every instance that reaches the log enforces it as soon as it has read it, which is a matter of milliseconds
//!   ([`RevocationHealth::lag`] measures it, by one entry a second that revokes nothing); or knows that it may not: a view that the log has not confirmed for `max_staleness` (5 s) is
//!   stale, and the route decides what that means ([`WhenStale`](portcullis_core::revocation::WhenStale): 503 by default).
//! - Nothing that was revoked comes back to life on an instance that runs: not by a log that is trimmed, rolled back or lost, not by one that
//!   cannot be reached. One that starts later knows what the log has then, and what the instances that run append to it anew: each the
//!   newest 100 000 that it has made or answered for.
//! - All instances on one log have the same horizon. One with a longer one remembers what the others wrote by its own, but a log in a file or
//!   in PostgreSQL forgets by that of who wrote.
//! - There is no un-revoke. A revocation has spread and been acted upon before anybody could take it back; what lets a user in
//!   again is a new token, issued after the cut-off. (A key that was revoked by mistake gets a new id.)
//!
//! # Features
//!
//! One for each log that needs a library, none of them on by default: a service compiles the one that it uses. `tracing`
//! (default): events for what an operator wants to know. (At the level `trace`, the clients of some servers write whole messages into
//! logs, ids of sessions and subjects included: leave theirs at `info`.)
#![cfg_attr(docsrs, feature(doc_cfg))]

mod memory;
#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "redis")]
mod redis;
mod revocations;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
mod secrecy;
mod telemetry;

pub use memory::MemoryLog;
#[cfg(feature = "nats")]
pub use nats::JetStreamLog;
#[cfg(feature = "postgres")]
pub use postgres::PostgresLog;
#[cfg(feature = "redb")]
pub use redb::RedbLog;
#[cfg(feature = "redis")]
pub use redis::RedisLog;
pub use revocations::{
    EndOfIdentity, Ended, Events, RevocationEvent, RevocationGauge, RevocationHealth, Revocations, RevocationsBuilder,
};

/// The longest life of a token whose revocation a log remembers unless set otherwise: the longest that the large identity providers give
/// access tokens by default.
const DEFAULT_HORIZON: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
