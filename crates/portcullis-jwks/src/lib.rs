//! Keeps the keys of an identity provider fresh, and answers "which key signed this token?".
//!
//! The primary type in this crate is [`RemoteKeys`]: a [`KeySource`](portcullis_core::keys::KeySource) that fetches a JWK Set
//! (RFC 7517) from a URL, or from where an issuer's metadata says it is, and keeps it fresh in the background.
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
//! For the large identity providers there are [presets](provider), which know more of them than a name tells. Services that use the
//! crate `portcullis` get all of this by its feature `jwks`.
//!
//! # The rules
//!
//! - **Freshness.** As long as `Cache-Control: max-age` says, between a minute and a day; ten minutes if it says nothing.
//!   `ETag`s are used. At 80 % of that time, a tenth sooner or later, the set is fetched anew. No request waits for it.
//! - **Unknown key.** A token that names a key which is not in the set makes the set be fetched, or joins the fetch under way,
//!   waits at most 2 s, and is then judged by the new set.
//! - **Cool-down.** Tokens may cause a fetch every 30 s, and two at once after a quiet time. Meanwhile a token with an unknown key
//!   is answered at once, however many there are, and a token whose key is known never waits for anything. The answer is a refusal
//!   (401) if a fetch that began after the key was first named has succeeded and did not bring it. Otherwise the key may be new, and
//!   the answer is "we could not decide" (503) with `Retry-After`. A key that a fetch did not bring is looked for again after
//!   a cool-down, then after twice as long, up to five minutes; any change of the set ends that.
//! - **Same id, new key.** A bad signature under a known key id makes the set be fetched too, once in five minutes for each id, and
//!   is refused in between.
//! - **No id.** A token without a key id that no key of the set has signed asks for the key that signed it, and the two rules above
//!   apply: a fetch, then a refusal at once, and 503 if no fetch has looked since it first came. It is remembered by a keyed hash of
//!   its text, so another token without an id is not refused because of it.
//! - **Keys that moved.** The metadata are asked for once a day, and again before the next fetch when one did not bring the key that
//!   it was made for: the issuer may publish its keys somewhere else by now, while the place from before still answers.
//! - **Outage.** While the set cannot be fetched, the keys from before stay in use, up to an hour past their freshness. After
//!   that, tokens are answered with "we could not decide" (503), never with a refusal. The set is tried again after 1 s, 2 s, …
//!   30 s, for ever, and at most 5 s apart while no key can be used; later if the issuer asks for it (`Retry-After`), up to five
//!   minutes, while tokens may still cause an attempt.
//! - **Bad answers** never replace good keys: another status than 200, a redirect, another type than JSON, compressed, more than 512 KiB or
//!   100 keys, no key that can be used, a private key or a secret among them. One odd key among others is skipped, with a warning.
//! - **Exposed keys.** A key whose private half was published is dropped at once, and not used again, however it is published from
//!   then on: everybody may have it. The issuer has to make another one. A snapshot remembers that.
//! - **Where to.** HTTPS, or this machine itself; 2 s to connect, 5 s for an attempt, no redirects. The issuer's metadata must name
//!   the very issuer that was configured, and may not lead to this machine, to an address that is not in the Internet, or to a name of a
//!   private network (of one label, or under `.svc`, `.internal`, `.local` or `.home.arpa`), unless the issuer is there itself.
//!   Both rules can be lifted for one host: see [`danger_allow_http`](RemoteKeysBuilder::danger_allow_http) and
//!   [`danger_allow_private`](RemoteKeysBuilder::danger_allow_private).
//!
//! One task per source does all of this; it ends with the last handle. Sources do not know of each other, so an issuer that is slow
//! or down does not touch another one's tokens. Requests that wait do so on that task: one that is dropped takes nothing with it.
//!
//! Time is the runtime's (`tokio::time`), so that a test lets hours pass at once: see the scripted identity provider in
//! `portcullis-test`. It stands still while the machine sleeps; keys then seem younger by as much, until the next refresh. A set
//! is too old at its time also if the task does not run.
//!
//! # Features
//!
//! `reqwest` (default): the client, [`HttpClient`]. Without it, bring your own [`Fetch`]. `tracing` (default): events for the
//! operator.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
#[cfg(feature = "reqwest")]
mod client;
mod discovery;
mod document;
mod driver;
mod error;
mod fetch;
mod freshness;
mod health;
mod key_document;
mod machine;
mod measured;
#[cfg(feature = "reqwest")]
mod oidc;
mod on_demand;
mod origin;
pub mod provider;
mod remote_keys;
mod snapshot;
mod telemetry;
mod url;
mod zone;

/// The README, so that its example is compiled.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../README.md")]
struct Readme;

pub use builder::RemoteKeysBuilder;
#[cfg(feature = "reqwest")]
pub use client::HttpClient;
pub use error::{FetchError, FetchErrorKind};
pub use fetch::{Fetch, MAX_DOCUMENT_LEN};
pub use health::Health;
#[cfg(feature = "reqwest")]
pub use oidc::oidc;
pub use on_demand::OnDemandKeys;
pub use remote_keys::RemoteKeys;
pub use snapshot::Snapshot;
