//! How an issuer writes things down that no RFC settles.

use std::{fmt, sync::Arc};

/// Where an issuer's tokens hold roles, and what its scopes imply.
#[derive(Clone)]
pub struct Conventions {
    issuer: Arc<str>,
    roles_at: Vec<String>,
    scope_rule: Option<Arc<ScopeRule>>,
}

/// Whether a granted scope, the first, covers a needed one, the second.
type ScopeRule = dyn Fn(&str, &str) -> bool + Send + Sync;

impl Conventions {
    /// Those of an issuer that writes roles to the claim `roles` and means its scopes literally.
    pub fn new(issuer: impl Into<Arc<str>>) -> Self {
        Self { issuer: issuer.into(), roles_at: Vec::new(), scope_rule: None }
    }

    /// Adds a place where roles stand: a JSON pointer (RFC 6901) such as `/realm_access/roles`.
    ///
    /// Several places add up. Defaults to `/roles`.
    #[must_use]
    pub fn roles_at(mut self, pointer: impl Into<String>) -> Self {
        self.roles_at.push(pointer.into());
        self
    }

    /// Lets a granted scope cover others: `rule(granted, needed)`.
    ///
    /// A scope always covers itself. Defaults to covering nothing else (RFC 6749 section 3.3: scopes are opaque).
    #[must_use]
    pub fn scope_rule(mut self, rule: impl Fn(&str, &str) -> bool + Send + Sync + 'static) -> Self {
        self.scope_rule = Some(Arc::new(rule));
        self
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn role_places(&self) -> impl Iterator<Item = &str> {
        let default = self.roles_at.is_empty().then_some("/roles");
        default.into_iter().chain(self.roles_at.iter().map(String::as_str))
    }

    pub(crate) fn covers(&self, granted: &str, needed: &str) -> bool {
        granted == needed || self.scope_rule.as_ref().is_some_and(|rule| rule(granted, needed))
    }
}

impl fmt::Debug for Conventions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conventions")
            .field("issuer", &self.issuer)
            .field("roles_at", &self.role_places().collect::<Vec<_>>())
            .field("scope_rule", &self.scope_rule.as_ref().map(|_| "a closure"))
            .finish()
    }
}
