//! An issuer that lives in the test.

mod keys;
mod publish;

use std::{fmt, sync::Arc};

pub use keys::MockKeys;
use portcullis_core::{
    Admission, Algorithm, Clock, JwtAuthenticator, TrustedIssuer, clock::SystemClock, keys::KeySource,
};

use serde::de::DeserializeOwned;

use crate::{TokenBuilder, key::SigningKey, must::must};

/// An issuer of tokens with keys of its own, made for the test. A handle: clones share the keys, not the other settings.
///
/// What [`token`](Self::token) gives is accepted by whoever trusts [`trusted`](Self::trusted), also after
/// [`rotate`](Self::rotate). Nothing leaves the process.
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
    /// What an issuer is called unless [`named`](Self::named) otherwise. The domain `test` is reserved (RFC 6761).
    pub const DEFAULT_NAME: &str = "https://issuer.test";

    /// Whom its tokens are for unless [`audience`](Self::audience) says otherwise.
    pub const DEFAULT_AUDIENCE: &str = "https://service.test";

    /// An issuer that signs with a new ES256 key.
    ///
    /// # Panics
    ///
    /// Like every call of this crate, if the system cannot do what is asked, such as making a key.
    pub fn new() -> Self {
        Self::with_algorithm(Algorithm::Es256)
    }

    /// An issuer that signs with a new key for `algorithm`.
    ///
    /// Making an RSA key takes a tenth of a second, so the first key of **every** RSA issuer is the same one, fixed in
    /// this crate. Where two of them must not be able to pass for each other, [`rotate`](Self::rotate) and
    /// [`retire_old`](Self::retire_old) first.
    pub fn with_algorithm(algorithm: Algorithm) -> Self {
        Self::with_key(SigningKey::first(keys::id(algorithm, 1), algorithm))
    }

    /// An issuer that signs with this secret: for a service that is configured with it.
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

    /// Calls it `name`: the `iss` of its tokens. Defaults to [`MockIssuer::DEFAULT_NAME`].
    #[must_use]
    pub fn named(mut self, name: impl Into<Arc<str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Says whom tokens are for, and what [`trusted`](Self::trusted) accepts. Defaults to
    /// [`MockIssuer::DEFAULT_AUDIENCE`].
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

    /// Writes roles to this JSON pointer (RFC 6901), such as `/realm_access/roles`, and has them looked for there.
    ///
    /// Defaults to `/roles`.
    #[must_use]
    pub fn roles_at(mut self, pointer: impl Into<Arc<str>>) -> Self {
        self.roles_at = Some(pointer.into());
        self
    }

    /// Lets a granted scope cover others: see [`TrustedIssuer::scope_rule`]. Defaults to literal scopes.
    #[must_use]
    pub fn scope_rule(mut self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.scope_rule = Some(Arc::new(rule));
        self
    }

    /// A token to be filled in and signed.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self)
    }

    /// What a service has to trust in order to accept its tokens: its name, its audience and its live keys.
    pub fn trusted(&self) -> TrustedIssuer {
        self.trusted_with(self.keys.clone())
    }

    /// The same with keys that the service gets by its own means: fetched ones, say.
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

    /// An admission that lets in who has a token of this issuer, and reads its clock.
    ///
    /// # Panics
    ///
    /// If the issuer cannot be trusted: if its name or audience is empty.
    pub fn admission(&self) -> Admission {
        self.admission_of()
    }

    /// The same with custom claims of type `C`.
    ///
    /// # Panics
    ///
    /// If the issuer cannot be trusted: if its name or audience is empty.
    pub fn admission_of<C: DeserializeOwned + Send + Sync + 'static>(&self) -> Admission<C> {
        let authenticator = must(JwtAuthenticator::new(self.trusted()), "this issuer cannot be trusted");
        Admission::new(authenticator.claims::<C>()).clock(Arc::clone(&self.clock))
    }

    /// The keys, for a [`TrustedIssuer`] of your own. They follow [`rotate`](Self::rotate).
    pub fn keys(&self) -> MockKeys {
        self.keys.clone()
    }

    /// The `iss` of its tokens.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The algorithm of the key that signs.
    pub fn algorithm(&self) -> Algorithm {
        self.keys.current().algorithm()
    }

    /// The id of the key that signs, such as `es256-1`.
    pub fn key_id(&self) -> String {
        self.keys.current().id().to_owned()
    }

    /// Signs with a new key of the same algorithm from now on, and gives its id. The old one stays published until
    /// [`retire_old`](Self::retire_old), so that its tokens are still accepted.
    pub fn rotate(&self) -> String {
        self.keys.rotate()
    }

    /// Signs with a new key from now on that has the **same id** as the one before, which is gone. No issuer should, and
    /// some do.
    pub fn replace_key(&self) {
        self.keys.replace();
    }

    /// Publishes another key, and gives its id. Only tokens that ask for it by [`TokenBuilder::key`] are signed with it.
    pub fn add_key(&self, algorithm: Algorithm) -> String {
        self.keys.add(algorithm)
    }

    /// Withdraws every key but the one that signs: whatever they signed is refused from now on.
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
