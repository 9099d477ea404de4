//! Mints JSON Web Tokens, as an issuer of your own.
//!
//! The primary type in this crate is [`TokenIssuer`]. It is made from a
//! [`TokenSpec`](portcullis_core::policy::TokenSpec), from which services derive what they accept, and a [`Signer`]: a [`SigningKey`] in
//! memory, or a key that lives elsewhere.
//!
//! ```
//! use portcullis_core::{Algorithm, policy::TokenSpec};
//! use portcullis_issuer::{AccessToken, SigningKey, TokenIssuer};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
//! let issuer = TokenIssuer::new(spec, SigningKey::generate(Algorithm::EdDsa)?)?;
//! let minted = issuer.mint(&AccessToken::for_user("alice", "web").scope("orders:read")).await?;
//! assert_eq!(minted.token().split('.').count(), 3);
//! # Ok(())
//! # }
//! ```
//!
//! Sessions with refresh tokens are in [`refresh`]; keys that are replaced by a plan are in [`key_ring`]; the key
//! set and the metadata that an issuer publishes are in [`documents`]. An OAuth 2 authorization server in your own program is in [`server`], its
//! routes for axum in `routes` (feature `axum`), and the stores of what it keeps in [`records`].
//!
//! # What is promised
//!
//! - Tokens are access tokens of RFC 9068: `typ` is `at+jwt`, and `iss`, `sub`, `aud`, `client_id`, `iat`, `exp` and `jti` are always there.
//! - A token never outlives the lifetime of the specification, nor the end of its session ([`AccessToken::ends_by`]).
//! - A token that is longer than the specification allows is not minted; the error names its largest claim.
//! - A signature that services could not read (such as one in DER form) is an error at minting.
//! - No key and no token is in an error or in `Debug` output. On Unix, a private key's file that others can read is refused;
//!   elsewhere, permissions are not checked.
//!
//! Algorithms, keys and signatures are those of `aws-lc-rs`, called directly: a key is prepared once, and no choice of features in another
//! crate can change or break it.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "api-tokens")]
pub mod api_tokens;
mod date;
pub mod documents;
pub mod key_ring;
mod millis;
mod mint;
pub mod records;
pub mod refresh;
#[cfg(feature = "axum")]
pub mod routes;
pub mod server;
mod signer;
mod signing_key;
mod space_separated;
mod store_error;
mod tasks;

pub use mint::{AccessToken, ActingParty, LogOutToken, MintError, MintErrorKind, Minted, TokenIssuer};
pub use signer::{
    Choosing, CurrentSigner, SignError, SignErrorKind, Signature, Signer, Signing, WaitingForSignature,
    WaitingForSigner,
};
pub use signing_key::{SigningKey, SigningKeyError, SigningKeyErrorKind};
pub use store_error::StoreError;

/// What names an organisation that owns API tokens, where others have the name of a user or an application. No user has such a name.
pub(crate) const ORGANISATION: &str = "organisation:";

#[cfg(all(doctest, feature = "axum"))]
#[doc = include_str!("../README.md")]
mod readme {}

#[cfg(all(doctest, feature = "axum", feature = "api-tokens"))]
#[doc = include_str!("../../../docs/api-tokens.md")]
mod guide {}
