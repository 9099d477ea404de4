//! Signs HTTP requests for callers with NATS credentials.
//!
//! The primary type in this crate is [`ProofSigner`], which signs a request as [`portcullis_nats::proof`] describes it. Any client that
//! accepts an [`http::Request`], such as reqwest, can send it. The marked line signs:
//!
//! ```no_run
//! use portcullis_nats_client::{Clock, Creds, ProofSigner, SystemClock};
//!
//! # async fn example(client: reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
//! let creds = Creds::parse(&std::fs::read_to_string("alice.creds")?)?;
//! let signer = ProofSigner::new(&creds, "https://api.example.com")?;
//!
//! let request = || http::Request::get("https://api.example.com/orders/7").body("");
//! let mut signed = request()?;
//! signer.sign_request(&mut signed, SystemClock.now())?; // this line
//! let mut answer = client.execute(signed.try_into()?).await?;
//!
//! // The first answer is 401 with the nonce for the next proofs: sign the request again, and send it once more.
//! if signer.remember(answer.status(), answer.headers()) {
//!     let mut again = request()?;
//!     signer.sign_request(&mut again, SystemClock.now())?;
//!     answer = client.execute(again.try_into()?).await?;
//! }
//! # drop(answer);
//! # Ok(())
//! # }
//! ```
//!
//! For clients that are Tower services, such as hyper-util's, a [`ProofLayer`](layer::ProofLayer) (feature `tower`, on by default) signs each
//! request, and repeats it once if the service asks for a nonce. With [`ProofLayer::renew`](layer::ProofLayer::renew), it also renews the user's token before it
//! expires.
//!
//! # Rules
//!
//! 1. A signer is for one origin, and refuses to sign a request for another one: that server could forward the proof. A URI without a host (`/orders`) is
//!    signed, so send it only to that origin.
//! 2. The proof covers the method, the path with the query, and the token. It covers the body if the request has a `Content-Digest`: add
//!    [`content_digest`]. A change after signing, such as a followed redirect, invalidates the proof.
//! 3. A proof can be used once. Sign a request again before it is repeated.
//! 4. A nonce of an answer is used for all requests until an answer brings another one: pass every answer to [`ProofSigner::remember`].
//! 5. A service without a resolver of accounts needs the account's token, too: set it with [`ProofSigner::staple`], and replace it before it is older than the
//!    service accepts.
//! 6. HTTP headers with the token and the proof are marked as sensitive, and `Debug` shows neither.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod destination;
mod digest;
mod error;
mod headers;
#[cfg(feature = "tower")]
pub mod layer;
mod signer;

pub use portcullis_core::{Clock, ConfigError, UnixTime, clock::SystemClock};
pub use portcullis_nats::creds::{Creds, CredsError, CredsErrorKind};

pub use self::{
    digest::content_digest,
    error::{SignError, SignErrorKind},
    headers::ProofHeaders,
    signer::ProofSigner,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
