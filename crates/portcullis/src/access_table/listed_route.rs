//! [`ListedRoute`]: one entry of the table.

use std::fmt;

use http::Method;

use crate::Requirement;

/// A route and who may use it.
#[derive(Clone, Debug)]
pub struct ListedRoute {
    method: RouteMethod,
    path: String,
    access: Access,
}

impl ListedRoute {
    pub(super) fn new(method: RouteMethod, path: String, access: Access) -> Self {
        Self { method, path, access }
    }

    /// Returns the method.
    pub fn method(&self) -> &RouteMethod {
        &self.method
    }

    /// Returns the path's template, in axum's syntax.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns who may use the route.
    pub fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn below(&self, prefix: &str) -> Self {
        // Joined like in `Router::nest`.
        let path = match (prefix.strip_suffix('/'), self.path.as_str()) {
            (Some(prefix), path) => format!("{prefix}{path}"),
            (None, "/") => prefix.to_owned(),
            (None, path) => format!("{prefix}{path}"),
        };
        Self { path, ..self.clone() }
    }
}

/// Who may use a route.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Access {
    /// Everyone, even without a credential.
    Public,
    /// Every caller with a verified token.
    Authenticated,
    /// Every caller with a verified token that meets this requirement.
    Require(Requirement),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Authenticated => f.write_str("authenticated"),
            Self::Require(requirement) => requirement.fmt(f),
        }
    }
}

/// The method of a listed route: one method, or all methods that are not listed for the same path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteMethod(Option<Method>);

impl RouteMethod {
    /// All methods that are not listed for the same path, which axum serves with `any`. Printed as `ANY`.
    pub const ANY: Self = Self(None);

    /// Returns the method; `None` for [`ANY`](Self::ANY).
    pub fn method(&self) -> Option<&Method> {
        self.0.as_ref()
    }
}

impl From<Method> for RouteMethod {
    fn from(method: Method) -> Self {
        Self(Some(method))
    }
}

impl fmt::Display for RouteMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.method().map_or("ANY", Method::as_str))
    }
}
