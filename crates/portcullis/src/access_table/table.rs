//! The list.

use std::fmt;

use portcullis_core::ConfigError;

use super::{Access, AccessLayer, ListedRoute, RouteMethod, matching::Matching};
use crate::Requirement;

/// The list of every route of a service with who may use it. [`Display`](fmt::Display) prints it as an aligned table.
///
/// See the [module docs](crate::access_table) for the rules. Routes are printed in the order in which they are listed.
#[derive(Clone, Debug, Default)]
pub struct AccessTable {
    routes: Vec<ListedRoute>,
}

impl AccessTable {
    /// An empty table: everything is refused.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists a route that everybody may use, without a credential, too.
    #[must_use]
    pub fn public(self, method: impl Into<RouteMethod>, path: impl Into<String>) -> Self {
        self.list(method.into(), path.into(), Access::Public)
    }

    /// Lists a route that every caller with a verified token may use.
    #[must_use]
    pub fn authenticated(self, method: impl Into<RouteMethod>, path: impl Into<String>) -> Self {
        self.list(method.into(), path.into(), Access::Authenticated)
    }

    /// Lists a route that everybody may use who meets `requirement`.
    ///
    /// The path's parameters are there for [`param`](crate::requirement::param) to compare with.
    #[must_use]
    pub fn require(self, method: impl Into<RouteMethod>, path: impl Into<String>, requirement: Requirement) -> Self {
        self.list(method.into(), path.into(), Access::Require(requirement))
    }

    /// Adds the routes of another table, as `Router::merge` does.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self
    }

    /// Adds the routes of another table below a prefix, as `Router::nest` does.
    #[must_use]
    pub fn nest(mut self, prefix: &str, other: &Self) -> Self {
        self.routes.extend(other.routes().map(|route| route.below(prefix)));
        self
    }

    /// The routes, in the order in which they are listed.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &ListedRoute> {
        self.routes.iter()
    }

    /// The guard.
    ///
    /// # Errors
    ///
    /// With every problem: malformed paths, routes that are listed twice or in conflict, requirements that compare with
    /// a parameter that their path lacks or that nobody can meet.
    pub fn layer(&self) -> Result<AccessLayer, ConfigError> {
        Matching::new(&self.routes).map(AccessLayer::new)
    }

    fn list(mut self, method: RouteMethod, path: String, access: Access) -> Self {
        self.routes.push(ListedRoute::new(method, path, access));
        self
    }
}

#[expect(clippy::into_iter_without_iter, reason = "it is called `routes`")]
impl<'t> IntoIterator for &'t AccessTable {
    type Item = &'t ListedRoute;
    type IntoIter = std::slice::Iter<'t, ListedRoute>;

    fn into_iter(self) -> Self::IntoIter {
        self.routes.iter()
    }
}

impl fmt::Display for AccessTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cells =
            self.routes.iter().map(|route| (route.method().to_string(), route.path(), route.access().to_string()));
        let head = (String::from("METHOD"), "PATH", String::from("REQUIREMENT"));
        let lines: Vec<_> = std::iter::once(head).chain(cells).collect();
        let width = |of: fn(&(String, &str, String)) -> usize| lines.iter().map(of).max().unwrap_or_default();
        let (methods, paths) = (width(|line| line.0.chars().count()), width(|line| line.1.chars().count()));
        lines.iter().enumerate().try_for_each(|(place, (method, path, requirement))| {
            let line_break = if place == 0 { "" } else { "\n" };
            write!(f, "{line_break}{method:methods$}  {path:paths$}  {requirement}")
        })
    }
}
