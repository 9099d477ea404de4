//! Test kit for services guarded by Portcullis: an issuer that lives in the test, and can also do wrong.
//!
//! The primary type of this crate is [`MockIssuer`]. It signs tokens with keys of its own, and your service trusts it as
//! it would any issuer: nothing is switched off, nothing leaves the process. So a first test is three lines:
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
//! | what is tested | with |
//! |---|---|
//! | who may do what | [`MockIssuer::token`]: subject, scopes, roles, any claim; [`TokenBuilder::bearer`] for a request |
//! | what is refused | [`TokenBuilder::defect`] with each of [`Defect::ALL`] |
//! | a handler or guard by itself | [`TokenBuilder::verified`]: an identity without cryptography; guards run as ever |
//! | expiry | [`FixedClock`] in issuer and service |
//! | key rotation | [`MockIssuer::rotate`], [`MockIssuer::retire_old`] |
//! | a service that fetches keys | `MockIssuer::serve` (feature `server`) |
//! | your own log of revocations | `contract::RevocationLogContract` (feature `contract`) |
//! | an identity provider that is slow, down, or sends nonsense | `provider::ScriptedProvider` (feature `provider`) |
//!
//! What cannot be set up panics with the reason: a test that cannot be set up has failed.
//!
//! Only ever a dev-dependency, for `tests/` folders and examples: the fixed RSA keys in it are known to everyone.
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
