//! [`MockIssuer`]: an issuer for tests.

mod keys;
mod publish;

use std::{fmt, sync::Arc};

pub use keys::MockKeys;
use portcullis_core::{
    Admission, Algorithm, Clock, JwtAuthenticator, TrustedIssuer, clock::SystemClock, keys::KeySource,
};

use serde::de::DeserializeOwned;

use crate::{TokenBuilder, key::SigningKey, must::must};

/// An issuer of tokens with its own keys, made for the test. It is a handle: clones share the keys, but not the other settings.
///
/// A service that trusts [`trusted`](Self::trusted) accepts the tokens of [`token`](Self::token), even after [`rotate`](Self::rotate).
/// Nothing leaves the process.
///
/// ```
/// use portcullis_core::{Admission, JwtAuthenticator};
/// use portcullis_core::authenticator::Attempt;
/// use portcullis_test::MockIssuer;
///
/// let issuer = MockIssuer::new().audience("orders");
/// let admission = Admission::new(JwtAuthenticator::new(issuer.trusted())?);
/// let token = issuer.token().subject("alice").scope("orders:read").sign();
/// let Attempt::Done(outcome) = admission.verify(&token) else { panic!("the key is at hand") };
/// assert_eq!(outcome?.subject(), Some("alice"));
///
/// let refused = issuer.token().audience("invoices").sign();
/// assert!(matches!(admission.verify(&refused), Attempt::Done(Err(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "fake")]
#[doc(alias = "mock")]
#[doc(alias = "wiremock")]
#[derive(Clone)]
pub struct MockIssuer {
    name: Arc<str>,
    audience: Arc<str>,
    keys: MockKeys,
    clock: Arc<dyn Clock>,
    roles_at: Option<Arc<str>>,
    scope_rule: Option<Arc<ScopeRule>>,
}

/// Whether a granted scope, the first, covers a needed one, the second.
type ScopeRule = dyn Fn(&str, &str) -> bool + Send + Sync;

impl MockIssuer {
    /// The issuer's default name; see [`named`](Self::named). The domain `test` is reserved (RFC 6761).
    pub const DEFAULT_NAME: &str = "https://issuer.test";

    /// The default audience of its tokens; see [`audience`](Self::audience).
    pub const DEFAULT_AUDIENCE: &str = "https://service.test";

    /// Returns an issuer that signs with a new ES256 key.
    ///
    /// # Panics
    ///
    /// Like every function of this crate, if the system cannot do it, for example make a key.
    pub fn new() -> Self {
        Self::with_algorithm(Algorithm::Es256)
    }

    /// Returns an issuer that signs with a new key for `algorithm`.
    ///
    /// Generating an RSA key takes a tenth of a second, so the first key of **every** RSA issuer is the same one, which is fixed in this
    /// crate. If two RSA issuers must not accept each other's tokens, call [`rotate`](Self::rotate) and [`retire_old`](Self::retire_old)
    /// first.
    pub fn with_algorithm(algorithm: Algorithm) -> Self {
        Self::with_key(SigningKey::first(keys::id(algorithm, 1), algorithm))
    }

    /// Returns an issuer that signs with this secret, for a service that is configured with it.
    ///
    /// # Panics
    ///
    /// If a service could not use the secret: see [`Secret::new`](portcullis_core::Secret::new).
    pub fn with_secret(id: impl Into<String>, algorithm: Algorithm, secret: impl AsRef<[u8]>) -> Self {
        Self::with_key(SigningKey::secret(id.into(), algorithm, secret.as_ref()))
    }

    fn with_key(key: SigningKey) -> Self {
        Self {
            name: Self::DEFAULT_NAME.into(),
            audience: Self::DEFAULT_AUDIENCE.into(),
            keys: MockKeys::new(key),
            clock: Arc::new(SystemClock),
            roles_at: None,
            scope_rule: None,
        }
    }

    /// Sets its name, the `iss` of its tokens. Defaults to [`MockIssuer::DEFAULT_NAME`].
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets the audience of its tokens, which [`trusted`](Self::trusted) expects. Defaults to [`MockIssuer::DEFAULT_AUDIENCE`].
    #[must_use]
    pub fn audience(mut self, audience: impl Into<Arc<str>>) -> Self {
        self.audience = audience.into();
        self
    }

    /// Reads the time from `clock`, as does its [`admission`](Self::admission). Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Writes roles to this JSON pointer (RFC 6901), such as `/realm_access/roles`, and makes [`trusted`](Self::trusted) read them there.
    ///
    /// Defaults to `/roles`.
    #[must_use]
    pub fn roles_at(mut self, pointer: impl Into<Arc<str>>) -> Self {
        self.roles_at = Some(pointer.into());
        self
    }

    /// Lets a granted scope cover others: see [`TrustedIssuer::scope_rule`]. By default, scopes are compared literally.
    #[must_use]
    pub fn scope_rule(mut self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.scope_rule = Some(Arc::new(rule));
        self
    }

    /// Returns a token to be filled in and signed.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self)
    }

    /// Returns what a service has to trust to accept its tokens: its name, its audience and its live keys.
    pub fn trusted(&self) -> TrustedIssuer {
        self.trusted_with(self.keys.clone())
    }

    /// Returns what a service has to trust, with keys that the service gets in another way, for example by fetching them.
    pub fn trusted_with(&self, keys: impl KeySource) -> TrustedIssuer {
        let mut trusted = TrustedIssuer::new(&*self.name, keys).audience(&*self.audience);
        if let Some(pointer) = &self.roles_at {
            trusted = trusted.roles_at(&**pointer);
        }
        if let Some(rule) = self.scope_rule.clone() {
            trusted = trusted.scope_rule(move |granted, needed| rule(granted, needed));
        }
        trusted
    }

    /// Returns an admission that accepts this issuer's tokens and reads its clock.
    ///
    /// # Panics
    ///
    /// If the issuer cannot be trusted: if its name or audience is empty.
    pub fn admission(&self) -> Admission {
        self.admission_of()
    }

    /// Returns an admission with custom claims of type `C`.
    ///
    /// # Panics
    ///
    /// If the issuer cannot be trusted: if its name or audience is empty.
    pub fn admission_of<C: DeserializeOwned + Send + Sync + 'static>(&self) -> Admission<C> {
        let authenticator = must(JwtAuthenticator::new(self.trusted()), "this issuer cannot be trusted");
        Admission::new(authenticator.claims::<C>()).clock(Arc::clone(&self.clock))
    }

    /// Returns the keys, for your own [`TrustedIssuer`]. They follow [`rotate`](Self::rotate).
    pub fn keys(&self) -> MockKeys {
        self.keys.clone()
    }

    /// Returns the `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the algorithm of the key that signs.
    pub fn algorithm(&self) -> Algorithm {
        self.keys.current().algorithm()
    }

    /// Returns the id of the key that signs, such as `es256-1`.
    pub fn key_id(&self) -> String {
        self.keys.current().id().to_owned()
    }

    /// Signs with a new key of the same algorithm from now on, and returns its id. The old key stays published until
    /// [`retire_old`](Self::retire_old), so that its tokens are still accepted.
    pub fn rotate(&self) -> String {
        self.keys.rotate()
    }

    /// Signs from now on with a new key that has the **same id** as the previous one, which is removed. Issuers should not do this, but
    /// some do.
    pub fn replace_key(&self) {
        self.keys.replace();
    }

    /// Publishes another key, and returns its id. It signs only tokens that select it with [`TokenBuilder::key`].
    pub fn add_key(&self, algorithm: Algorithm) -> String {
        self.keys.add(algorithm)
    }

    /// Withdraws every key except the one that signs: all tokens that they signed are refused from now on.
    pub fn retire_old(&self) {
        self.keys.retire_old();
    }

    pub(crate) fn default_audience(&self) -> &str {
        &self.audience
    }

    pub(crate) fn time(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn roles_pointer(&self) -> &str {
        self.roles_at.as_deref().unwrap_or("/roles")
    }
}

impl Default for MockIssuer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MockIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockIssuer")
            .field("name", &self.name)
            .field("audience", &self.audience)
            .field("keys", &self.keys)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}
