//! [`Admission`]: the path of every credential: cache, authenticator, proof, revocation.
//!
//! An [`Authenticator`] only identifies the caller. The other steps are here, in one order, so that no authenticator can forget any of
//! them:
//!
//! 1. The clock is read once, and again after a wait. The result comes with the instant of the decision.
//! 2. The bytes are looked up among the credentials that were verified before. If a proof is owed, this request has to show it too.
//! 3. On a miss, the authenticator is asked.
//! 4. The credential must not be revoked.
//! 5. It is cached, if the authenticator permits it.

mod any;
mod cache;
mod explain;
mod inner;

use std::{fmt, sync::Arc};

use zeroize::Zeroizing;

pub use self::any::{Admitted, AnyAdmission, IntoAdmission};
use self::{
    cache::{DEFAULT_TOKENS, Entry, Seen, TokenCache},
    inner::{Inner, proof_after_a_wait},
};
use crate::{
    AuthError, Authenticator, Clock, UnixTime, Verified,
    authenticator::{Attempt, Credential, Presented, Proof, Proven, Scheme, Time},
    clock::SystemClock,
    explain::Explain,
    revocation::{RevocationView, WhenStale},
    verified::NoCustom,
};

/// Decides whether a request with a credential is admitted, and with which identity. Layers are made from it; without a layer, call it
/// directly.
///
/// It wraps an [`Authenticator`], which identifies the caller. The admission caches verified credentials, checks revocation, and reads
/// the clock. Cheap to clone; clones share one cache.
///
/// ```
/// use portcullis_core::{Admission, Algorithm, Code, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
/// let issuer = TrustedIssuer::new("https://login.example.com", KeySet::from(secret)).audience("orders");
/// let admission = Admission::new(JwtAuthenticator::new(issuer)?);
///
/// let outcome = admission.verify("not.a.token").ready().expect("the key is at hand");
/// assert_eq!(outcome.unwrap_err().code(), Code::TokenMalformed);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "verifier")]
#[doc(alias = "decoder")]
pub struct Admission<C = NoCustom> {
    inner: Arc<Inner<C>>,
    /// `None` if the cache is switched off.
    cache: Option<Arc<TokenCache<C>>>,
    cached_tokens: usize,
}

impl<C: Send + Sync + 'static> Admission<C> {
    /// Admits the callers that `authenticator` identifies.
    pub fn new(authenticator: impl Authenticator<Custom = C>) -> Self {
        let inner = Inner {
            schemes: authenticator.schemes().into(),
            authenticator: Arc::new(authenticator),
            explain: None,
            clock: Arc::new(SystemClock),
            revocations: None,
            when_stale: WhenStale::default(),
        };
        Self::from_parts(inner, DEFAULT_TOKENS)
    }

    /// Admits the callers that `authenticator` identifies, and can [explain](Self::explain) each of its checks.
    pub fn explainable(authenticator: impl Explain<Custom = C>) -> Self {
        let authenticator = Arc::new(authenticator);
        let admission = Self::new(Arc::clone(&authenticator));
        let inner = Inner { explain: Some(authenticator), ..Inner::clone(&admission.inner) };
        Self { inner: Arc::new(inner), ..admission }
    }

    /// Returns an admission with the same settings for another authenticator, with its own cache.
    pub fn around<D: Send + Sync + 'static>(&self, authenticator: impl Authenticator<Custom = D>) -> Admission<D> {
        let Inner { clock, revocations, when_stale, .. } = Inner::clone(&self.inner);
        let (schemes, authenticator) = (authenticator.schemes().into(), Arc::new(authenticator));
        let inner = Inner { authenticator, explain: None, schemes, clock, revocations: None, when_stale };
        let admission = Admission::from_parts(inner, self.cached_tokens);
        match revocations {
            Some(view) => admission.revocations(view),
            None => admission,
        }
    }

    /// Reads the time from `clock`, once for each request; guards use the same instant. A request that had to wait is decided by the time
    /// after the wait. Defaults to [`SystemClock`].
    #[must_use]
    pub fn clock(self, clock: impl Clock) -> Self {
        let inner = Inner { clock: Arc::new(clock), ..Inner::clone(&self.inner) };
        Self::from_parts(inner, self.cached_tokens)
    }

    /// Refuses credentials that `view` knows as revoked when they are presented. Tokens that may outlive the view's
    /// [horizon](RevocationView::horizon) are refused too, and so are those without `iat`, unless the view's settings or the credential's
    /// [rungs](crate::verified::Facts::rungs) say otherwise.
    ///
    /// Defaults to no revocation check: a token is then valid until it expires.
    #[must_use]
    pub fn revocations(self, view: impl Into<RevocationView>) -> Self {
        let view = view.into();
        // Weak, because the view may outlive the admission, which then no longer uses it.
        let authenticator = Arc::downgrade(&self.inner.authenticator);
        view.ask_of_issuers(move |issuer| Some(authenticator.upgrade()?.conventions(issuer)));
        let inner = Inner { revocations: Some(view), ..Inner::clone(&self.inner) };
        Self::from_parts(inner, self.cached_tokens)
    }

    /// Sets how to decide while the log of revocations cannot be read, so that a credential may be revoked without this instance knowing.
    /// Defaults to [`WhenStale::FailClosed`].
    ///
    /// Different routes may need different settings: make a clone of the admission for each, and a layer from it. The clones share
    /// everything else, including the cache.
    #[must_use]
    pub fn when_stale(mut self, when_stale: WhenStale) -> Self {
        self.inner = Arc::new(Inner { when_stale, ..Inner::clone(&self.inner) });
        self
    }

    /// Caches about this many verified credentials at most, so that none of them has to be verified again while its times, its keys and
    /// everything else that matters are unchanged. Zero caches none, like [`without_cache`](Self::without_cache).
    ///
    /// Defaults to 10 000. Common providers' credentials take 1 to 4 KiB each; in any case they take at most 8 KiB on average, so at most
    /// 92 MB in total: long ones count as several, and the very longest are not cached. Heap memory of your own claims type is not
    /// counted.
    #[doc(alias = "cache_size")]
    #[doc(alias = "cache_capacity")]
    #[must_use]
    pub fn cached_tokens(self, tokens: usize) -> Self {
        Self { cache: Self::cache_for(&self.inner, tokens), cached_tokens: tokens, ..self }
    }

    /// Verifies every credential in full each time. The decisions are the same, but take longer.
    #[must_use]
    pub fn without_cache(self) -> Self {
        self.cached_tokens(0)
    }

    fn from_parts(inner: Inner<C>, cached_tokens: usize) -> Self {
        let cache = Self::cache_for(&inner, cached_tokens);
        Self { inner: Arc::new(inner), cache, cached_tokens }
    }

    fn cache_for(inner: &Inner<C>, tokens: usize) -> Option<Arc<TokenCache<C>>> {
        if tokens == 0 { None } else { TokenCache::new(tokens, inner.authenticator.max_len()).map(Arc::new) }
    }

    /// Verifies a token that came without a request, such as one in a message. The result is available at once unless something has to be
    /// fetched.
    ///
    /// A token that is bound to a key is refused, because only a request can show the proof ([`admit`](Self::admit)).
    #[doc(alias = "decode")]
    #[doc(alias = "validate")]
    pub fn verify(&self, token: &str) -> Attempt<Verified<C>> {
        let presented = Presented::bearer(token.as_bytes());
        let time = Time::read(&self.inner.clock);
        if let Some(outcome) = self.find(presented, time) {
            return Attempt::Done(outcome);
        }
        let credential = Credential::bearer(token).at(time);
        if presented.read(time).is_err() {
            // Bytes that a request must not present must not be cached, because a request could then be admitted by them.
            return self.clone().without_cache().ask(credential, |verified, _| verified);
        }
        self.ask(credential, |verified, _| verified)
    }

    /// Decides about the credential of a request. The result is available at once unless something has to be fetched.
    pub fn admit(&self, presented: Presented<'_>) -> Attempt<Verified<C>> {
        self.decide(presented, &|| (), |verified, _| verified)
    }

    /// The path of every request, for both [`admit`](Self::admit) and `any.rs`, which hides the claims' type. Returns the identity and
    /// the instant of the decision, from which `conclude` makes the caller's result. `on_unseen` is called if the credential is not
    /// cached.
    #[inline]
    fn decide<T: 'static>(
        &self,
        presented: Presented<'_>,
        on_unseen: &dyn Fn(),
        conclude: impl FnOnce(Verified<C>, UnixTime) -> T + Send + 'static,
    ) -> Attempt<T> {
        let time = Time::read(&self.inner.clock);
        match self.find(presented, time) {
            Some(outcome) => Attempt::Done(outcome.map(|verified| conclude(verified, time.now))),
            None => self.decide_unseen(presented, time, on_unseen, conclude),
        }
    }

    /// A separate function, so that the compiler keeps it out of the path of cached credentials.
    #[inline(never)]
    fn decide_unseen<T: 'static>(
        &self,
        presented: Presented<'_>,
        time: Time<'_>,
        on_unseen: &dyn Fn(),
        conclude: impl FnOnce(Verified<C>, UnixTime) -> T + Send + 'static,
    ) -> Attempt<T> {
        on_unseen();
        match presented.read(time) {
            Ok(credential) => self.ask(credential, conclude),
            Err(error) => Attempt::Done(Err(error)),
        }
    }

    /// Returns the result for bytes that were verified before, if the authenticator would find the same again; `None` if they have to be
    /// verified in full.
    ///
    /// A credential that is revoked, or that a stale view cannot decide, is answered here too. Otherwise each of its requests would
    /// needlessly ask the authenticator, and the store behind it.
    #[inline]
    fn find(&self, presented: Presented<'_>, time: Time<'_>) -> Option<Result<Verified<C>, AuthError>> {
        let inner = &*self.inner;
        let Seen { verified, owes_proof } = self.look_up(presented, time)?;
        if owes_proof && let Err(error) = inner.check_proof_again(presented.read_again(time)?, &verified) {
            return Some(Err(error));
        }
        Some(inner.check_revocation_again(&verified, time.now).map(|()| verified))
    }

    /// Returns the identity for bytes that were verified before, and the instant of the decision, if neither a proof nor a refusal is
    /// involved.
    #[inline]
    fn decide_cached(&self, presented: Presented<'_>) -> Option<(Verified<C>, UnixTime)> {
        let time = Time::read(&self.inner.clock);
        let Seen { verified, owes_proof } = self.look_up(presented, time)?;
        let is_admitted = !owes_proof && self.inner.check_revocation_again(&verified, time.now).is_ok();
        is_admitted.then_some((verified, time.now))
    }

    #[inline]
    fn look_up(&self, presented: Presented<'_>, time: Time<'_>) -> Option<Seen<C>> {
        let (cache, inner) = (self.cache.as_deref()?, &*self.inner);
        let probe = cache.probe(presented.octets(), presented.scheme())?;
        cache.find(&probe, time.now, |edition| inner.authenticator.is_current(edition, time.now))
    }

    fn ask<T: 'static>(
        &self,
        credential: Credential<'_>,
        conclude: impl FnOnce(Verified<C>, UnixTime) -> T + Send + 'static,
    ) -> Attempt<T> {
        if let Err(error) = self.inner.check_scheme(credential).and_then(|()| self.inner.check_length(credential)) {
            return Attempt::Done(Err(error));
        }
        match self.inner.authenticator.verify(credential) {
            Attempt::Done(Ok(proven)) => {
                let finished = self.finish(proven, credential);
                Attempt::Done(finished.map(|verified| conclude(verified, credential.now())))
            }
            Attempt::Done(Err(error)) => Attempt::Done(Err(error)),
            Attempt::Waiting(waiting) => {
                let (this, token, scheme) =
                    (self.clone(), Zeroizing::new(credential.token().to_owned()), credential.scheme());
                let had_request = credential.request().is_some();
                Attempt::waiting(async move {
                    let proven = waiting.await?;
                    let time = Time::read(&this.inner.clock);
                    let finished = this.finish(proven, after_a_wait(&token, scheme, time));
                    let finished =
                        finished.map_err(|error| if had_request { proof_after_a_wait(error) } else { error })?;
                    Ok(conclude(finished, time.now))
                })
            }
        }
    }

    fn finish(&self, proven: Proven<C>, credential: Credential<'_>) -> Result<Verified<C>, AuthError> {
        let inner = &*self.inner;
        if proven.proof == Proof::Owed {
            inner.authenticator.check_proof(credential, &proven.verified)?;
        }
        if let Some(view) = &inner.revocations {
            let verdict = view.admit(&proven.verified, credential.now(), inner.when_stale);
            verdict.map_err(|error| error.with_issuer(proven.verified.shared_conventions()))?;
        }
        if let (Some(cache), Some(window)) = (&self.cache, proven.window)
            && let Some(probe) = cache.probe(credential.token().as_bytes(), credential.scheme())
        {
            let window = inner
                .revocations
                .as_ref()
                .map_or(window, |view| view.window(window, &proven.verified, credential.now()));
            let Proven { verified, edition, proof, .. } = proven;
            let entry = Entry { verified: verified.clone(), edition, owes_proof: proof != Proof::NotOwed, window };
            cache.remember(&probe, entry);
            return Ok(verified);
        }
        Ok(proven.verified)
    }
}

/// Returns a credential whose request is gone, so it can no longer show a proof.
fn after_a_wait<'a>(token: &'a str, scheme: Scheme, time: Time<'a>) -> Credential<'a> {
    Credential::bearer(token).under(scheme).at(time)
}

impl<C> Clone for Admission<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), cache: self.cache.clone(), cached_tokens: self.cached_tokens }
    }
}

impl<A: Authenticator> From<A> for Admission<A::Custom> {
    fn from(authenticator: A) -> Self {
        Self::new(authenticator)
    }
}

impl<C> fmt::Debug for Admission<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission")
            .field("authenticator", &self.inner.authenticator)
            .field("clock", &self.inner.clock)
            .field("revocations", &self.inner.revocations)
            .field("claims", &std::any::type_name::<C>())
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
