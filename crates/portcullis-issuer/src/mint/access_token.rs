//! [`AccessToken`]: the content of an access token.

use std::{fmt, time::Duration};

use portcullis_core::{UnixTime, verified::NoCustom};

use super::ActingParty;
use crate::space_separated::space_separated;

/// The content of an access token, to be minted by a [`TokenIssuer`](super::TokenIssuer).
///
/// Issuer, times, id and key come from the issuer. `C` are the application's own claims ([`custom`](Self::custom)).
///
/// ```
/// use portcullis_issuer::AccessToken;
///
/// #[derive(serde::Serialize)]
/// struct Tenant {
///     tenant: String,
/// }
///
/// let content = AccessToken::for_user("alice", "web")
///     .scope("orders:read orders:write")
///     .role("clerk")
///     .session("s-17")
///     .custom(Tenant { tenant: "acme".to_owned() });
/// ```
#[derive(Clone)]
#[must_use = "a token is nothing until it is minted"]
pub struct AccessToken<C = NoCustom> {
    pub(super) subject: String,
    pub(super) client_id: String,
    pub(super) audiences: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
    pub(super) session: Option<String>,
    pub(super) version: Option<u64>,
    pub(super) actor: Option<ActingParty>,
    pub(super) authenticated_at: Option<UnixTime>,
    pub(super) acr: Option<String>,
    pub(super) lifetime: Option<Duration>,
    pub(super) ends_by: Option<UnixTime>,
    pub(super) custom: Option<C>,
}

impl AccessToken {
    /// Begins the content of a token with which the client `client_id` acts for the user `subject`.
    pub fn for_user(subject: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            client_id: client_id.into(),
            audiences: Vec::new(),
            scopes: Vec::new(),
            roles: Vec::new(),
            session: None,
            version: None,
            actor: None,
            authenticated_at: None,
            acr: None,
            lifetime: None,
            ends_by: None,
            custom: None,
        }
    }

    /// Begins the content of a token with which an application acts for itself: its subject is the client (RFC 9068 section 2.2).
    pub fn for_application(client_id: impl Into<String>) -> Self {
        let client_id = client_id.into();
        Self::for_user(client_id.clone(), client_id)
    }
}

impl<C> AccessToken<C> {
    /// Adds a service that the token is for (`aud`): one of those of the specification. Defaults to the only one that the specification has.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Adds to `scope` (RFC 6749 section 3.3): one scope, or several separated by spaces. Defaults to none.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.extend(space_separated(scope).map(str::to_owned));
        self
    }

    /// Adds a role to `roles` (RFC 9068 section 2.2.3.1). Defaults to none.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Sets `sid`, the session, so that the token ends with it. Defaults to none.
    pub fn session(self, id: impl Into<String>) -> Self {
        Self { session: Some(id.into()), ..self }
    }

    /// Sets `ver`, the subject's token version **when it logged in**: a version that was revoked since then ends the token. Defaults to
    /// none.
    pub fn version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Sets `act`, the party that acts for the subject (RFC 8693 section 4.1). Defaults to none.
    pub fn actor(self, actor: impl Into<ActingParty>) -> Self {
        Self { actor: Some(actor.into()), ..self }
    }

    /// Sets `auth_time`, when the subject logged in. Defaults to none.
    pub fn authenticated_at(self, instant: UnixTime) -> Self {
        Self { authenticated_at: Some(instant), ..self }
    }

    /// Sets `acr`, how the subject logged in. Defaults to none.
    pub fn acr(self, class: impl Into<String>) -> Self {
        Self { acr: Some(class.into()), ..self }
    }

    /// Sets how long the token is valid, if that is shorter than the lifetime of the specification.
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// Ends the token at `instant` at the latest: the end of its session, for example. Minting a token that has already ended is an error.
    pub fn ends_by(self, instant: UnixTime) -> Self {
        let ends_by = self.ends_by.map_or(instant, |earlier| earlier.min(instant));
        Self { ends_by: Some(ends_by), ..self }
    }

    /// Sets the application's own claims: a struct or a map, whose members become claims. A member whose name is that of a registered
    /// claim is an error. Defaults to none.
    pub fn custom<D>(self, claims: D) -> AccessToken<D> {
        AccessToken {
            subject: self.subject,
            client_id: self.client_id,
            audiences: self.audiences,
            scopes: self.scopes,
            roles: self.roles,
            session: self.session,
            version: self.version,
            actor: self.actor,
            authenticated_at: self.authenticated_at,
            acr: self.acr,
            lifetime: self.lifetime,
            ends_by: self.ends_by,
            custom: Some(claims),
        }
    }
}

/// Shows the client, but no claims: they are personal data.
impl<C> fmt::Debug for AccessToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
