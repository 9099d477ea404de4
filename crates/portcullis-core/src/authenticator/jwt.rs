//! The authenticator for JSON Web Tokens: the verifier's recipe, keys and a clock.

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Attempt, Authenticator, Credential};
use crate::{
    AuthError, Clock, Code, ConfigError, KeySource, KeySourceError, NoCustom, Resolved, SystemClock, TrustedIssuer,
    Verified, WaitingForKeys, policy::Policy, verifier::Verifier,
};

/// Verifies JSON Web Tokens of the trusted issuers and gives their claims, custom ones as `C`.
///
/// Cheap to clone; clones share keys and policy.
///
/// ```
/// use portcullis_core::{Algorithm, Code, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Tenant {
///     tenant: String,
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
/// let issuer = TrustedIssuer::new("https://login.example.com", "orders", KeySet::from(secret));
/// let authenticator = JwtAuthenticator::new(issuer)?.claims::<Tenant>();
///
/// let outcome = authenticator.verify("not.a.token").ready().expect("the key is at hand");
/// assert_eq!(outcome.unwrap_err().code(), Code::TokenMalformed);
/// # Ok(())
/// # }
/// ```
pub struct JwtAuthenticator<C = NoCustom> {
    inner: Arc<Inner>,
    claims: PhantomData<fn() -> C>,
}

#[derive(Debug)]
struct Inner {
    verifier: Arc<Verifier>,
    /// One for each of the verifier's policies, in the same order.
    keys: Vec<Arc<dyn KeySource>>,
    clock: Arc<dyn Clock>,
}

impl JwtAuthenticator {
    /// Trusts one issuer.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used: all problems at once.
    pub fn new(issuer: TrustedIssuer) -> Result<Self, ConfigError> {
        Self::trusting([issuer])
    }

    /// Trusts several issuers. A token's `iss` picks one of them; a token of nobody on the list is refused before
    /// any key is looked up.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used (nobody is trusted, two entries have one name, …): all problems at once.
    pub fn trusting(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, ConfigError> {
        let (policies, keys): (Vec<_>, Vec<_>) = issuers.into_iter().map(TrustedIssuer::into_parts).unzip();
        let mut problems: Vec<String> = policies.iter().flat_map(Policy::problems).collect();
        if policies.is_empty() {
            problems.push("no issuer is trusted, so every token would be refused: add a TrustedIssuer".to_owned());
        }
        for (at, policy) in policies.iter().enumerate() {
            let issuer = policy.issuer();
            if policies[..at].iter().any(|earlier| earlier.issuer() == issuer) {
                problems.push(format!("issuer `{issuer}` is listed twice: give one entry all its audiences and keys"));
            }
        }
        for (policy, source) in policies.iter().zip(&keys) {
            problems.extend(source.problem().map(|problem| format!("issuer `{}`: {problem}", policy.issuer())));
        }
        ConfigError::check(problems)?;
        let inner = Inner { verifier: Arc::new(Verifier::new(policies)), keys, clock: Arc::new(SystemClock) };
        Ok(Self { inner: Arc::new(inner), claims: PhantomData })
    }
}

impl<C> JwtAuthenticator<C> {
    /// Parses custom claims of type `D` from every token; a token whose claims do not have that form is refused.
    #[must_use]
    pub fn claims<D: DeserializeOwned + Send + Sync + 'static>(self) -> JwtAuthenticator<D> {
        JwtAuthenticator { inner: self.inner, claims: PhantomData }
    }

    /// Reads the time from `clock`. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        let Inner { verifier, keys, .. } = &*self.inner;
        let inner = Inner { verifier: Arc::clone(verifier), keys: keys.clone(), clock: Arc::new(clock) };
        Self { inner: Arc::new(inner), claims: PhantomData }
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> JwtAuthenticator<C> {
    /// Verifies a token. The outcome is there at once unless a key has to be fetched.
    pub fn verify(&self, token: &str) -> Attempt<Verified<C>> {
        match self.inner.verify(token, None) {
            Ok(Step::Verified(verified)) => Attempt::Done(Ok(verified)),
            Ok(Step::NeedsKey(fetch)) => {
                let (inner, token) = (Arc::clone(&self.inner), Zeroizing::new(token.to_owned()));
                Attempt::waiting(async move { inner.verify_again(&token, fetch.await) })
            }
            Err(error) => Attempt::Done(Err(error)),
        }
    }
}

enum Step<C> {
    Verified(Verified<C>),
    NeedsKey(WaitingForKeys),
}

impl Inner {
    /// The whole path of a token, in order. `fetched` are the keys, if they had to be waited for.
    fn verify<C: DeserializeOwned>(&self, text: &str, fetched: Option<Resolved>) -> Result<Step<C>, AuthError> {
        let now = self.clock.now();
        let token = self.verifier.parse(text)?; // shape and size
        let token = self.verifier.screen(token)?; // issuer, type, algorithm: cheap refusals come first
        let keys = fetched.unwrap_or_else(|| self.keys[token.row].resolve(token.key_hint(), now));
        let keys = match keys {
            Resolved::Keys(keys) => keys,
            Resolved::Waiting(fetch) => return Ok(Step::NeedsKey(fetch)),
            Resolved::Unknown => return Err(Code::KeyUnknown.into()),
            Resolved::Ambiguous => return Err(Code::KeyAmbiguous.into()),
            Resolved::Fault(fault) => return Err(unavailable(fault)),
        };
        let verified = self.verifier.verify(token, &keys, now)?; // signature, then claims
        Ok(Step::Verified(verified))
    }

    /// The same once the keys have come. The token is taken apart anew: nothing of it was kept while waiting but its
    /// text, and its times are verifyd by the clock as it stands now.
    fn verify_again<C: DeserializeOwned>(&self, text: &str, fetched: Resolved) -> Result<Verified<C>, AuthError> {
        match self.verify(text, Some(fetched))? {
            Step::Verified(verified) => Ok(verified),
            Step::NeedsKey(_) => {
                Err(AuthError::new(Code::KeysUnavailable)
                    .with_explanation("the key source answered a wait with another"))
            }
        }
    }
}

fn unavailable(fault: KeySourceError) -> AuthError {
    let retry_after = fault.retry_after();
    let error = AuthError::new(Code::KeysUnavailable).with_source(fault);
    match retry_after {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Authenticator for JwtAuthenticator<C> {
    fn authenticate(&self, credential: Credential<'_>) -> Attempt {
        self.verify(credential.token).map(Into::into)
    }
}

impl<C> Clone for JwtAuthenticator<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), claims: PhantomData }
    }
}

impl<C> fmt::Debug for JwtAuthenticator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("trusts", &self.inner.verifier)
            .field("clock", &self.inner.clock)
            .field("claims", &std::any::type_name::<C>())
            .finish()
    }
}
