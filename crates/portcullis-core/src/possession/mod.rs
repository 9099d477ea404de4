//! Proof of possession: nonces for proofs, and the memory of proofs that were used.
//!
//! A proof shows that the client holds the key of its credential, for this one request. Two things keep a proof from being used by anyone
//! else, or later:
//!
//! - A [`NonceIssuer`] makes values that the client has to put into its proof, so that proofs cannot be made in advance (RFC 9449 section 8).
//!   [`SignedNonces`] keeps no state: several instances only share a secret.
//! - A [`ReplayStore`] accepts the id of a proof once (RFC 9449 section 11.1). [`MemoryReplayStore`] is for one instance; with several,
//!   each would accept a proof once. A shared store is in `portcullis-store`.
//!
//! An authenticator checks its proofs in this order: the nonce, the signature, and the id last. An id that was stored for a proof with a bad
//! signature could belong to another client's proof.
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::{
//!     UnixTime,
//!     possession::{MemoryReplayStore, NonceIssuer, Once, ReplayKey, ReplayStore, SignedNonces},
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (nonces, replays) = (SignedNonces::random()?, MemoryReplayStore::new());
//! let now = UnixTime::from_secs(1_800_000_000);
//!
//! let nonce = nonces.issue("https://api.example.com", now);
//! let until = nonces.check(nonce.as_str(), "https://api.example.com", now).until().expect("it was made just now");
//! assert_eq!(until, now.plus(Duration::from_secs(60)));
//! assert_eq!(nonces.check(nonce.as_str(), "https://other.example.com", now).until(), None);
//!
//! let accept = || replays.accept_once(ReplayKey::new("alice", "4f7c"), until, now).ready().expect("it never waits");
//! assert_eq!(accept()?, Once::First);
//! assert_eq!(accept()?, Once::Repeated);
//! # Ok(())
//! # }
//! ```

mod memory_replay_store;
mod nonce_issuer;
mod replay_key;
mod replay_store;
mod signed_nonces;

pub use memory_replay_store::MemoryReplayStore;
pub use nonce_issuer::{NonceCheck, NonceIssuer};
pub use replay_key::ReplayKey;
pub use replay_store::{Once, ReplayStore};
pub use signed_nonces::SignedNonces;
