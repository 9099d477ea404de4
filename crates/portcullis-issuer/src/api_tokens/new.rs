//! [`NewApiToken`]: what a token is to be.

use std::{fmt, time::Duration};

use portcullis_core::ConfigError;

use super::{ApiTokenKind, Grant, Grants, Owner};

/// What a token is to be, for [`ApiTokens::create`](super::ApiTokens::create) and [`derive`](super::ApiTokens::derive).
///
/// `Debug` shows its kind, but no name and no rights.
#[derive(Clone)]
pub struct NewApiToken {
    pub(super) kind: ApiTokenKind,
    pub(super) owner: Owner,
    pub(super) name: String,
    pub(super) grants: Vec<Grant>,
    pub(super) lifetime: Lifetime,
    pub(super) created_by: String,
}

/// How long a token lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime {
    Default,
    For(Duration),
    Unlimited,
}

/// How long the name of a token, of a role, an instance or a scope may be, in bytes.
const MOST_BYTES: usize = 255;

impl NewApiToken {
    /// Returns a token of this kind and owner, and what its owner calls it, without rights.
    pub fn new(kind: ApiTokenKind, owner: Owner, name: impl Into<String>) -> Self {
        let (grants, created_by) = (Vec::new(), String::new());
        Self { kind, owner, name: name.into(), grants, lifetime: Lifetime::Default, created_by }
    }

    /// Adds a right.
    #[must_use]
    pub fn grant(mut self, grant: Grant) -> Self {
        self.grants.push(grant);
        self
    }

    /// Lets it live this long, in whole milliseconds. Defaults to the service's [default](super::ApiTokensBuilder::default_lifetime), 90 days.
    #[doc(alias = "ttl")]
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime: Lifetime::For(lifetime), ..self }
    }

    /// Lets it live until it is revoked, if the service [allows](super::ApiTokensBuilder::allow_unlimited) that.
    #[must_use]
    pub fn unlimited(self) -> Self {
        Self { lifetime: Lifetime::Unlimited, ..self }
    }

    /// Says who makes it, for the audit log: a user's or a program's id. It has to be said.
    #[must_use]
    pub fn created_by(self, who: impl Into<String>) -> Self {
        Self { created_by: who.into(), ..self }
    }

    /// Returns the rights, if everything is as it has to be.
    pub(super) fn check(&self) -> Result<Grants, ConfigError> {
        let problems = [
            (!is_text(&self.name, MOST_BYTES), "its name is empty, too long, or has a control character"),
            (!is_text(&self.created_by, Owner::BYTE_LIMIT), "nothing says who makes it: call `created_by`"),
            (!is_text(self.owner.id(), Owner::BYTE_LIMIT), "its owner has no id, or one that cannot be kept"),
            (
                matches!(&self.owner, Owner::Application(id) if id.starts_with(Owner::ORGANISATION)),
                "its owner is an application whose id begins with `organisation:`, as those of organisations do",
            ),
            (!self.fits_owner(), "its kind is not one that its owner can have"),
            (self.grants.is_empty(), "it may do nothing: add a grant"),
            (self.grants.len() > Grants::LIMIT, "it has more than 200 grants"),
            (!self.grants.iter().all(is_fit), "one of its grants is empty, too long, or has a forbidden character"),
            (!self.has_fitting_grants(), "a token for a role on one instance has exactly that one grant"),
        ];
        match problems.into_iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, problem)) => Err(ConfigError::new(format!("the token cannot be made: {problem}"))),
            None => Ok(self.grants.iter().cloned().collect()),
        }
    }

    fn fits_owner(&self) -> bool {
        match self.kind {
            ApiTokenKind::Application => matches!(self.owner, Owner::Application(_)),
            ApiTokenKind::UserToPlatform => matches!(self.owner, Owner::User(_)),
            ApiTokenKind::ServiceAccount => matches!(self.owner, Owner::Organisation(_)),
            ApiTokenKind::RoleToInstance => matches!(self.owner, Owner::User(_) | Owner::Organisation(_)),
            ApiTokenKind::Imported => true,
        }
    }

    fn has_fitting_grants(&self) -> bool {
        self.kind != ApiTokenKind::RoleToInstance || matches!(self.grants[..], [Grant::Role { .. }])
    }
}

/// Whether every store and log can keep it.
pub(super) fn is_text(text: &str, most_bytes: usize) -> bool {
    !text.is_empty() && text.len() <= most_bytes && !text.chars().any(char::is_control)
}

fn is_fit(grant: &Grant) -> bool {
    match grant {
        // RFC 6749 section 3.3
        Grant::Scope(scope) => {
            is_text(scope, MOST_BYTES) && scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
        }
        Grant::Role { role, instance } => is_text(role, MOST_BYTES) && is_text(instance, MOST_BYTES),
        Grant::RoleEverywhere(role) => is_text(role, MOST_BYTES),
        Grant::Everything => true,
    }
}

impl fmt::Debug for NewApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiToken").field("kind", &self.kind).field("owner", &self.owner).finish_non_exhaustive()
    }
}
