//! JWT authentication middleware for Tower, axum and hyper.
//!
//! The primary type in this crate is [`AuthLayer`]. It finds the bearer token in a request, verifies it, and passes the request with a
//! verified, typed token to the inner service. If the token is missing or invalid, the layer answers itself.
//!
//! ```
//! use axum::{Router, routing::get};
//! use portcullis::requirement::scope;
//! use portcullis::{Algorithm, AuthLayer, Claims, JwtAuthenticator, KeySet, RequireLayer, Secret, TrustedIssuer};
//!
//! async fn me(claims: Claims) -> String {
//!     claims.subject().unwrap_or("unknown").to_owned()
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
//! | `axum` | yes | extractors and rejections for axum 0.8; without it, the layer still works with any tower service |
//! | `tracing` | yes | log events for refusals and faults; they never contain a token: see [Logs](#logs) |
//! | `jwks` | no | keys from an identity provider: [`oidc`], [`provider`], [`RemoteKeys`] |
//! | `body-limit` | no | refuses request bodies that are longer than a claim of the caller allows: [`body_limit`] |
//! | `content-digest` | no | checks bodies against `Content-Digest` (RFC 9530), so that a signature over the head covers them: [`content_digest`] |
//! | `form` | no | tokens in form-encoded bodies (RFC 6750 section 2.2): [`FormBody`] |
//! | `metrics`, `opentelemetry` | no | export the [`metrics`] through the crate of that name |
//! | `revocation` | no | endpoints that revoke: [`BackChannelLogout`], [`RevocationApi`] |
//! | `utoipa` | no | the `security` part of an OpenAPI document made with utoipa ([`openapi`]) |
//!
//! The minimum Rust version is 1.88. Other crates of the family: [`portcullis-store`](https://docs.rs/portcullis-store) keeps revocations
//! that hold on every instance, and [`portcullis-test`](https://docs.rs/portcullis-test) is for your service's tests. This crate builds
//! on [`portcullis-jwks`](https://docs.rs/portcullis-jwks) and [`portcullis_core`]. The repository has
//! [examples](https://github.com/portcullis-rs/portcullis/tree/main/examples) and, for contributors, the
//! [architecture](https://github.com/portcullis-rs/portcullis/blob/main/ARCHITECTURE.md) and the [reasons for
//! it](https://github.com/portcullis-rs/portcullis/blob/main/DESIGN.md).
//!
//! # Where to find what
//!
//! **Trust issuers and their keys**
//!
//! - Trust an issuer: [`TrustedIssuer`]; several: [`JwtAuthenticator::trusting`]; a list that changes at run time:
//!   [`Issuers`](issuers::Issuers).
//! - Trust an identity provider in one line: [`oidc`], or a preset of [`provider`] for a well-known one (feature `jwks`).
//! - Keys: [`KeySet`] (fixed), [`KeyRing`] (rotation at run time), [`KeyFile`] (a watched file), [`RemoteKeys`] (an identity provider's
//!   keys).
//! - Another kind of credential: [`Authenticator`](authenticator::Authenticator), with an example at [`Proven`](authenticator::Proven).
//!   An [`Admission`] around it caches and checks revocation. Several kinds side by side: [`Dispatch`](authenticator::Dispatch).
//!
//! **Identify the caller**
//!
//! - Your own claims: [`JwtAuthenticator::claims`], then [`Claims<C>`](Claims) in a handler. Without a layer: [`FromState`].
//! - Anonymous requests: [`AuthLayer::optional`] and `Option<Claims>`.
//! - Users, applications, and actors for others: [`Principal`]; the requirement `user()` and similar ones in [`requirement`].
//! - Tokens from a cookie, HTTP header, query or WebSocket: [`location`], [`AuthLayer::at`], [`AuthLayer::or_at`].
//!
//! **Authorize requests**
//!
//! - Require scopes, roles or other conditions: [`requirement`], with a [`RequireLayer`], a [`Guard`] or an [`AccessTable`].
//! - Limit the body of a request to what the caller may send: [`body_limit`].
//!
//! **Shape the responses**
//!
//! - In your own words everywhere: [`BearerChallenge::body`](rejection::BearerChallenge::body), set by [`AuthLayer::challenge`]; by the layer alone:
//!   [`AuthLayer::rejection`] with a closure or [`GrpcStatus`](rejection::GrpcStatus). Every code is in [`codes`].
//! - Nonces for proofs of possession, before clients need them: [`nonce`].
//! - Where clients get tokens: [`ResourceMetadata`](metadata::ResourceMetadata) (RFC 9728).
//! - Refusals to be counted: the [`Code`] in the response's extensions, with an [example](rejection).
//! - Why a request is refused, check by check and guards included: [`Explainer`](explain::Explainer); a token alone: [`Admission::explain`].
//!
//! **Revoke tokens before they expire**
//!
//! - Refuse revoked tokens: [`Admission::revocations`], with a log of revocations from the crate `portcullis-store`.
//! - Log the caller out: "Log out" in [`recipes`]. Log users out who log out at the identity provider: [`BackChannelLogout`]. Let
//!   an administrator revoke: [`RevocationApi`].
//!
//! **Operate and test**
//!
//! - Metrics for dashboards and alarms: [`metrics`], enabled with [`AuthLayer::telemetry`].
//! - Tracing, rate limits, audit logs and API documents: [`recipes`], and [`openapi`] for utoipa.
//! - Tests of your service: the crate `portcullis-test`, [`AuthLayer::assertion`], [`Admission::clock`].
//!
//! # Guarantees
//!
//! - A request reaches a handler only with a verified credential. There are two exceptions: a request without any credential, if the
//!   layer is optional, and a CORS preflight, if the layer [lets them through](AuthLayer::danger_pass_preflights). Guards refuse
//!   both, and so do extractors, except that `Option<Claims>` admits the former. [`portcullis_core`] lists what is checked, and in
//!   which order.
//! - If we cannot decide, the answer is 503, never 401 or 403, and the request never passes.
//! - No token, secret or claim value appears in a log, an error, a `Debug` output or a response.
//! - There is no process-wide state, except for the rate limit of log events for lasting faults and the numbers of threads that count.
//!   The only thread is that of a watched key file; the only tasks are those that fetch keys.
//!
//! # Logs
//!
//! With the feature `tracing`, events have the target `portcullis`; those of `portcullis-jwks` and `portcullis-store` have
//! `portcullis_jwks` and `portcullis_store`. No event contains a token, a secret or a claim's value; a keyed fingerprint distinguishes
//! tokens.
//!
//! - `debug`: each refusal, with `code` and the reason in `error`. Refusals are hidden by default, because clients cause them.
//! - `info`: keys were replaced.
//! - `warn`: we could not decide about a request; a key file cannot be used.
//! - `error`: the service is misconfigured; a revocation could not be stored durably.
//!
//! Each verification is a span `auth.verify` at `debug`, with `code`, `issuer` (only a trusted one) and `token_fingerprint`. There is no
//! span for a cached credential.
//!
//! To see why requests are refused, show `debug` of this target: `RUST_LOG=info,portcullis=debug` with the `EnvFilter` of
//! tracing-subscriber. A fault that affects every request is logged at most once a second, with the number of events `withheld` since;
//! those are at `debug`. Text from issuers and clients is [escaped](text::LogText).
//!
//! # Scope
//!
//! This crate authenticates and authorizes requests that present a token. It does not log users in, does not issue or refresh tokens, and
//! stores neither sessions nor revocations. It does not support proof of possession (`DPoP`, mTLS), introspection or encrypted tokens. It
//! does not protect against CSRF, and does not limit rates.
//!
//! [`oidc`]: https://docs.rs/portcullis/latest/portcullis/fn.oidc.html
//! [`provider`]: https://docs.rs/portcullis/latest/portcullis/provider/index.html
//! [`RemoteKeys`]: https://docs.rs/portcullis/latest/portcullis/struct.RemoteKeys.html
//! [`body_limit`]: https://docs.rs/portcullis/latest/portcullis/body_limit/index.html
//! [`content_digest`]: https://docs.rs/portcullis/latest/portcullis/content_digest/index.html
//! [`FormBody`]: https://docs.rs/portcullis/latest/portcullis/location/form/struct.FormBody.html
//! [`BackChannelLogout`]: https://docs.rs/portcullis/latest/portcullis/revocation/back_channel_logout/struct.BackChannelLogout.html
//! [`RevocationApi`]: https://docs.rs/portcullis/latest/portcullis/revocation/api/struct.RevocationApi.html
//! [`openapi`]: https://docs.rs/portcullis/latest/portcullis/openapi/index.html
//! [`recipes`]: https://docs.rs/portcullis/latest/portcullis/recipes/index.html
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod access_table;
#[cfg(feature = "body-limit")]
pub mod body_limit;
pub mod codes;
#[cfg(feature = "content-digest")]
pub mod content_digest;
mod context;
pub mod explain;
#[cfg(feature = "axum")]
pub mod extract;
mod grammar;
pub mod guard;
mod key_file;
pub mod layer;
pub mod location;
pub mod metadata;
pub mod metrics;
pub mod nonce;
#[cfg(feature = "utoipa")]
pub mod openapi;
#[cfg(any(feature = "content-digest", feature = "form"))]
pub mod read_body;
pub mod rejection;
pub mod requirement;
pub mod revocation;
#[cfg(feature = "tracing")]
mod sparse;
mod telemetry;
#[cfg(any(feature = "content-digest", feature = "form", feature = "revocation"))]
mod whole_body;

pub use access_table::AccessTable;
pub use context::AuthContext;
#[cfg(feature = "axum")]
pub use extract::{Claims, FromState};
pub use guard::{Guard, RequireLayer};
pub use keys::KeyFile;
pub use layer::AuthLayer;
pub use portcullis_core::{
    Admission, Algorithm, AuthError, Code, ConfigError, JwtAuthenticator, KeyRing, KeySet, Principal, Secret,
    TrustedIssuer, Verified, admission, authenticator, claims, clock, error, floors, issuers, policy, possession,
    subjects, text, token, verified,
};
#[cfg(feature = "jwks")]
pub use portcullis_jwks::{RemoteKeys, oidc, provider};
pub use requirement::Requirement;

/// Keys that verify signatures: key sets, key sources, and their errors.
pub mod keys {
    pub use portcullis_core::keys::*;
    #[cfg(feature = "jwks")]
    pub use portcullis_jwks::{
        Fetch, FetchError, FetchErrorKind, Health, HttpClient, MAX_DOCUMENT_LEN, OnDemandKeys, RemoteKeys,
        RemoteKeysBuilder, Snapshot, TenantKeys,
    };

    pub use crate::key_file::{KeyFile, Reload};
}

#[cfg(all(any(doc, doctest), feature = "axum"))]
#[doc = include_str!("../docs/recipes.md")]
pub mod recipes {}

#[cfg(all(doctest, feature = "axum", feature = "jwks"))]
#[doc = include_str!("../README.md")]
mod readme {}
