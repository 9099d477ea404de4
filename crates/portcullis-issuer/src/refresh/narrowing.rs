//! [`Narrowing`]: what a client asks of one access token.

use std::{fmt, time::Duration};

use portcullis_core::policy::TokenSpec;

use super::LogIn;
use crate::space_separated::space_separated;

/// What a client asks of one access token: less than its session allows. The default asks for all of it.
///
/// It is about this one token. The next refresh may ask for all of the session again (RFC 6749 section 6).
///
/// ```
/// use portcullis_issuer::refresh::Narrowing;
///
/// let narrowing = Narrowing::new().scope("orders:read").audience("https://orders.example.com");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Narrowing {
    pub(super) scopes: Option<Vec<String>>,
    pub(super) audiences: Vec<String>,
    pub(super) lifetime: Option<Duration>,
    is_for_one: bool,
    within: Option<(Vec<String>, Vec<String>)>,
}

/// What a client has asked for, and its session does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exceeds {
    /// A scope: `invalid_scope` (RFC 6749 section 5.2).
    Scope,
    /// A service: `invalid_target` (RFC 8707 section 2).
    Audience,
    /// A token for several services, although each token is to be for one: `invalid_target`.
    SeveralAudiences,
}

impl Narrowing {
    /// Asks for all that the session allows.
    pub const fn new() -> Self {
        Self { scopes: None, audiences: Vec::new(), lifetime: None, is_for_one: false, within: None }
    }

    /// Asks for these scopes, and for those of earlier calls: one, or several separated by spaces.
    pub fn scope(mut self, scope: &str) -> Self {
        let scopes = space_separated(scope).map(str::to_owned);
        self.scopes.get_or_insert_default().extend(scopes);
        self
    }

    /// Asks for a token for this service, and for those of earlier calls.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Asks for a token that is valid for this long at most.
    pub const fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Asks for a token for one service: if the session is for several, one has to be [named](Self::audience). With a token for all, each of
    /// them could act as the client at the others.
    pub const fn for_one_audience(mut self) -> Self {
        self.is_for_one = true;
        self
    }

    /// Leaves out what is not among these, of which each is what a client may have now. It is no error, as the client has not asked for it.
    pub(crate) fn within(mut self, scopes: Vec<String>, audiences: Vec<String>) -> Self {
        self.within = Some((scopes, audiences));
        self
    }

    /// Returns whether a token may have this scope of its session.
    pub(super) fn has_scope(&self, scope: &String) -> bool {
        let has = |list: Option<&Vec<String>>| list.is_none_or(|list| list.contains(scope));
        has(self.scopes.as_ref()) && has(self.within.as_ref().map(|(scopes, _)| scopes))
    }

    /// Returns the services that a token of this session is for: those that were asked for, or all. None means the only one of the specification.
    pub(super) fn audiences<'a>(&'a self, log_in: &'a LogIn) -> Vec<&'a String> {
        let wanted = if self.audiences.is_empty() { &log_in.audiences } else { &self.audiences };
        let is_within = |audience: &&String| self.within.as_ref().is_none_or(|(_, within)| within.contains(audience));
        wanted.iter().filter(is_within).collect()
    }

    /// Makes sure that the log-in has granted all of it.
    pub(super) fn check(&self, log_in: &LogIn, spec: &TokenSpec) -> Result<(), Exceeds> {
        let has_scopes = self.scopes.iter().flatten().all(|scope| log_in.scopes.contains(scope));
        // A log-in without a service is for the only one of the specification.
        let only = spec.audiences().next().filter(|_| log_in.audiences.is_empty() && spec.audiences().len() == 1);
        let is_granted = |audience: &String| log_in.audiences.contains(audience) || only == Some(audience);
        let has_audiences = self.audiences.iter().all(is_granted);
        let audiences = self.audiences(log_in);
        let is_none_left = audiences.is_empty() && !(log_in.audiences.is_empty() && self.audiences.is_empty());
        match (has_scopes, has_audiences) {
            (false, _) => Err(Exceeds::Scope),
            (true, false) => Err(Exceeds::Audience),
            (true, true) if is_none_left => Err(Exceeds::Audience),
            (true, true) if self.is_for_one && audiences.len() > 1 => Err(Exceeds::SeveralAudiences),
            (true, true) => Ok(()),
        }
    }
}

impl fmt::Display for Exceeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Scope => "a scope that the session does not have was asked for",
            Self::Audience => "a service that the session is not for was asked for",
            Self::SeveralAudiences => "the token would be for several services: name one of them",
        })
    }
}
