//! [`PageLogIn`]: the user who has logged in at the application's own page.

use std::fmt;

use portcullis_core::UnixTime;

use crate::{refresh::LogIn, server::Client, space_separated::space_separated};

/// The user who has logged in at the application's own page, for [`BrowserSessions::log_in`](crate::routes::BrowserSessions::log_in).
///
/// ```
/// use portcullis_issuer::server::PageLogIn;
///
/// let log_in = PageLogIn::new("alice").scope("orders:read").resource("https://orders.example.com").label("Firefox on Linux");
/// ```
#[derive(Clone)]
#[must_use]
pub struct PageLogIn {
    pub(super) subject: String,
    scopes: Vec<String>,
    pub(super) resource: Option<String>,
    authenticated_at: Option<UnixTime>,
    version: Option<u64>,
    acr: Option<String>,
    pub(super) label: Option<String>,
}

impl PageLogIn {
    /// Begins the log-in of this user. The session is for all services of the page's client.
    pub fn new(subject: impl Into<String>) -> Self {
        let (authenticated_at, version, acr) = (None, None, None);
        Self {
            subject: subject.into(),
            scopes: Vec::new(),
            resource: None,
            authenticated_at,
            version,
            acr,
            label: None,
        }
    }

    /// Adds to the scopes of the session: one, or several separated by spaces. Those that the page's client may not have are left out. Defaults to
    /// none.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.extend(space_separated(scope).map(str::to_owned));
        self
    }

    /// Sets the service that the first access token is for, which has to be one of the client's. It has to be named if the client has several, unless
    /// it [combines](Client::combines_resources) them.
    pub fn resource(self, resource: impl Into<String>) -> Self {
        Self { resource: Some(resource.into()), ..self }
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

    /// Sets when the user was authenticated (`auth_time`). Defaults to now.
    pub fn authenticated_at(self, at: UnixTime) -> Self {
        Self { authenticated_at: Some(at), ..self }
    }

    /// Returns the log-in at the page's client.
    pub(super) fn log_in(self, client: &Client) -> LogIn {
        let mut log_in = client.log_in(&self.subject);
        let may_have = |scope: &&String| client.allowed_scopes().any(|own| own == *scope);
        log_in = self.scopes.iter().filter(may_have).fold(log_in, |log_in, scope| log_in.scope(scope));
        log_in = client.resources().fold(log_in, LogIn::audience);
        if let Some(at) = self.authenticated_at {
            log_in = log_in.authenticated_at(at);
        }
        if let Some(version) = self.version {
            log_in = log_in.version(version);
        }
        if let Some(class) = self.acr {
            log_in = log_in.acr(class);
        }
        match self.label {
            Some(label) => log_in.label(label),
            None => log_in,
        }
    }
}

/// Shows no user.
impl fmt::Debug for PageLogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageLogIn")
            .field("scopes", &self.scopes)
            .field("resource", &self.resource)
            .finish_non_exhaustive()
    }
}
