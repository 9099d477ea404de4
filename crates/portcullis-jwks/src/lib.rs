//! Fetches the keys of an identity provider, keeps them fresh, and finds the key that signed a token.
//!
//! The primary type in this crate is [`RemoteKeys`]: a [`KeySource`](portcullis_core::keys::KeySource) that fetches a JWK Set (RFC 7517)
//! from a URL, or from the URL in an issuer's metadata, and keeps it fresh in the background.
//!
//! ```no_run
//! use portcullis_core::{Admission, JwtAuthenticator};
//! use portcullis_jwks::oidc;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), portcullis_core::ConfigError> {
//! let issuer = oidc("https://login.example.com")?.audience("https://orders.example.com");
//! let admission = Admission::new(JwtAuthenticator::new(issuer)?); // for an `AuthLayer`
//! # Ok(())
//! # }
//! ```
//!
//! There are [presets](provider) for well-known identity providers, which also know where each provider differs from the standards.
//! Services that use the crate `portcullis` get all of this through its feature `jwks`.
//!
//! # The rules
//!
//! - **Freshness.** A set is fresh for the time in `Cache-Control: max-age`, between a minute and a day; ten minutes if there is none.
//!   `ETag`s are used. The set is fetched again at 80 % of that time, plus or minus a tenth. No request waits for this.
//! - **Unknown key.** A token that names a key which is not in the set triggers a fetch, or joins the fetch in progress, waits at most 2
//!   s, and is then checked against the new set.
//! - **Cool-down.** Tokens may trigger one fetch every 30 s, and two in a row after a quiet time. During the cool-down, a token with an
//!   unknown key is answered at once, however many there are; a token whose key is known never waits. The answer is a refusal (401) if a
//!   fetch that began after the key was first named has succeeded without finding it. Otherwise the key may be new, and the answer is "we
//!   could not decide" (503) with `Retry-After`. A key that a fetch did not find is looked up again after one cool-down, then after twice
//!   that time, and so on, up to five minutes; any change of the set resets this.
//! - **Same id, new key.** An invalid signature under a known key id also triggers a fetch, once in five minutes for each id. Such tokens
//!   are refused in between.
//! - **No id.** A token without a key id that no key of the set has signed asks for the key that signed it, and the rules for cool-downs
//!   and for the same id apply: a fetch, then an immediate refusal, or 503 if no fetch has looked since the token first arrived. The
//!   source remembers a keyed hash of the token's text, so another token without an id is not refused because of it.
//! - **Keys that moved.** The metadata are fetched once a day. They are also fetched before the next fetch of the set if the last one did
//!   not find the key that it was made for: the issuer may publish its keys at a new URL while the old one still answers.
//! - **Outage.** While the set cannot be fetched, the previous keys stay in use, up to an hour past their freshness. After that, tokens
//!   are answered with "we could not decide" (503), never with a refusal. Fetches are retried after 1 s, 2 s, … 30 s, without end, and at
//!   most 5 s apart while no key can be used. If the issuer asks for it (`Retry-After`), retries wait longer, up to five minutes; tokens
//!   may still trigger an attempt.
//! - **Bad answers** never replace good keys: another status than 200, a redirect, another type than JSON, a compressed body, more than
//!   512 KiB or 100 keys, no usable key, or a set that contains a private key or a secret. Single unusable keys are skipped, with a
//!   warning.
//! - **Exposed keys.** A key whose private half was published is dropped at once. It is never used again, however it is published later,
//!   because anyone may have it. The issuer has to create a new key. A snapshot keeps this information.
//! - **Allowed URLs.** HTTPS, or this machine itself; 2 s to connect, 5 s for an attempt, no redirects. The issuer's metadata must name
//!   exactly the issuer that was configured. It may not lead to this machine, to an address outside the public Internet, or to a name of
//!   a private network (with one label, or under `.svc`, `.internal`, `.local` or `.home.arpa`), unless the issuer is there itself.
//!   Exceptions for one host are possible: see [`danger_allow_http`](RemoteKeysBuilder::danger_allow_http) and
//!   [`danger_allow_private`](RemoteKeysBuilder::danger_allow_private).
//!
//! One task per source does all of this; it ends with the last handle. Sources are independent, so a slow or unreachable issuer does not
//! affect the tokens of others. Requests wait for that task, so dropping a request does not cancel a fetch.
//!
//! For a service with many tenants there is [`TenantKeys`]: its sources fetch nothing before their first token, end when they are not in use, share one
//! client, and take turns if more than 64 of them have to fetch at once.
//!
//! The source uses the runtime's time (`tokio::time`), so a test can let hours pass at once: see the scripted identity provider in
//! `portcullis-test`. This time stands still while the machine sleeps; keys then seem younger by that time, until the next refresh. A set
//! becomes too old on time even if the task does not run.
//!
//! # Features
//!
//! `reqwest` (default): the HTTP client, [`HttpClient`]. Without it, implement [`Fetch`] yourself. `tracing` (default): log events for
//! the operator.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
#[cfg(feature = "reqwest")]
mod client;
mod configured;
mod discovery;
mod document;
mod driver;
mod error;
mod fetch;
mod fetch_queue;
mod freshness;
mod health;
mod key_document;
mod machine;
mod measured;
#[cfg(feature = "reqwest")]
mod oidc;
mod on_demand;
mod origin;
mod outside;
pub mod provider;
mod remote_keys;
mod snapshot;
mod telemetry;
mod tenant_keys;
mod url;
mod zone;

/// The README, so that its example is compiled.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use builder::RemoteKeysBuilder;
#[cfg(feature = "reqwest")]
pub use client::HttpClient;
pub use configured::ConfiguredDocuments;
pub use error::{FetchError, FetchErrorKind};
pub use fetch::{DocumentLimit, Fetch, MAX_DOCUMENT_LEN};
pub use health::Health;
#[cfg(feature = "reqwest")]
pub use oidc::oidc;
pub use on_demand::OnDemandKeys;
pub use outside::{OutsideDocument, OutsideDocuments};
pub use remote_keys::RemoteKeys;
pub use snapshot::Snapshot;
pub use tenant_keys::TenantKeys;
