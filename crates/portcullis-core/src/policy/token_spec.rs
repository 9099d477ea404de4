//! [`TokenSpec`]: what the access tokens of an issuer of your own are like.

use std::time::Duration;

use super::{Profile, TrustedIssuer, listed};
use crate::{
    ConfigError,
    config_text::exact_text_problem,
    keys::{AlgorithmSet, KeySource},
};

/// What the access tokens of an issuer of your own are like. Both sides are made from it: the issuer mints such tokens
/// (`TokenIssuer` of `portcullis-issuer`), and services accept them ([`trusted_at`](Self::trusted_at)). So there is no second list of
/// audiences, algorithms or lifetimes that could differ.
///
/// The tokens are those of RFC 9068 ([`Profile::AccessToken`]).
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::policy::TokenSpec;
/// use portcullis_core::{Algorithm, JwtAuthenticator, KeySet, Secret};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com").lifetime(Duration::from_secs(300));
///
/// // in the service
/// let keys = KeySet::from(Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?);
/// let authenticator = JwtAuthenticator::new(spec.trusted_at("https://orders.example.com", keys)?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSpec {
    issuer: String,
    audiences: Vec<String>,
    algorithms: AlgorithmSet,
    lifetime: Duration,
    max_token_bytes: usize,
}

impl TokenSpec {
    /// The lifetime of a token, unless another is set: ten minutes.
    pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(600);

    /// The size of a token, unless another is set: 4 KiB. Proxies and servers limit all HTTP headers of a request together to 8 KiB or so.
    pub const DEFAULT_MAX_TOKEN_BYTES: usize = 4096;

    /// Creates a specification for the issuer of this name, which becomes `iss`: a URL without query and fragment (RFC 8414 section 2), if
    /// the issuer publishes metadata.
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audiences: Vec::new(),
            algorithms: AlgorithmSet::ALL,
            lifetime: Self::DEFAULT_LIFETIME,
            max_token_bytes: Self::DEFAULT_MAX_TOKEN_BYTES,
        }
    }

    /// Adds a service that tokens may be for. Call it once for each service.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Allows only these algorithms, to issuer and services. Defaults to all; the keys then decide.
    #[must_use]
    pub fn algorithms(self, algorithms: impl Into<AlgorithmSet>) -> Self {
        Self { algorithms: algorithms.into(), ..self }
    }

    /// Sets the longest lifetime of a token. Services refuse tokens with a longer one. Defaults to
    /// [`DEFAULT_LIFETIME`](Self::DEFAULT_LIFETIME).
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets how long a token may be, in bytes. The issuer refuses to mint a longer one. Defaults to
    /// [`DEFAULT_MAX_TOKEN_BYTES`](Self::DEFAULT_MAX_TOKEN_BYTES).
    #[must_use]
    pub fn max_token_bytes(self, bytes: usize) -> Self {
        Self { max_token_bytes: bytes, ..self }
    }

    /// Returns the issuer that a service with this audience trusts, whose tokens `keys` verify.
    ///
    /// # Errors
    ///
    /// If the specification cannot be used, or does not have this audience.
    pub fn trusted_at(&self, audience: &str, keys: impl KeySource) -> Result<TrustedIssuer, ConfigError> {
        let mut problems: Vec<_> = self.problems().collect();
        if !self.audiences.iter().any(|known| known == audience) {
            problems.push(format!(
                "the specification of {:?} has no audience {audience:?}, only {}: add it to the specification, so that the issuer can mint \
                 tokens for it",
                self.issuer,
                listed(self.audiences()),
            ));
        }
        ConfigError::check(problems)?;
        Ok(TrustedIssuer::new(&self.issuer, keys)
            .audience(audience)
            .algorithms(self.algorithms)
            .profile(Profile::AccessToken)
            .max_lifetime(self.lifetime))
    }

    /// Returns why the specification cannot be used.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let issuer = exact_text_problem(&self.issuer).map(|problem| format!("the issuer's name {problem}"));
        let audiences = self.audiences.iter().filter_map(|audience| exact_text_problem(audience));
        let audiences = audiences.map(|problem| format!("the audience {problem}"));
        let none = self.audiences.is_empty().then(|| {
            format!("the specification of {:?} has no audience: name the services that its tokens are for", self.issuer)
        });
        let lifetime = (self.lifetime < Duration::from_secs(1))
            .then(|| "the lifetime of tokens is less than a second: minutes are usual".to_owned());
        let algorithms = (self.algorithms == AlgorithmSet::EMPTY)
            .then(|| "the specification allows no algorithm, so that no token can be signed".to_owned());
        issuer.into_iter().chain(audiences).chain(none).chain(lifetime).chain(algorithms)
    }

    /// Returns the issuer's name.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the services that tokens may be for.
    pub fn audiences(&self) -> impl ExactSizeIterator<Item = &str> {
        self.audiences.iter().map(String::as_str)
    }

    /// Returns the allowed algorithms.
    pub fn allowed_algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Returns the longest lifetime of a token.
    pub fn longest_lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns how long a token may be, in bytes.
    pub fn longest_token(&self) -> usize {
        self.max_token_bytes
    }
}
