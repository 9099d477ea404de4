//! [`BearerChallenge`]: the default answer, with RFC 6750's challenge, those of other schemes, and a JSON problem.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use portcullis_core::{AuthError, authenticator::Scheme, error::AuthErrorKind};

use super::challenge::Challenge;
use super::{
    MakeRejection,
    answer::Answer,
    problem::{self, CODES_PAGE},
    scheme_challenge::SchemeChallenge,
};

/// Answers as RFC 6750 section 3 requires, with a body of `application/problem+json` (RFC 9457).
///
/// See the [module docs](super) for the table. Every answer has `Cache-Control: no-store`. Cheap to clone.
#[doc(alias = "WWW-Authenticate")]
#[doc(alias = "on_error")]
#[doc(alias = "error_handler")]
#[derive(Clone, Debug, Default)]
pub struct BearerChallenge {
    /// `None` for the default settings, which cost nothing to clone.
    config: Option<Arc<Config>>,
}

impl BearerChallenge {
    /// Returns a bare `Bearer` challenge with default settings.
    pub fn new() -> Self {
        Self::bare()
    }

    pub(crate) const fn bare() -> Self {
        Self { config: None }
    }

    /// Sets the realm (protection space). Defaults to none, because `realm` is optional in RFC 6750 and nothing depends on it.
    ///
    /// Characters that an HTTP header cannot contain are percent-encoded.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<Cow<'static, str>>) -> Self {
        self.config_mut().realm = Some(realm.into());
        self
    }

    /// Sets the URL of this resource's metadata (RFC 9728 section 5.1), which names the authorization servers.
    ///
    /// Defaults to none. Take it from [`ResourceMetadata::url`](crate::metadata::ResourceMetadata::url), which is always correct.
    #[must_use]
    pub fn resource_metadata(mut self, url: impl Into<Cow<'static, str>>) -> Self {
        self.config_mut().resource_metadata = Some(url.into());
        self
    }

    /// Sets the scopes, separated by spaces, that a client best asks for first (RFC 6750 section 3): clients that find their authorization server by
    /// [`resource_metadata`](Self::resource_metadata), such as those of the Model Context Protocol, ask for these before they ask for all.
    ///
    /// They are in the 401 for a request without a credential, and in the one for a token that is not accepted (`invalid_token`), such as an expired one:
    /// a client without a refresh token has to ask for a new token then. To a client whose token lacks a scope, a guard names that scope. Defaults to none.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<Cow<'static, str>>) -> Self {
        self.config_mut().scope = Some(scope.into());
        self
    }

    /// Adds the challenge of another scheme to every 401, as another HTTP header after `Bearer`: a [`SchemeChallenge`], or a [`Challenge`] of
    /// a scheme without proofs, such as `Basic`. It replaces an earlier challenge of the same scheme.
    ///
    /// Defaults to the schemes that the layer's admissions accept ([`Authenticator::schemes`]), with default settings.
    ///
    /// [`Authenticator::schemes`]: crate::authenticator::Authenticator::schemes
    #[must_use]
    pub fn beside(mut self, challenge: impl Into<SchemeChallenge>) -> Self {
        let (challenge, beside) = (challenge.into(), &mut self.config_mut().beside);
        beside.retain(|known| !known.challenge().scheme().eq_ignore_ascii_case(challenge.challenge().scheme()));
        beside.push(challenge);
        self
    }

    /// Sets the prefix of the problem's `type`, which the code follows. Defaults to the page [`codes`](crate::codes) on docs.rs.
    #[must_use]
    pub fn codes_page(mut self, base: impl Into<Cow<'static, str>>) -> Self {
        self.config_mut().codes_page = base.into();
        self
    }

    /// Replaces the body: the hook returns its content type and its text. Defaults to the JSON problem.
    ///
    /// The layer, and the guards and extractors behind it that use this challenge, all use the hook. The client gets to see the text. The
    /// error's [`Display`](fmt::Display) and source are for logs only.
    #[must_use]
    pub fn body<F>(mut self, hook: F) -> Self
    where
        F: Fn(&AuthError) -> (HeaderValue, String) + Send + Sync + 'static,
    {
        self.config_mut().body = Some(Body(Arc::new(hook)));
        self
    }

    /// Sets the schemes that a layer accepts.
    pub(crate) fn offer(&mut self, schemes: Vec<Scheme>) {
        self.config_mut().schemes = schemes.into();
    }

    /// Returns the challenges in the answer to `error`, one for each scheme, `Bearer` first; none if the fault is ours.
    ///
    /// Only the challenge for the [scheme](AuthError::scheme) that the error is about says what is wrong. The others are in answers with
    /// the status 401 only, where another credential may help.
    pub fn challenges(&self, error: &AuthError) -> Vec<Challenge> {
        let answer = Answer::to(error.kind());
        if !answer.challenges {
            return Vec::new();
        }
        let blamed = self.blamed(error);
        let offers = self.offers(blamed).into_iter();
        offers
            .filter_map(|offer| {
                if offer.is_for(blamed) {
                    Some(self.explained(&offer, error, answer))
                } else {
                    let is_offered = answer.status == StatusCode::UNAUTHORIZED;
                    is_offered.then(|| self.with_metadata(self.with_realm(offer.challenge().clone())))
                }
            })
            .collect()
    }

    /// Returns the scheme that the error is about: the first accepted one, unless the error names one.
    fn blamed(&self, error: &AuthError) -> Scheme {
        let accepted = &self.config().schemes;
        let usual = if accepted.contains(&Scheme::Bearer) { None } else { accepted.first() };
        error.scheme().or(usual.copied()).unwrap_or(Scheme::Bearer)
    }

    /// Returns one offer for each scheme: `Bearer`, the others that are accepted, those beside them, and the one that the error is about.
    fn offers(&self, blamed: Scheme) -> Vec<SchemeChallenge> {
        let Config { schemes, beside, .. } = self.config();
        let mut offers = beside.clone();
        for scheme in schemes.iter().chain([&blamed]) {
            if !offers.iter().any(|offer| offer.is_for(*scheme)) {
                // Without an offer if the scheme's name is not a token: no request can present such a scheme.
                offers.extend(SchemeChallenge::default_for(*scheme));
            }
        }
        let accepted_at = |offer: &SchemeChallenge| schemes.iter().position(|scheme| offer.is_for(*scheme));
        offers.sort_by_key(|offer| (!offer.is_for(Scheme::Bearer), accepted_at(offer).unwrap_or(usize::MAX)));
        offers
    }

    /// Returns the challenge with what is wrong with the credential.
    fn explained(&self, offer: &SchemeChallenge, error: &AuthError, answer: Answer) -> Challenge {
        let mut challenge = self.with_realm(offer.challenge().clone());
        if let Some(code) = answer.error {
            let code = offer.own_error(error).unwrap_or(code);
            challenge = challenge.error(code).error_description(error.description()).scope(error.scopes());
        }
        if let Some(scope) = self.config().scope.as_deref().filter(|_| needs_a_new_token(error)) {
            challenge = challenge.scope(scope.split(' ').filter(|each| !each.is_empty()));
        }
        if error.kind() == AuthErrorKind::InsufficientAuthentication {
            challenge = challenge.acr_values(error.acr_values());
            if let Some(max_age) = error.max_age() {
                challenge = challenge.max_age(max_age);
            }
        }
        self.with_metadata(challenge)
    }

    fn with_realm(&self, challenge: Challenge) -> Challenge {
        match &self.config().realm {
            Some(realm) if !challenge.has("realm") => challenge.realm(realm),
            _ => challenge,
        }
    }

    fn with_metadata(&self, challenge: Challenge) -> Challenge {
        match &self.config().resource_metadata {
            Some(url) if !challenge.has("resource_metadata") => challenge.resource_metadata(url),
            _ => challenge,
        }
    }

    /// Returns the HTTP header with the nonce for the client's next proof.
    pub(super) fn nonce_header(&self, error: &AuthError) -> Option<(HeaderName, HeaderValue)> {
        let (nonce, blamed) = (error.nonce()?, self.blamed(error));
        let offer = self.offers(blamed).into_iter().find(|offer| offer.is_for(blamed))?;
        Some((offer.nonce_name()?.clone(), HeaderValue::try_from(nonce.as_str()).ok()?))
    }

    fn content(&self, error: &AuthError) -> (HeaderValue, String) {
        match &self.config().body {
            Some(Body(hook)) => hook(error),
            None => {
                (HeaderValue::from_static("application/problem+json"), problem::json(error, &self.config().codes_page))
            }
        }
    }

    fn config(&self) -> &Config {
        self.config.as_deref().unwrap_or(&BARE)
    }

    fn config_mut(&mut self) -> &mut Config {
        Arc::make_mut(self.config.get_or_insert_with(|| Arc::new(BARE.clone())))
    }
}

impl<B: From<String>> MakeRejection<B> for BearerChallenge {
    fn make_rejection(&self, error: &AuthError) -> Response<B> {
        let (content_type, text) = self.content(error);
        let mut response = Response::new(B::from(text));
        *response.status_mut() = Answer::to(error.kind()).status;

        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, content_type);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for challenge in self.challenges(error) {
            headers.append(WWW_AUTHENTICATE, challenge.to_header_value());
        }
        headers.extend(self.nonce_header(error));
        if error.kind() == AuthErrorKind::Unavailable {
            say_when_to_retry(headers, error.retry_after());
        }
        response
    }

    /// Offers the schemes that the layer offers, with the settings of this challenge.
    fn make_inherited_rejection(&self, layer: &BearerChallenge, error: &AuthError) -> Response<B> {
        let mut challenge = self.clone();
        if layer.config().schemes != challenge.config().schemes {
            challenge.offer(layer.config().schemes.to_vec());
        }
        challenge.make_rejection(error)
    }
}

/// Whether the client has to obtain a token, because it has none that is accepted. A bad proof is made again, for the same token.
fn needs_a_new_token(error: &AuthError) -> bool {
    match error.kind() {
        AuthErrorKind::NoCredential => true,
        AuthErrorKind::InvalidToken => error.scopes().is_empty() && !error.code().is_about_proof(),
        _ => false,
    }
}

/// The settings, shared by all clones.
#[derive(Clone, Debug)]
struct Config {
    realm: Option<Cow<'static, str>>,
    resource_metadata: Option<Cow<'static, str>>,
    scope: Option<Cow<'static, str>>,
    /// The schemes that the layer accepts.
    schemes: Cow<'static, [Scheme]>,
    beside: Vec<SchemeChallenge>,
    codes_page: Cow<'static, str>,
    body: Option<Body>,
}

/// The default settings.
static BARE: Config = Config {
    realm: None,
    resource_metadata: None,
    scope: None,
    schemes: Cow::Borrowed(&[Scheme::Bearer]),
    beside: Vec::new(),
    codes_page: Cow::Borrowed(CODES_PAGE),
    body: None,
};

#[derive(Clone)]
struct Body(Arc<BodyHook>);

type BodyHook = dyn Fn(&AuthError) -> (HeaderValue, String) + Send + Sync;

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Body")
    }
}

/// Used if the error has no delay. Longer than a fetch of keys may take, but short enough not to be an outage by itself.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(5);

/// Whole seconds (RFC 9110 section 10.2.3), rounded up so that clients do not retry too early, and at least one.
pub(crate) fn say_when_to_retry(headers: &mut HeaderMap, delay: Option<Duration>) {
    let delay = delay.unwrap_or(RETRY_AFTER_DEFAULT);
    let seconds = delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1);
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
}
