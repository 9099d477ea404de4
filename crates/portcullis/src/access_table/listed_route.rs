//! One line of the table.

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

    /// The method.
    pub fn method(&self) -> &RouteMethod {
        &self.method
    }

    /// The path's template, in axum's syntax.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Who may use it.
    pub fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn below(&self, prefix: &str) -> Self {
        // As `Router::nest` joins them.
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
    /// Everybody, without a credential, too.
    Public,
    /// Every caller with a verified token.
    Authenticated,
    /// Every caller with a verified token that meets this.
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

/// The method of a listed route: one, or any that is not listed for the same path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RouteMethod(Option<Method>);

impl RouteMethod {
    /// Any method that is not listed for the same path: what axum's `any` serves. Printed as `ANY`.
    pub const ANY: Self = Self(None);

    /// The method; `None` for any.
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
