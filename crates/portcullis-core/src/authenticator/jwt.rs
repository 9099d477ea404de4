//! The authenticator for JSON Web Tokens: the verifier's recipe, and keys.

use std::{collections::HashSet, fmt, marker::PhantomData, sync::Arc};

use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::{Attempt, Authenticator, Credential, Edition, Explain, Explaining, Proven};
use crate::{
    AuthError, Code, ConfigError, Conventions, KeyHint, KeyMatch, KeySource, KeySourceError, NoCustom, Resolved,
    TrustedIssuer, UnixTime, UnverifiedToken, VerifyingKey, WaitingForKeys,
    judge::{Check, Judge, Recorder, Strict},
    policy::Policy,
    verifier::{ScreenedToken, Verifier},
};

/// Verifies JSON Web Tokens of the trusted issuers and gives their claims, custom ones as `C`.
///
/// It finds out whom a token proves; the [`Admission`](crate::Admission) around it checks revocation and remembers. Cheap to clone; clones share
/// keys and policy.
///
/// ```
/// use portcullis_core::{Admission, Algorithm, Code, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
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
/// let admission = Admission::new(JwtAuthenticator::new(issuer)?.claims::<Tenant>());
///
/// let outcome = admission.verify("not.a.token").ready().expect("the key is at hand");
/// assert_eq!(outcome.unwrap_err().code(), Code::TokenMalformed);
/// # Ok(())
/// # }
/// ```
pub struct JwtAuthenticator<C = NoCustom> {
    inner: Arc<Inner>,
    claims: PhantomData<fn() -> C>,
}

#[derive(Clone, Debug)]
struct Inner {
    verifier: Arc<Verifier>,
    /// One for each of the verifier's policies, in the same order.
    keys: Vec<Arc<dyn KeySource>>,
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
        let inner =
            Inner { verifier: Arc::new(Verifier::new(policies)), keys, max_token_bytes: UnverifiedToken::MAX_LEN };
        Ok(Self { inner: Arc::new(inner), claims: PhantomData })
    }
}

impl<C> JwtAuthenticator<C> {
    /// Parses custom claims of type `D` from every token; a token whose claims do not have that form is refused.
    #[must_use]
    pub fn claims<D: DeserializeOwned + Send + Sync + 'static>(self) -> JwtAuthenticator<D> {
        JwtAuthenticator { inner: self.inner, claims: PhantomData }
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
        Ok(Self { inner: Arc::new(inner), ..self })
    }
}

enum Step<C> {
    Proven(Proven<C>),
    NeedsKey(WaitingForKeys),
}

impl Inner {
    /// The whole path of a token, in order, until keys have to be fetched.
    fn verify<C: DeserializeOwned, J: Judge>(
        &self,
        text: &str,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Step<C>, AuthError> {
        let mut token = self.screen(text, now, judge)?;
        let (row, source) = (token.row, &self.keys[token.row]);
        let edition = source.edition(now); // before the keys, so that a change in between is noticed later
        let keys = match source.resolve(token.key_hint(), now) {
            Resolved::Waiting(fetch) => return Ok(Step::NeedsKey(fetch)),
            resolved => found(resolved, &**source, token.key_hint()),
        };
        let keys = or_look_on(judge.gate(Check::Key, keys), &mut token, now, judge)?;
        match judge.gate(Check::Signature, token.find_signer(&keys)) {
            Ok(signer) => {
                let proven = self.accept(token, signer, now, judge)?;
                Ok(Step::Proven(self.remembered(proven, row, edition)))
            }
            Err(error) if error.code() == Code::SignatureInvalid => {
                let newer = source.reconsider(token.key_hint(), &keys);
                self.second_look(token, newer, now, judge).unwrap_or(Err(error))
            }
            Err(error) => Err(error),
        }
    }

    /// The cheap refusals: shape and size, issuer, type, algorithm.
    fn screen<'t, J: Judge>(
        &self,
        text: &'t str,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<ScreenedToken<'t, '_>, AuthError> {
        let token = judge.parsed(self.verifier.parse(text, self.max_token_bytes))?;
        let mut token = judge.screen(&self.verifier, token)?;
        or_look_on(judge.conclude(), &mut token, now, judge)?; // no key is looked up for a token that is refused
        Ok(token)
    }

    /// What follows when no key at hand made the signature: another verdict by newer ones, if the source has any or knows how to
    /// get them. Of which edition those are is not known, so the token is remembered with its next request.
    fn second_look<C: DeserializeOwned, J: Judge>(
        &self,
        mut token: ScreenedToken<'_, '_>,
        newer: Resolved,
        now: UnixTime,
        judge: &mut J,
    ) -> Option<Result<Step<C>, AuthError>> {
        match newer {
            Resolved::Waiting(fetch) => Some(Ok(Step::NeedsKey(fetch))),
            Resolved::Keys(keys) => Some(self.accept_by(token, &keys, now, judge).map(Step::Proven)),
            Resolved::Fault(fault) => {
                judge.take_back(Check::Signature); // it was not decided about
                let undecided = judge.gate(Check::Key, Err(unavailable(fault)));
                Some(or_look_on(undecided, &mut token, now, judge))
            }
            _ => {
                let refused = or_look_on(Err(Code::SignatureInvalid.into()), &mut token, now, judge);
                if J::GOES_ON { Some(refused) } else { None }
            }
        }
    }

    /// The path once the keys have come. The token is taken apart again: nothing of it was kept while waiting but its
    /// text, and its times are checked by the clock as it stands now.
    fn resume<C: DeserializeOwned, J: Judge>(
        &self,
        text: &str,
        fetched: Resolved,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Proven<C>, AuthError> {
        let mut token = self.screen(text, now, judge)?;
        let keys = found(fetched, &*self.keys[token.row], token.key_hint());
        let keys = or_look_on(judge.gate(Check::Key, keys), &mut token, now, judge)?;
        self.accept_by(token, &keys, now, judge)
    }

    fn accept_by<C: DeserializeOwned, J: Judge>(
        &self,
        mut token: ScreenedToken<'_, '_>,
        keys: &KeyMatch,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Proven<C>, AuthError> {
        let signer = judge.gate(Check::Signature, token.find_signer(keys));
        let signer = or_look_on(signer, &mut token, now, judge)?;
        self.accept(token, signer, now, judge)
    }

    fn accept<C: DeserializeOwned, J: Judge>(
        &self,
        token: ScreenedToken<'_, '_>,
        signer: &VerifyingKey,
        now: UnixTime,
        judge: &mut J,
    ) -> Result<Proven<C>, AuthError> {
        self.verifier.accept(token, signer, now, judge).map(Proven::from_verified)
    }

    /// Lets the admission remember the token, if its keys have an edition.
    fn remembered<C>(&self, proven: Proven<C>, row: usize, edition: Option<u64>) -> Proven<C> {
        let Some(number) = edition else { return proven };
        let window = self.verifier.window(row, &proven.verified);
        proven.cache_within(window).edition(Edition::of_part(row as u64, number))
    }
}

/// A judge who goes on hears what there is to say about the claims of a token that is refused already.
#[inline]
fn or_look_on<T, J: Judge>(
    outcome: Result<T, AuthError>,
    token: &mut ScreenedToken<'_, '_>,
    now: UnixTime,
    judge: &mut J,
) -> Result<T, AuthError> {
    if J::GOES_ON && outcome.is_err() {
        token.judge_unproven(now, judge)?;
    }
    outcome
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
    type Claims = C;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<C>> {
        match self.inner.verify(credential.token(), credential.now(), &mut Strict) {
            Ok(Step::Proven(proven)) => Attempt::Done(Ok(proven)),
            Ok(Step::NeedsKey(fetch)) => {
                let (inner, token) = (Arc::clone(&self.inner), Zeroizing::new(credential.token().to_owned()));
                let clock = credential.clock();
                Attempt::waiting(async move {
                    let fetched = fetch.await;
                    inner.resume(&token, fetched, clock.now(), &mut Strict)
                })
            }
            Err(error) => Attempt::Done(Err(error)),
        }
    }

    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        let source = usize::try_from(edition.part()).ok().and_then(|row| self.inner.keys.get(row));
        source.and_then(|source| source.edition(now)) == Some(edition.number())
    }

    fn max_len(&self) -> usize {
        self.inner.max_token_bytes
    }

    fn conventions(&self) -> Vec<Arc<Conventions>> {
        self.inner.verifier.policies().map(|policy| Arc::clone(policy.conventions())).collect()
    }
}

impl<C: DeserializeOwned + Send + Sync + 'static> Explain for JwtAuthenticator<C> {
    fn explain<'a>(&'a self, credential: Credential<'a>, recorder: &'a mut Recorder) -> Explaining<'a, C> {
        recorder.plan(CHECKS);
        Box::pin(async move {
            match self.inner.verify(credential.token(), credential.now(), recorder)? {
                Step::Proven(proven) => Ok(proven),
                Step::NeedsKey(fetch) => {
                    let fetched = fetch.await;
                    self.inner.resume(credential.token(), fetched, credential.clock().now(), recorder)
                }
            }
        })
    }
}

/// What a JSON Web Token is asked, in order.
const CHECKS: [Check; 19] = [
    Check::Length,
    Check::Shape,
    Check::Header,
    Check::Extensions,
    Check::Claims,
    Check::Issuer,
    Check::Type,
    Check::Algorithm,
    Check::Key,
    Check::Signature,
    Check::Audience,
    Check::Expiry,
    Check::NotBefore,
    Check::IssuedAt,
    Check::Age,
    Check::Profile,
    Check::Binding,
    Check::Required,
    Check::Custom,
];

impl<C> Clone for JwtAuthenticator<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), claims: PhantomData }
    }
}

impl<C> fmt::Debug for JwtAuthenticator<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtAuthenticator")
            .field("trusts", &self.inner.verifier)
            .field("claims", &std::any::type_name::<C>())
            .finish_non_exhaustive()
    }
}
