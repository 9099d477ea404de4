//! Test kit for services guarded by Portcullis: a mock issuer that can also make defective tokens.
//!
//! The primary type of this crate is [`MockIssuer`]. It signs tokens with its own keys, and your service trusts it like any other issuer:
//! verification stays on, and nothing leaves the process. So a first test takes three lines:
//!
//! ```
//! # use portcullis_core::{Admission, JwtAuthenticator};
//! # use portcullis_core::authenticator::Attempt;
//! # use portcullis_test::MockIssuer;
//! let issuer = MockIssuer::new();
//! let service = Admission::new(JwtAuthenticator::new(issuer.trusted())?); // or the layer around your router
//! assert!(matches!(service.verify(&issuer.token().subject("alice").sign()), Attempt::Done(Ok(_))));
//! # Ok::<(), portcullis_core::ConfigError>(())
//! ```
//!
//! In a service that depends on `portcullis`, write `portcullis::` for `portcullis_core::` in the examples of this crate: it re-exports
//! these names, in modules of the same names.
//!
//! | what is tested | with |
//! |---|---|
//! | authorization | [`MockIssuer::token`]: subject, scopes, roles, any claim; [`TokenBuilder::bearer`] for a request |
//! | refusals | [`TokenBuilder::defect`] with each of [`Defect::ALL`] |
//! | a handler or guard alone | [`TokenBuilder::verified`]: an identity without cryptography; guards work as usual |
//! | expiry | [`FixedClock`] in issuer and service |
//! | key rotation | [`MockIssuer::rotate`], [`MockIssuer::retire_old`] |
//! | a service that fetches keys | `MockIssuer::serve` (feature `server`) |
//! | your own log of revocations | `contract::RevocationLogContract` (feature `contract`) |
//! | your own store of used proofs or of floors, or issuer of nonces | `contract::ReplayStoreContract`, `FloorStoreContract`, `NonceIssuerContract` (feature `contract`) |
//! | an identity provider that is slow, down, or sends invalid responses | `provider::ScriptedProvider` (feature `provider`) |
//!
//! If a function cannot do its work, it panics with the reason, because a test that cannot be set up has failed.
//!
//! Use this crate only as a dev-dependency, for `tests/` folders and examples: its fixed RSA keys are public.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod base64url;
mod clock;
#[cfg(feature = "contract")]
pub mod contract;
mod defect;
mod issuer;
mod json;
mod key;
mod must;
#[cfg(feature = "provider")]
pub mod provider;
#[cfg(feature = "server")]
pub mod server;
mod token;

pub use clock::FixedClock;
pub use defect::Defect;
pub use issuer::{MockIssuer, MockKeys};
pub use token::TokenBuilder;

/// The README, so that its examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
