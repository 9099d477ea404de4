//! [`Visitor`]: who is in front of the browser.

use std::fmt;

use aws_lc_rs::digest;
use portcullis_core::{ConfigError, UnixTime};

use crate::{
    refresh::LogIn,
    server::{AuthorizationServer, Client, OAuthError},
};

/// The user who has logged in at the application, in this browser.
///
/// ```
/// use portcullis_core::UnixTime;
/// use portcullis_issuer::server::Visitor;
///
/// # let (session_id, logged_in_at) = ("kxVpyjgg3rO0Vt2mJf0oTg", UnixTime::from_secs(1_800_000_000));
/// let visitor = Visitor::new("alice", session_id, logged_in_at).label("Firefox on Linux");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Visitor {
    subject: String,
    browser: String,
    pub(super) authenticated_at: UnixTime,
    version: Option<u64>,
    acr: Option<String>,
    label: Option<String>,
}

/// How long the name of a session may be, in bytes.
const MOST_BYTES_OF_A_LABEL: usize = 255;

/// How long the id of the application's session is, at least.
const LEAST_BYTES_OF_A_BROWSER: usize = 16;

impl Visitor {
    /// Returns the user `subject`, who has logged in at the instant `authenticated_at`: when a password was entered, and not when the page was
    /// opened. It becomes `auth_time`.
    ///
    /// `browser_session` is the random id of the application's own session in this browser, such as its cookie has. A question is answered only by
    /// the browser and the user that it was shown to.
    pub fn new(subject: impl Into<String>, browser_session: impl Into<String>, authenticated_at: UnixTime) -> Self {
        let (subject, browser) = (subject.into(), browser_session.into());
        Self { subject, browser, authenticated_at, version: None, acr: None, label: None }
    }

    /// Sets the user's token version now: see [`LogIn::version`].
    pub fn version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Sets how the user has logged in (`acr`).
    pub fn acr(self, class: impl Into<String>) -> Self {
        Self { acr: Some(class.into()), ..self }
    }

    /// Sets the name under which the user finds the session in a list, such as the device's: at most 255 bytes.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Returns the user.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns what a question is bound to.
    pub(in crate::server) fn binding(&self) -> [u8; 16] {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.subject.len().to_le_bytes());
        context.update(self.subject.as_bytes());
        context.update(self.browser.as_bytes());
        let mut binding = [0; 16];
        binding.copy_from_slice(&context.finish().as_ref()[..16]);
        binding
    }

    /// Returns the log-in at a client.
    pub(in crate::server) fn log_in<'a>(
        &self,
        client: &Client,
        scopes: impl IntoIterator<Item = &'a str>,
        resources: &[String],
    ) -> LogIn {
        let log_in = client.log_in(&self.subject).authenticated_at(self.authenticated_at);
        let log_in = scopes.into_iter().fold(log_in, LogIn::scope);
        let mut log_in = resources.iter().fold(log_in, LogIn::audience);
        if let Some(version) = self.version {
            log_in = log_in.version(version);
        }
        if let Some(class) = &self.acr {
            log_in = log_in.acr(class);
        }
        match &self.label {
            Some(label) => log_in.label(label),
            None => log_in,
        }
    }
}

impl AuthorizationServer {
    /// Makes sure that a session can be opened for this user.
    pub(in crate::server) async fn check_visitor(&self, visitor: &Visitor) -> Result<(), OAuthError> {
        if visitor.browser.len() < LEAST_BYTES_OF_A_BROWSER {
            let problem = "the id of the application's session is shorter than 16 bytes, so that it could be guessed";
            return Err(ConfigError::new(problem).into());
        }
        self.check_user(&visitor.subject, visitor.label.as_deref()).await
    }

    /// Makes sure that a session of this name can be opened for this user. A user who is named like a client would be taken for it (RFC 9068 section
    /// 5).
    pub(in crate::server) async fn check_user(&self, subject: &str, label: Option<&str>) -> Result<(), OAuthError> {
        if subject.is_empty() || subject.len() > 255 || subject.chars().any(char::is_control) {
            let problem = "the user's name is empty, has a control character, or more than 255 bytes";
            return Err(ConfigError::new(problem).into());
        }
        if label.is_some_and(|label| label.len() > MOST_BYTES_OF_A_LABEL) {
            return Err(ConfigError::new("the name of the session has more than 255 bytes").into());
        }
        if self.0.clients.may_have(subject).await? {
            return Err(ConfigError::new("the user has the name of a client, and would be taken for it").into());
        }
        Ok(())
    }
}

/// Shows no user and no session.
impl fmt::Debug for Visitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").field("authenticated_at", &self.authenticated_at).finish_non_exhaustive()
    }
}
