//! The proof of possession of requests over HTTP: a signature for this one request.
//!
//! ```text
//! GET /orders/42?full=1 HTTP/1.1
//! Authorization: NatsUser eyJ0eXAi…
//! Nats-Proof: v=1; ts=1795319823; nonce=AAAAAGr…; id=s3xPZr0b2m8sU1ssiVYx7w; sig=…
//! ```
//!
//! The signature is over the origin of the service, method, path and query, nonce, time, id, the token, and the digest of the body if the
//! request has one in `Content-Digest` (RFC 9530). A proof is of no use for another request, nor a second time.
//!
//! **Without a `Content-Digest`, the body is not signed**, and with one, someone has to compare it with the body:
//! `ProofVerifier::require_content_digest` and `ContentDigestLayer` of `portcullis` do that together.
//!
//! What is signed begins with the byte `0xff` and has zero bytes in it. **A client of NATS signs every text that a server calls a nonce**, so
//! a hostile nats-server could otherwise obtain proofs from those who connect to it. A nonce travels in JSON, which cannot have such a byte.
//!
//! No other stack speaks this format. `portcullis-nats-client` signs requests in Rust; in another language it takes about thirty lines:
//! [`Signed::octets`] says exactly what is signed.

mod error;
mod header;
mod origin;
mod signed;
#[cfg(feature = "chain")]
mod verifier;

#[cfg(feature = "chain")]
pub(crate) use self::{
    signed::token_digest,
    verifier::{Checked, Replay, replayed},
};
pub use error::{ProofError, ProofErrorKind};
pub use header::{Proof, is_nonce};
pub use origin::Origin;
pub use signed::{RequestId, Signed};
#[cfg(feature = "chain")]
pub use verifier::{Freshness, ProofVerifier};

/// The HTTP header with the proof.
pub const HEADER: &str = "Nats-Proof";

/// The HTTP header in which a service gives a nonce.
pub const NONCE_HEADER: &str = "Nats-Nonce";

/// The scheme in `Authorization` under which the user's token is presented.
pub const SCHEME: &str = "NatsUser";

/// The HTTP header in which a caller may bring the account's token along.
pub const ACCOUNT_HEADER: &str = "Nats-Account";
