//! [`ScriptedProvider`]: a scripted identity provider. It rotates its keys, responds slowly, fails and sends invalid responses when the test says so.
//!
//! Run it against your own service: pass it to [`RemoteKeys`](portcullis_jwks::RemoteKeys) as the [`Fetch`](portcullis_jwks::Fetch), on
//! virtual time, and let hours pass at once. Or let it listen on a socket (feature `server`).
//!
//! ```
//! use std::time::Duration;
//!
//! use portcullis_core::{Admission, JwtAuthenticator};
//! use portcullis_core::error::AuthErrorKind;
//! use portcullis_jwks::RemoteKeys;
//! use portcullis_test::provider::{Behaviour, ScriptedProvider};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
//! # runtime.block_on(async { // in a test: #[tokio::test(start_paused = true)]
//! let provider = ScriptedProvider::new();
//! let keys = RemoteKeys::discover(provider.issuer().name()).fetch(provider.clone()).start()?;
//! let service = Admission::new(JwtAuthenticator::new(provider.issuer().trusted_with(keys))?).clock(provider.clock());
//! let present = || service.verify(&provider.issuer().token().sign()).outcome();
//! assert!(present().await.is_ok());
//!
//! provider.behave(Behaviour::Status(503)); // an outage begins
//! tokio::time::sleep(Duration::from_secs(60 * 60)).await;
//! assert!(present().await.is_ok());
//! tokio::time::sleep(Duration::from_secs(60 * 60)).await;
//! assert_eq!(present().await.unwrap_err().kind(), AuthErrorKind::Unavailable); // 503, and never 401
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod behaviour;
mod clock;
mod fetch;
#[cfg(feature = "server")]
mod socket;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use behaviour::Behaviour;
pub use clock::VirtualClock;
use http::{HeaderValue, Request, header::IF_NONE_MATCH};
#[cfg(feature = "server")]
pub use socket::ScriptedProviderServer;

use self::answer::{Answer, Asked, Documents};
use crate::MockIssuer;

/// An identity provider that does what the test says. It is a handle: clones are the same provider.
///
/// See the [module docs](self) for an example.
#[derive(Clone)]
pub struct ScriptedProvider {
    issuer: MockIssuer,
    clock: VirtualClock,
    script: Arc<Mutex<Script>>,
}

struct Script {
    behaviour: Behaviour,
    /// Behaviours for the next requests, before it continues as above.
    next: Vec<Behaviour>,
    cache_control: Option<String>,
    etags: bool,
    /// The documents that a cache in front of the provider still has.
    frozen: Option<Documents>,
    key_set_fetches: usize,
    metadata_fetches: usize,
    not_modified: usize,
}

impl ScriptedProvider {
    /// Returns a provider that behaves normally, with a [`MockIssuer`] whose clock is virtual.
    pub fn new() -> Self {
        Self::of(MockIssuer::new())
    }

    /// Returns a provider with the keys and the name of this issuer. The times of its tokens come from the provider's
    /// [`clock`](Self::clock).
    pub fn of(issuer: MockIssuer) -> Self {
        let clock = VirtualClock::new();
        let script = Script {
            behaviour: Behaviour::Normal,
            next: Vec::new(),
            cache_control: None,
            etags: false,
            frozen: None,
            key_set_fetches: 0,
            metadata_fetches: 0,
            not_modified: 0,
        };
        Self { issuer: issuer.clock(clock.clone()), clock, script: Arc::new(Mutex::new(script)) }
    }

    /// Returns the issuer. It signs tokens; changes of its keys are published here.
    pub fn issuer(&self) -> &MockIssuer {
        &self.issuer
    }

    /// Returns the wall clock, for the service under test.
    pub fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    /// Behaves like this from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        let mut script = self.script();
        script.next.clear();
        script.behaviour = behaviour;
    }

    /// Behaves like these, one for each request, and then as before.
    pub fn behave_once(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.script().next.extend(behaviours);
    }

    /// Sends this as `Cache-Control` from now on. Defaults to none.
    pub fn cache_control(&self, value: impl Into<String>) {
        self.script().cache_control = Some(value.into());
    }

    /// Sends `ETag`s from now on, and 304 to a client that has the current document. Defaults to neither.
    pub fn etags(&self) {
        self.script().etags = true;
    }

    /// Keeps publishing the current documents, whatever happens to its keys, until [`thaw`](Self::thaw): like a cache in front of it.
    pub fn freeze(&self) {
        let documents = Documents::of(&self.issuer);
        self.script().frozen = Some(documents);
    }

    /// Publishes its current keys again.
    pub fn thaw(&self) {
        self.script().frozen = None;
    }

    /// Returns how often the key set was requested.
    pub fn key_set_fetches(&self) -> usize {
        self.script().key_set_fetches
    }

    /// Returns how often the metadata were requested.
    pub fn metadata_fetches(&self) -> usize {
        self.script().metadata_fetches
    }

    /// Returns how many requests for the key set were conditional.
    pub fn conditional_fetches(&self) -> usize {
        self.script().not_modified
    }

    /// Returns the answer to a request for that path; `None` if there is no such document.
    fn answer(&self, path: &str, if_none_match: Option<&HeaderValue>) -> Option<Answer> {
        let asked = match path.strip_prefix(self.base_path()).unwrap_or(path) {
            "/jwks.json" => Asked::KeySet,
            path if path.starts_with("/.well-known/") => Asked::Metadata,
            _ => return None,
        };
        let mut script = self.script();
        match asked {
            Asked::KeySet => script.key_set_fetches += 1,
            Asked::Metadata => script.metadata_fetches += 1,
        }
        script.not_modified += usize::from(asked == Asked::KeySet && if_none_match.is_some());
        let behaviour = if script.next.is_empty() { script.behaviour.clone() } else { script.next.remove(0) };
        let documents = script.frozen.clone().unwrap_or_else(|| Documents::of(&self.issuer));
        let documents = Documents { cache_control: script.cache_control.clone(), etags: script.etags, ..documents };
        Some(documents.answer(&behaviour, asked, if_none_match))
    }

    fn answer_to(&self, request: &Request<Vec<u8>>) -> Option<Answer> {
        self.answer(request.uri().path(), request.headers().get(IF_NONE_MATCH))
    }

    /// Returns the path of the issuer's name, if it has one, without a slash at its end.
    fn base_path(&self) -> &str {
        let after_scheme = self.issuer.name().split_once("://").map_or("", |(_, rest)| rest);
        after_scheme.find('/').map_or("", |at| after_scheme[at..].trim_end_matches('/'))
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ScriptedProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ScriptedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedProvider")
            .field("issuer", &self.issuer)
            .field("behaviour", &self.script().behaviour)
            .finish_non_exhaustive()
    }
}
