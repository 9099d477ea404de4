//! The authenticator for JSON Web Tokens: the verifier's recipe, keys, a clock, and what was verified before.

use std::{collections::HashSet, fmt, sync::Arc};

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Attempt, Authenticator, Credential};
use crate::{
    AnyVerified, AuthError, Clock, Code, ConfigError, Facts, KeyHint, KeyMatch, KeySource, KeySourceError, NoCustom,
    Resolved, RevocationView, SystemClock, TrustedIssuer, UnixTime, UnverifiedToken, Verified, VerifyingKey,
    WaitingForKeys, WhenStale,
    cache::{DEFAULT_TOKENS, Entry, TokenCache},
    policy::Policy,
    verifier::{ScreenedToken, Verifier},
};

/// Verifies JSON Web Tokens of the trusted issuers and gives their claims, custom ones as `C`.
///
/// Cheap to clone; clones share keys, policy, revocations and the cache of verified tokens.
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
    /// `None` if it is switched off. Of this type of claims alone, so it is made anew with another one.
    cache: Option<Arc<TokenCache<C>>>,
    cached_tokens: usize,
}

#[derive(Clone, Debug)]
struct Inner {
    verifier: Arc<Verifier>,
    /// One for each of the verifier's policies, in the same order.
    keys: Vec<Arc<dyn KeySource>>,
    clock: Arc<dyn Clock>,
    /// `None` if tokens are good until they expire.
    revocations: Option<RevocationView>,
    when_stale: WhenStale,
    max_token_bytes: usize,
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
        let mut names = HashSet::with_capacity(policies.len());
        for policy in &policies {
            if !names.insert(policy.issuer()) {
                problems.push(format!(
                    "issuer {} is listed twice: give one entry all its audiences and keys (`KeySet::new` takes several, \
                     `SecretAndPublic::new` a secret beside published keys)",
                    policy.label(),
                ));
            }
        }
        for (policy, source) in policies.iter().zip(&keys) {
            let found = source.problem().or_else(|| policy.problem_with_keys(source.algorithms()));
            problems.extend(found.map(|problem| format!("issuer {}: {problem}", policy.label())));
        }
        ConfigError::check(problems)?;
        let inner = Inner {
            verifier: Arc::new(Verifier::new(policies)),
            keys,
            clock: Arc::new(SystemClock),
            revocations: None,
            when_stale: WhenStale::default(),
            max_token_bytes: UnverifiedToken::MAX_LEN,
        };
        Ok(Self::from_parts(inner, DEFAULT_TOKENS))
    }
}

impl<C> JwtAuthenticator<C> {
    /// Parses custom claims of type `D` from every token; a token whose claims do not have that form is refused.
    #[must_use]
    pub fn claims<D: DeserializeOwned + Send + Sync + 'static>(self) -> JwtAuthenticator<D> {
        JwtAuthenticator::from_parts(self.inner, self.cached_tokens)
    }

    /// Reads the time from `clock`. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        let inner = Inner { clock: Arc::new(clock), ..Arc::unwrap_or_clone(self.inner) };
        Self::from_parts(inner, self.cached_tokens)
    }

    /// Refuses tokens that are revoked, by what `view` knows at the moment the token is presented. Tokens that may outlive the view's
    /// [horizon](RevocationView::horizon) are refused, too, and so are those without `iat`, unless the view's settings say otherwise.
    ///
    /// Defaults to not asking: a token is then good until it expires.
    #[must_use]
    pub fn revocations(self, view: impl Into<RevocationView>) -> Self {
        let view = view.into();
        self.inner.verifier.policies().for_each(|policy| view.note(policy.conventions()));
        let inner = Inner { revocations: Some(view), ..Arc::unwrap_or_clone(self.inner) };
        Self::from_parts(inner, self.cached_tokens)
    }

    /// Decides about tokens when it is not known whether they are revoked, because the log of revocations cannot be read. Defaults to
    /// [`WhenStale::FailClosed`].
    ///
    /// Different routes may decide differently: make a clone of the authenticator for each, and a layer of it. They share everything else,
    /// the cache too.
    #[must_use]
    pub fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.inner = Arc::new(Inner { when_stale, ..Arc::unwrap_or_clone(self.inner) });
        self
    }

    /// Sets how long a token may be, in bytes: from 1 KiB to 64 KiB. Longer ones are refused before anything of them is decoded.
    ///
    /// Defaults to 16 KiB ([`UnverifiedToken::MAX_LEN`]). Raise it for issuers that write hundreds of groups into their tokens. Any
    /// client can then make this service decode and parse that much. Servers and proxies have limits of their own for HTTP
    /// headers, many of them below 16 KiB, and `FormBodyLayer` one for forms. A long token takes the room of several in the cache.
    ///
    /// # Errors
    ///
    /// If the limit is outside these bounds.
    pub fn max_token_bytes(self, bytes: usize) -> Result<Self, ConfigError> {
        if !(1024..=UnverifiedToken::HIGHEST_MAX_LEN).contains(&bytes) {
            let highest = UnverifiedToken::HIGHEST_MAX_LEN;
            return Err(ConfigError::new(format!(
                "a limit of {bytes} bytes for tokens: give one from 1024 to {highest}"
            )));
        }
        let inner = Inner { max_token_bytes: bytes, ..Arc::unwrap_or_clone(self.inner) };
        Ok(Self::from_parts(inner, self.cached_tokens))
    }

    /// Remembers at most about this many verified tokens, so that none of them has to be verified again while its times, its
    /// keys and everything else that decides are as they were. Zero remembers none, as does [`without_cache`](Self::without_cache).
    ///
    /// Defaults to 10 000. They take 1 to 4 KiB each if they are what identity providers issue, and at most 8 KiB on average whatever
    /// they are, so at most 92 MB: long ones count for several, and the very longest are not remembered. What claims of your own
    /// type have on the heap is not counted.
    #[must_use]
    pub fn cached_tokens(self, tokens: usize) -> Self {
        Self::from_parts(self.inner, tokens)
    }

    /// Verifies every token in full, however often it is presented. The verdicts are the same, only later.
    #[must_use]
    pub fn without_cache(self) -> Self {
        self.cached_tokens(0)
    }

    fn from_parts(inner: impl Into<Arc<Inner>>, cached_tokens: usize) -> Self {
        let inner = inner.into();
        let cache = if cached_tokens == 0 { None } else { TokenCache::new(cached_tokens, inner.max_token_bytes) };
        Self { inner, cache: cache.map(Arc::new), cached_tokens }
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> JwtAuthenticator<C> {
    /// Verifies a token. The outcome is there at once unless a key has to be fetched.
    pub fn verify(&self, token: &str) -> Attempt<Verified<C>> {
        match self.seen(token.as_bytes()) {
            Some(verified) => Attempt::Done(Ok(verified)),
            None => self.verify_unseen(token),
        }
    }

    /// The token as it was verified before, if nothing has changed since.
    fn seen(&self, token: &[u8]) -> Option<Verified<C>> {
        let (cache, inner) = (self.cache.as_deref()?, &self.inner);
        let now = inner.clock.now();
        let verified = cache.find(&cache.probe(token)?, now, |row| inner.keys[row].edition(now))?;
        // One that is not admitted is verified in full, for the error that is right.
        inner.admits_again(&verified, now).then_some(verified)
    }

    fn verify_unseen(&self, token: &str) -> Attempt<Verified<C>> {
        let inner = &self.inner;
        match inner.verify(token, inner.clock.now()) {
            Ok(Step::Verified(proven)) => {
                self.remember(token, &proven);
                Attempt::Done(Ok(proven.verified))
            }
            Ok(Step::NeedsKey(fetch)) => {
                let (inner, token) = (Arc::clone(inner), Zeroizing::new(token.to_owned()));
                Attempt::waiting(async move { inner.verify_again(&token, fetch.await) })
            }
            Err(error) => Attempt::Done(Err(error)),
        }
    }

    fn remember(&self, token: &str, proven: &Proven<C>) {
        if let (Some(cache), Some(edition)) = (&self.cache, proven.edition)
            && let Some(probe) = cache.probe(token.as_bytes())
        {
            cache.remember(&probe, self.inner.entry(proven, edition));
        }
    }
}

enum Step<C> {
    Verified(Proven<C>),
    NeedsKey(WaitingForKeys),
}

/// A verified token, and by what.
struct Proven<C> {
    verified: Verified<C>,
    row: usize,
    edition: Option<u64>,
}

impl Inner {
    /// The whole path of a token, in order.
    fn verify<C: DeserializeOwned>(&self, text: &str, now: UnixTime) -> Result<Step<C>, AuthError> {
        let token = self.verifier.parse(text, self.max_token_bytes)?; // shape and size
        let token = self.verifier.screen(token)?; // issuer, type, algorithm: cheap refusals come first
        let (row, source) = (token.row, &self.keys[token.row]);
        let edition = source.edition(now); // before the keys, so that a change in between is noticed later
        let keys = match source.resolve(token.key_hint(), now) {
            Resolved::Waiting(fetch) => return Ok(Step::NeedsKey(fetch)),
            resolved => found(resolved, &**source, token.key_hint())?,
        };
        match token.find_signer(&keys) {
            Ok(signer) => {
                let verified = self.accept(token, signer, now)?; // claims, and that it is not revoked
                Ok(Step::Verified(Proven { verified, row, edition }))
            }
            Err(error) if error.code() == Code::SignatureInvalid => {
                let newer = source.reconsider(token.key_hint(), &keys);
                self.second_look(token, newer, now).unwrap_or(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    /// What follows when no key at hand made the signature: another verdict by newer ones, if the source has any or knows how to
    /// get them. Of which edition those are is not known, so the token is remembered with its next request.
    fn second_look<C: DeserializeOwned>(
        &self,
        token: ScreenedToken<'_, '_>,
        newer: Resolved,
        now: UnixTime,
    ) -> Option<Result<Step<C>, AuthError>> {
        match newer {
            Resolved::Waiting(fetch) => Some(Ok(Step::NeedsKey(fetch))),
            Resolved::Keys(keys) => Some(self.accept_by(token, &keys, now)),
            Resolved::Fault(fault) => Some(Err(unavailable(fault))),
            _ => None,
        }
    }

    fn accept_by<C: DeserializeOwned>(
        &self,
        token: ScreenedToken<'_, '_>,
        keys: &KeyMatch,
        now: UnixTime,
    ) -> Result<Step<C>, AuthError> {
        let (row, signer) = (token.row, token.find_signer(keys)?);
        let verified = self.accept(token, signer, now)?;
        Ok(Step::Verified(Proven { verified, row, edition: None }))
    }

    /// The end of the path: a token that is accepted, and not revoked.
    fn accept<C: DeserializeOwned>(
        &self,
        token: ScreenedToken<'_, '_>,
        signer: &VerifyingKey,
        now: UnixTime,
    ) -> Result<Verified<C>, AuthError> {
        let verified = self.verifier.accept(token, signer, now)?;
        if let Some(view) = &self.revocations {
            view.admit(&verified, now, self.when_stale)?;
        }
        Ok(verified)
    }

    /// Whether a token that was accepted before is not revoked since.
    fn admits_again(&self, facts: &Facts, now: UnixTime) -> bool {
        self.revocations.as_ref().is_none_or(|view| view.admits_again(facts, now, self.when_stale))
    }

    /// The same once the keys have come. The token is taken apart anew: nothing of it was kept while waiting but its
    /// text, and its times are checked by the clock as it stands now.
    fn verify_again<C: DeserializeOwned>(&self, text: &str, fetched: Resolved) -> Result<Verified<C>, AuthError> {
        let token = self.verifier.screen(self.verifier.parse(text, self.max_token_bytes)?)?;
        let keys = found(fetched, &*self.keys[token.row], token.key_hint())?;
        let signer = token.find_signer(&keys)?;
        self.accept(token, signer, self.clock.now())
    }

    fn entry<C>(&self, proven: &Proven<C>, edition: u64) -> Entry<C> {
        let Proven { verified, row, .. } = proven;
        let window = self.verifier.window(*row, verified);
        let view = self.revocations.as_ref();
        let window = view.and_then(|view| view.early_end(verified)).map_or(window, |end| window.ending_at(end));
        let window = view.and_then(|view| view.late_start(verified)).map_or(window, |start| window.starting_at(start));
        Entry { verified: verified.clone(), row: *row, edition, window }
    }
}

fn found(resolved: Resolved, source: &dyn KeySource, hint: KeyHint<'_>) -> Result<KeyMatch, AuthError> {
    match resolved {
        Resolved::Keys(keys) => Ok(keys),
        Resolved::Unknown => Err(not_found(Code::KeyUnknown, source, hint)),
        Resolved::Ambiguous => Err(not_found(Code::KeyAmbiguous, source, hint)),
        Resolved::Fault(fault) => Err(unavailable(fault)),
        Resolved::Waiting(_) => {
            Err(AuthError::new(Code::ServiceMisconfigured)
                .with_explanation("the key source answered a wait with another"))
        }
    }
}

/// Says which keys there are, and nothing that stands in the token.
fn not_found(code: Code, source: &dyn KeySource, hint: KeyHint<'_>) -> AuthError {
    let error = AuthError::new(code);
    match source.describe(hint) {
        Some(keys) => error.with_explanation(format!("keys here: {keys}")),
        None => error,
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
    /// Looks among the tokens seen before, too: an authenticator around this one may not pass `recall` on.
    fn authenticate(&self, credential: Credential<'_>) -> Attempt {
        self.verify(credential.token).map(Into::into)
    }

    fn recall(&self, credential: &[u8]) -> Option<AnyVerified> {
        self.seen(credential).map(Into::into)
    }
}

impl<C> Clone for JwtAuthenticator<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), cache: self.cache.clone(), cached_tokens: self.cached_tokens }
    }
}

impl<C> fmt::Debug for JwtAuthenticator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("trusts", &self.inner.verifier)
            .field("clock", &self.inner.clock)
            .field("revocations", &self.inner.revocations)
            .field("claims", &std::any::type_name::<C>())
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
