//! [`LogIn`]: what was decided when a user logged in.

use std::fmt;

use portcullis_core::{ConfigError, UnixTime};
use serde::{Deserialize, Serialize};

use crate::{ORGANISATION, space_separated::space_separated};

/// What was decided when a user logged in, and is valid for the whole session.
#[derive(Clone, PartialEq, Eq)]
pub struct LogIn {
    pub(super) subject: String,
    pub(super) client_id: String,
    /// When the session was opened: what cut-offs are compared with.
    pub(super) at: UnixSecs,
    /// When the user was authenticated, if that was told.
    authenticated_at: Option<UnixSecs>,
    pub(super) scopes: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) version: Option<u64>,
    pub(super) acr: Option<String>,
    pub(super) label: Option<String>,
    pub(super) log_out_at: Option<String>,
}

/// A log-in as it is stored: the same fields, so that the public type need not be a form of storage.
#[derive(Serialize, Deserialize)]
#[serde(remote = "LogIn")]
struct StoredLogIn {
    subject: String,
    client_id: String,
    at: UnixSecs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authenticated_at: Option<UnixSecs>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    audiences: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_out_at: Option<String>,
}

/// Reads and writes a log-in within a row.
pub(crate) mod stored {
    use serde::{Deserializer, Serializer};

    use super::{LogIn, StoredLogIn};

    pub(crate) fn serialize<S: Serializer>(log_in: &LogIn, serializer: S) -> Result<S::Ok, S::Error> {
        StoredLogIn::serialize(log_in, serializer)
    }

    /// A `LogIn`, or a `Box` of one.
    pub(crate) fn deserialize<'de, T: From<LogIn>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        StoredLogIn::deserialize(deserializer).map(T::from)
    }
}

/// Whole seconds since 1970, as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct UnixSecs(pub(super) u64);

/// What the log of revocations can name.
const MOST_BYTES_OF_A_NAME: usize = 255;

/// Whether a log-in can have this name, so that it is worth asking a store about it. Not every store can be asked about others.
pub(super) fn can_be_kept(name: &str) -> bool {
    name.len() <= MOST_BYTES_OF_A_NAME && !name.chars().any(char::is_control)
}

/// Refuses a name that no log-in can have.
pub(super) fn check_name(what: &str, name: &str) -> Result<(), ConfigError> {
    if can_be_kept(name) {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "the {what} of a log-in has {} bytes or a control character: at most {MOST_BYTES_OF_A_NAME} bytes without any can be kept and revoked",
        name.len()
    )))
}

impl LogIn {
    /// Begins the log-in of this user, by this client.
    pub fn new(subject: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            client_id: client_id.into(),
            at: UnixSecs::default(),
            authenticated_at: None,
            scopes: Vec::new(),
            audiences: Vec::new(),
            version: None,
            acr: None,
            label: None,
            log_out_at: None,
        }
    }

    /// Adds to the scopes that the user has granted to the client: one, or several separated by spaces. No later access token has more.
    #[must_use]
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.extend(space_separated(scope).map(str::to_owned));
        self
    }

    /// Adds a service that access tokens are for. Defaults to the only one of the specification.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Sets the subject's token version at this moment. All access tokens of the session have it, so that
    /// [`raise_version`](super::Sessions::raise_version) ends them, also those that are being minted meanwhile. Once a user's version was raised, each
    /// log-in of that user needs the current one.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Sets when the user was authenticated (`auth_time`), if that was before this call: with a session of a single sign-on, perhaps yesterday. An
    /// instant in the future counts as now. Defaults to now.
    #[must_use]
    pub fn authenticated_at(self, at: UnixTime) -> Self {
        Self { authenticated_at: Some(UnixSecs(at.as_secs())), ..self }
    }

    /// Sets when it was decided that there is to be a session, if that was before it is opened. What ended the user's sessions since then ends it.
    #[must_use]
    pub(crate) fn decided_at(self, at: UnixTime) -> Self {
        Self { at: UnixSecs(at.as_secs()), ..self }
    }

    /// Sets how the user logged in (`acr`).
    #[must_use]
    pub fn acr(self, class: impl Into<String>) -> Self {
        Self { acr: Some(class.into()), ..self }
    }

    /// Sets the name under which the user finds the session in a list, such as the device's.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Sets the URI at which the client is told that the session has ended (OpenID Connect Back-Channel Logout 1.0): see
    /// [`tell_clients`](super::Sessions::tell_clients). The session keeps it. Defaults to none.
    #[doc(alias = "backchannel_logout_uri")]
    #[must_use]
    pub fn back_channel_logout_uri(self, uri: impl Into<String>) -> Self {
        Self { log_out_at: Some(uri.into()), ..self }
    }

    /// Makes sure that every store and the log of revocations can keep the names, and that they tell the user from the client.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        check_name("subject", &self.subject)?;
        check_name("client's id", &self.client_id)?;
        if self.subject.starts_with(ORGANISATION) {
            return Err(ConfigError::new(
                "the user is named like an organisation that has API tokens: no user's name begins with `organisation:`",
            ));
        }
        if self.subject == self.client_id {
            // Services would take the user for the client (RFC 9068 section 5).
            return Err(ConfigError::new("the user of a log-in has the name of its client"));
        }
        Ok(())
    }

    /// Returns the user.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the client.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Sets when the session is opened, unless it was decided before.
    pub(super) fn open_at(&mut self, now: UnixTime) {
        let decided = if self.at.0 == 0 { now.as_secs() } else { self.at.0.min(now.as_secs()) };
        self.at = UnixSecs(decided);
        self.authenticated_at = self.authenticated_at.map(|at| UnixSecs(at.0.min(decided)));
    }

    /// Returns when the session was opened, or allowed before: what ended the user's sessions since then ends it, too.
    pub fn at(&self) -> UnixTime {
        UnixTime::from_secs(self.at.0)
    }

    /// Returns when the user was authenticated: when the session was opened, unless [an earlier instant](Self::authenticated_at) was set.
    pub fn auth_time(&self) -> UnixTime {
        UnixTime::from_secs(self.authenticated_at.unwrap_or(self.at).0)
    }

    /// Returns the granted scopes.
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Returns the services that access tokens are for; none for the only one of the specification.
    pub fn audiences(&self) -> impl ExactSizeIterator<Item = &str> {
        self.audiences.iter().map(String::as_str)
    }

    /// Returns the subject's token version at the log-in.
    pub fn token_version(&self) -> Option<u64> {
        self.version
    }

    /// Returns the name of the session.
    pub fn name(&self) -> Option<&str> {
        self.label.as_deref()
    }
}

/// Shows the client, but not the user.
impl fmt::Debug for LogIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogIn").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
