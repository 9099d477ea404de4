//! [`BearerChallenge`]: the default answer, with RFC 6750's challenge and a JSON problem.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
};
use portcullis_core::{AuthError, error::AuthErrorKind};

use super::{
    MakeRejection,
    answer::Answer,
    problem::{self, CODES_PAGE},
};
use crate::challenge::Challenge;

/// Answers as RFC 6750 section 3 requires, with a body of `application/problem+json` (RFC 9457).
///
/// See the [module docs](super) for the table. Every answer has `Cache-Control: no-store`. Cheap to clone.
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

    /// Adds a challenge of another scheme to every 401, as another HTTP header after `Bearer`. Defaults to none.
    #[must_use]
    pub fn beside(mut self, challenge: Challenge) -> Self {
        self.config_mut().beside.push(challenge);
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

    /// Returns the challenges in the answer to `error`, `Bearer` first; none if the fault is ours.
    pub fn challenges(&self, error: &AuthError) -> Vec<Challenge> {
        let answer = Answer::to(error.kind());
        if !answer.challenges {
            return Vec::new();
        }
        let mut challenges = vec![self.bearer(error, answer)];
        if answer.status == StatusCode::UNAUTHORIZED {
            challenges.extend(self.config().beside.iter().cloned());
        }
        challenges
    }

    fn bearer(&self, error: &AuthError, answer: Answer) -> Challenge {
        let mut challenge = Challenge::bearer();
        if let Some(realm) = &self.config().realm {
            challenge = challenge.realm(realm);
        }
        if let Some(code) = answer.error {
            challenge = challenge.error(code).error_description(error.description()).scope(error.scopes());
        }
        if error.kind() == AuthErrorKind::InsufficientAuthentication {
            challenge = challenge.acr_values(error.acr_values());
            if let Some(max_age) = error.max_age() {
                challenge = challenge.max_age(max_age);
            }
        }
        match &self.config().resource_metadata {
            Some(url) => challenge.resource_metadata(url),
            None => challenge,
        }
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
        if error.kind() == AuthErrorKind::Unavailable {
            say_when_to_retry(headers, error.retry_after());
        }
        response
    }
}

/// The settings, shared by all clones.
#[derive(Clone, Debug)]
struct Config {
    realm: Option<Cow<'static, str>>,
    resource_metadata: Option<Cow<'static, str>>,
    beside: Vec<Challenge>,
    codes_page: Cow<'static, str>,
    body: Option<Body>,
}

/// The default settings.
static BARE: Config = Config {
    realm: None,
    resource_metadata: None,
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
