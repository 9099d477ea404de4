//! Signing keys that are replaced by a plan, on any number of instances.
//!
//! The primary type of this module is [`KeyRing`]. It signs for a [`TokenIssuer`](crate::TokenIssuer), and publishes the key set:
//!
//! ```
//! use portcullis_core::{Algorithm, policy::TokenSpec};
//! use portcullis_issuer::key_ring::{KeyRing, MemorySigningKeys, SealingKey};
//! use portcullis_issuer::{AccessToken, TokenIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = [7; 32];
//! let sealing = SealingKey::new(secret)?; // 32 random bytes from the configuration
//! let ring = KeyRing::builder(MemorySigningKeys::new(), Algorithm::Es256, sealing).start().await?;
//!
//! let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
//! let issuer = TokenIssuer::new(spec, ring.clone())?;
//! let minted = issuer.mint(&AccessToken::for_user("alice", "web")).await?;
//!
//! // the answer to `GET /.well-known/jwks.json`: the active key, and one on standby
//! let published = ring.published()?.expect("not secrets");
//! assert_eq!(published.cache_control(), "public, max-age=300");
//!
//! // too early: verifiers may not know the standby yet
//! let refused = ring.rotate().await.unwrap_err();
//! assert!(refused.earliest().is_some());
//! # Ok(())
//! # }
//! ```
//!
//! What is promised:
//!
//! - **All instances have the same keys.** They are one document, which changes by compare-and-swap: several instances that start at once
//!   make one key, not several.
//! - **A planned rotation refuses no token.** A key is published before it signs, and after it has signed, for as long as the [`KeyPlan`] says. A step
//!   that comes too early is refused, and the error names the time at which it is safe.
//! - **A leak costs no request.** There is always a standby, which signs at once when the active key is revoked. [`Timeline`] says what a
//!   leak would cost now.
//! - **A copy of the store signs nothing.** Private keys are sealed by a [`SealingKey`] that the store does not have.
//! - **What cannot be read is not replaced.** A document of a later version, or under another sealing key, is an error that says what to do. It never
//!   makes new keys.
//! - **What was changed by others is not read.** With a sealing key, a document carries a MAC over all of it, so that write access to the store
//!   changes no state and no time of a key. What it can do: remove the document, make it unreadable, or put back a whole earlier one.
//! - **A store that loses changes gets them back** from an instance that has read them, and an event says so. A revoked key stays revoked for as long as
//!   one of the instances that have read so still runs: they know an earlier document from a later one, also when the revoked key was
//!   forgotten, as its id is kept (the last 1000). If none of them runs when an earlier document is put back, revoke again.
//! - An instance that cannot read the document for a while fails closed: see [`KeyPlan::store_outage`].
//!
//! For several machines, `portcullis-store` has stores in Redis and PostgreSQL, and for one machine in a file of redb. For another place, implement [`SigningKeys`]: two methods for one text
//! with a version.

mod builder;
mod document;
mod error;
mod event;
#[cfg(unix)]
mod file;
mod health;
mod mac;
mod memory;
mod plan;
mod ring;
mod seal;
mod shared;
mod snapshot;
mod step;
mod store;
mod timeline;

pub use builder::{KeyRingBuilder, Rotation};
pub use document::{ForcedStep, RingDocument, RingKey, RingWarning};
pub use error::{KeyRingError, KeyRingErrorKind};
pub use event::KeyEvent;
#[cfg(unix)]
pub use file::FileSigningKeys;
pub use health::RingHealth;
pub use memory::MemorySigningKeys;
pub use plan::KeyPlan;
pub use ring::KeyRing;
pub use seal::{Sealing, SealingKey};
pub use store::{DocumentVersion, Replaced, SigningKeys, StoredDocument};
pub use timeline::Timeline;
