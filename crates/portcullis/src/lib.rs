//! Guards Tower, axum and hyper services with JSON Web Tokens.
//!
//! The primary type in this crate is [`AuthLayer`]: it finds the bearer token in a request, has it verified, and hands
//! the inner service a verified, typed token, or answers in its place.
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis::requirement::scope;
//! use portcullis::{Algorithm, AuthLayer, Claims, JwtAuthenticator, KeySet, RequireLayer, Secret, TrustedIssuer};
//!
//! async fn me(claims: Claims) -> String {
//!     claims.subject().unwrap_or("somebody").to_owned()
//! }
//!
//! fn app(secret: &str) -> Result<Router, Box<dyn std::error::Error>> {
//!     let keys = KeySet::from(Secret::from_base64("2026-11", Algorithm::Hs256, secret)?);
//!     let issuer = TrustedIssuer::new("https://login.example.com", keys).audience("https://orders.example.com");
//!     let auth = AuthLayer::new(JwtAuthenticator::new(issuer)?);
//!
//!     Ok(Router::new()
//!         .route("/me", get(me))
//!         .route("/orders", get(async || "orders").layer(RequireLayer::new(scope("orders:read"))))
//!         .layer(auth) // guards the routes above it
//!         .route("/health", get(async || "public")))
//! }
//! # assert!(app("C-vZ4nBNy0vL2pTjOj_4rUNdx6JjMSHg0Be9_yD60Cg").is_ok());
//! # assert!(app("c2hvcnQ").is_err());
//! ```
//!
//! # Install
//!
//! ```sh
//! cargo add portcullis
//! ```
//!
//! | feature | default | what |
//! |---|---|---|
//! | `axum` | yes | extractors and rejections for axum 0.8; the layer goes around any tower service without it |
//! | `tracing` | yes | events for refusals and faults, never with a token in them: see [Logs](#logs) |
//! | `jwks` | no | keys from an identity provider: [`oidc`], [`provider`], [`RemoteKeys`] |
//! | `form` | no | tokens in form-encoded bodies (RFC 6750 section 2.2): [`FormBody`] |
//! | `metrics`, `opentelemetry` | no | hand the figures of [`metrics`] to the crates of these names |
//! | `revocation` | no | services that revoke: [`BackChannelLogout`], [`RevocationApi`] |
//!
//! Rust 1.88. Other crates of the family: [`portcullis-store`](https://docs.rs/portcullis-store) keeps revocations that hold on every
//! instance, [`portcullis-test`](https://docs.rs/portcullis-test) is for the tests of your service,
//! [`portcullis-jwks`](https://docs.rs/portcullis-jwks) and [`portcullis_core`] are what this crate is built on. For those who work on it,
//! [how it is built](https://github.com/portcullis-rs/portcullis/blob/main/ARCHITECTURE.md) and
//! [why](https://github.com/portcullis-rs/portcullis/blob/main/DESIGN.md) are in the repository, with
//! [examples](https://github.com/portcullis-rs/portcullis/tree/main/examples).
//!
//! # Where to find what
//!
//! **Whose tokens, and with which keys**
//!
//! - Trust an issuer: [`TrustedIssuer`]; several: [`JwtAuthenticator::trusting`]; some that come and go: [`Issuers`](issuers::Issuers).
//! - Trust an identity provider in one line: [`oidc`], or for one of the large ones [`provider`] (feature `jwks`).
//! - Keys: [`KeySet`], [`KeyRing`] (rotation at run time), [`KeyFile`] (watched), [`RemoteKeys`] (an identity provider's).
//! - Another kind of credential: [`Authenticator`](authenticator::Authenticator), with an example at [`Proven`](authenticator::Proven). An [`Admission`] around it caches and checks
//!   revocation. Several kinds side by side: [`Dispatch`](authenticator::Dispatch).
//!
//! **Who is calling**
//!
//! - Your own claims: [`JwtAuthenticator::claims`], then [`Claims<C>`](Claims) in a handler. Without a layer: [`FromState`].
//! - Anonymous requests: [`AuthLayer::optional`] and `Option<Claims>`.
//! - Users, applications, and actors for others: [`Principal`], `user()` and its like in [`requirement`].
//! - Tokens from a cookie, HTTP header, query or WebSocket: [`location`], [`AuthLayer::at`], [`AuthLayer::or_at`].
//!
//! **What they may do**
//!
//! - Scopes, roles, anything: [`requirement`], by a [`RequireLayer`], a [`Guard`] or an [`AccessTable`].
//!
//! **What is answered**
//!
//! - In your own words everywhere: [`BearerChallenge::body`](rejection::BearerChallenge::body), set by [`AuthLayer::challenge`]; by the layer alone:
//!   [`AuthLayer::rejection`] with a closure or [`GrpcStatus`](rejection::GrpcStatus). Every code is in [`codes`].
//! - Where clients get tokens: [`ResourceMetadata`](metadata::ResourceMetadata) (RFC 9728).
//! - Refusals to be counted: the [`Code`] in the response's extensions, with an [example](rejection).
//! - Why a request is refused, check by check and guards included: [`Explainer`](explain::Explainer); a token alone: [`Admission::explain`].
//!
//! **Before tokens expire**
//!
//! - Refuse them: [`Admission::revocations`], and the crate `portcullis-store` for where revocations are kept.
//! - Log users out who log out at the identity provider: [`BackChannelLogout`]. Let an administrator revoke: [`RevocationApi`].
//!
//! **Around it**
//!
//! - Figures for dashboards and alarms: [`metrics`], by [`AuthLayer::telemetry`].
//! - Tracing, rate limits, audit logs and API documents: [`recipes`].
//! - Tests of your service: the crate `portcullis-test`, [`AuthLayer::assertion`], [`Admission::clock`].
//!
//! # What is promised
//!
//! - A request without a verified credential does not reach a handler, unless it has none at all and the layer is
//!   optional (or CORS preflights are [let through](AuthLayer::danger_pass_preflights)). No guard and no extractor lets it
//!   pass. What is checked, and in which order, is listed in [`portcullis_core`].
//! - "We could not decide" is 503, never 401 or 403, and never a pass.
//! - No token, secret or claim value gets into a log, an error, a `Debug` output or an answer.
//! - No process-wide state but what keeps a lasting fault from filling the log and the numbers of threads that count, no thread but that of a watched key file, and no task but that of keys that are fetched.
//!
//! # Logs
//!
//! With the feature `tracing` events have the target `portcullis`; those of `portcullis-jwks` and `portcullis-store` have
//! `portcullis_jwks` and `portcullis_store`. No event holds a token, a secret or a claim's value; a keyed fingerprint tells tokens
//! apart.
//!
//! - `debug`: each refusal, with `code` and the reason in `error`. Clients cause them, so they are not shown by default.
//! - `info`: keys were swapped.
//! - `warn`: we could not decide about a request; a key file cannot be used.
//! - `error`: the service is misconfigured; a revocation could not be made durable.
//!
//! A verification is a span `auth.verify` at `debug`, with `code`, `issuer` (one that is trusted) and `token_fingerprint`; a credential that is
//! remembered has none.
//!
//! To see why requests are refused, show `debug` of this target: `RUST_LOG=info,portcullis=debug` with the `EnvFilter` of
//! tracing-subscriber. A fault that every request meets is told at most once a second, with how often it was `withheld`
//! since; the others are at `debug`. Text that issuers and clients have chosen is [escaped](text::LogText).
//!
//! # Scope
//!
//! This crate decides about requests that present a token. It does not log anybody in, does not issue or refresh
//! tokens, and keeps neither sessions nor revocations. Proof of possession (`DPoP`, mTLS), introspection and encrypted tokens are not built. It
//! is no protection against CSRF, and limits no rates.
//!
//! [`oidc`]: https://docs.rs/portcullis/latest/portcullis/fn.oidc.html
//! [`provider`]: https://docs.rs/portcullis/latest/portcullis/provider/index.html
//! [`RemoteKeys`]: https://docs.rs/portcullis/latest/portcullis/struct.RemoteKeys.html
//! [`FormBody`]: https://docs.rs/portcullis/latest/portcullis/location/form/struct.FormBody.html
//! [`BackChannelLogout`]: https://docs.rs/portcullis/latest/portcullis/revocation/back_channel_logout/struct.BackChannelLogout.html
//! [`RevocationApi`]: https://docs.rs/portcullis/latest/portcullis/revocation/api/struct.RevocationApi.html
//! [`recipes`]: https://docs.rs/portcullis/latest/portcullis/recipes/index.html
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod access_table;
mod challenge;
pub mod codes;
mod context;
pub mod explain;
#[cfg(feature = "axum")]
pub mod extract;
pub mod guard;
mod key_file;
pub mod layer;
pub mod location;
pub mod metadata;
pub mod metrics;
pub mod rejection;
pub mod requirement;
pub mod revocation;
#[cfg(feature = "tracing")]
mod sparse;
mod telemetry;

pub use access_table::AccessTable;
pub use context::AuthContext;
#[cfg(feature = "axum")]
pub use extract::{Claims, FromState};
pub use guard::{Guard, RequireLayer};
pub use keys::KeyFile;
pub use layer::AuthLayer;
pub use portcullis_core::{
    Admission, Algorithm, AuthError, Code, ConfigError, JwtAuthenticator, KeyRing, KeySet, Principal, Secret,
    TrustedIssuer, Verified, admission, authenticator, claims, clock, error, issuers, policy, text, token, verified,
};
#[cfg(feature = "jwks")]
pub use portcullis_jwks::{RemoteKeys, oidc, provider};
pub use requirement::Requirement;

/// Keys that verify: sets of them, where they come from, and what can be wrong with them.
pub mod keys {
    pub use portcullis_core::keys::*;
    #[cfg(feature = "jwks")]
    pub use portcullis_jwks::{
        Fetch, FetchError, FetchErrorKind, Health, HttpClient, MAX_DOCUMENT_LEN, OnDemandKeys, RemoteKeys,
        RemoteKeysBuilder, Snapshot,
    };

    pub use crate::key_file::{KeyFile, Reload};
}

#[cfg(all(any(doc, doctest), feature = "axum"))]
#[doc = include_str!("../docs/recipes.md")]
pub mod recipes {}

#[cfg(all(doctest, feature = "axum", feature = "jwks"))]
#[doc = include_str!("../README.md")]
mod readme {}
