//! [`AuthError`]: the error for a client that presented a credential.

use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

use super::code::{AuthErrorKind, Code};
use crate::{
    authenticator::{Nonce, Scheme},
    verified::Conventions,
};

/// A request was refused, or could not be decided; [`AuthError::kind`] distinguishes the two.
///
/// [`AuthError::code`] is for programs, [`AuthError::description`] for the client. [`Display`](fmt::Display) and
/// [`source`](Error::source) are for the operator's log: they may name the route's requirement or the developer's types, but never
/// contain token text, keys or claim values.
#[derive(Debug)]
pub struct AuthError {
    code: Code,
    details: Option<Box<Details>>,
}

#[derive(Debug, Default)]
struct Details {
    explanation: Option<Cow<'static, str>>,
    scopes: Vec<String>,
    max_age: Option<Duration>,
    acr_values: Vec<String>,
    retry_after: Option<Duration>,
    issuer: Option<Arc<Conventions>>,
    scheme: Option<Scheme>,
    nonce: Option<Nonce>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AuthError {
    /// Returns an error with only this code.
    pub const fn new(code: Code) -> Self {
        Self { code, details: None }
    }

    /// Returns the kind of answer.
    pub const fn kind(&self) -> AuthErrorKind {
        self.code.kind()
    }

    /// Returns the stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Returns a short sentence that is safe to send to the client; see [`Code::description`].
    pub const fn description(&self) -> &'static str {
        self.code.description()
    }

    /// Returns what happened, for the operator's log; `None` if the code says everything.
    pub fn explanation(&self) -> Option<&str> {
        self.details.as_ref()?.explanation.as_deref()
    }

    /// Returns the scopes that would have been sufficient (RFC 6750 section 3, `scope`); empty if no scope is missing.
    pub fn scopes(&self) -> &[String] {
        self.details.as_ref().map_or(&[], |details| &details.scopes)
    }

    /// Returns the maximum age of the login (RFC 9470 section 3, `max_age`).
    pub fn max_age(&self) -> Option<Duration> {
        self.details.as_ref()?.max_age
    }

    /// Returns the authentication context classes that would be sufficient (RFC 9470 section 3, `acr_values`).
    pub fn acr_values(&self) -> &[String] {
        self.details.as_ref().map_or(&[], |details| &details.acr_values)
    }

    /// Returns when to try again, if we could not decide (RFC 9110 section 10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        self.details.as_ref()?.retry_after
    }

    /// Returns the trusted issuer that the credential names. `iss` was compared exactly, but the token was refused, so nothing proves
    /// that it is really from this issuer. `None` if it names no trusted issuer, or if the issuer was not looked up. For counting.
    pub fn issuer(&self) -> Option<&str> {
        self.details.as_ref()?.issuer.as_ref().map(|conventions| conventions.issuer())
    }

    /// Returns the scheme that the error is about; `None` stands for [`Scheme::Bearer`], and for errors that are about no scheme.
    pub fn scheme(&self) -> Option<Scheme> {
        self.details.as_ref()?.scheme
    }

    /// Returns the nonce for the client's next proof; `None` if the client needs no new one.
    pub fn nonce(&self) -> Option<&Nonce> {
        self.details.as_ref()?.nonce.as_ref()
    }

    /// Adds what happened, for the operator's log. It must not contain token text, keys or claim values.
    #[must_use]
    pub fn with_explanation(mut self, explanation: impl Into<Cow<'static, str>>) -> Self {
        self.details().explanation = Some(explanation.into());
        self
    }

    /// Adds the scopes that would have been sufficient.
    #[must_use]
    pub fn with_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.details().scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds the maximum age of the login.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.details().max_age = Some(max_age);
        self
    }

    /// Adds the authentication context classes that would be sufficient.
    #[must_use]
    pub fn with_acr_values<S: Into<String>>(mut self, values: impl IntoIterator<Item = S>) -> Self {
        self.details().acr_values.extend(values.into_iter().map(Into::into));
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.details().retry_after = Some(delay);
        self
    }

    /// Adds the trusted issuer that the credential names.
    #[must_use]
    pub fn with_issuer(mut self, conventions: &Arc<Conventions>) -> Self {
        self.details().issuer = Some(Arc::clone(conventions));
        self
    }

    /// Adds the scheme under which the credential was presented. Only the challenge for this scheme says what is wrong; other challenges say
    /// that their schemes are accepted too.
    ///
    /// An authenticator need not call this: the layer knows the scheme.
    #[must_use]
    pub fn with_scheme(mut self, scheme: Scheme) -> Self {
        self.details().scheme = Some(scheme);
        self
    }

    /// Adds a nonce for the client's next proof. The answer sends it in the HTTP header of the scheme, such as `DPoP-Nonce` (RFC 9449
    /// section 9).
    #[must_use]
    pub fn with_nonce(mut self, nonce: Nonce) -> Self {
        self.details().nonce = Some(nonce);
        self
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.details().source = Some(source.into());
        self
    }

    fn details(&mut self) -> &mut Details {
        self.details.get_or_insert_default()
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.explanation() {
            Some(explanation) => write!(f, "{}: {explanation}", self.code),
            None => write!(f, "{}: {}", self.code, self.description()),
        }
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.details.as_ref()?.source.as_deref()?;
        Some(source)
    }
}

impl From<Code> for AuthError {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}
