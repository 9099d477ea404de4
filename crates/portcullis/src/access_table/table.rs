//! [`AccessTable`]: the list of routes.

use std::fmt;

use http::Extensions;
use portcullis_core::ConfigError;

use super::{Access, AccessLayer, ListedRoute, RouteMethod, matching::Matching};
use crate::{Requirement, guard::path_template::parameter_names};

/// Lists every route of a service with who may use it. [`Display`](fmt::Display) prints it as an aligned table.
///
/// See the [module docs](crate::access_table) for the rules. Routes are printed in the order in which they were listed.
#[doc(alias = "acl")]
#[doc(alias = "routes")]
#[doc(alias = "permissions")]
#[derive(Clone, Debug, Default)]
pub struct AccessTable {
    routes: Vec<ListedRoute>,
}

impl AccessTable {
    /// Returns an empty table, which refuses every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists a route that everyone may use, even without a credential.
    #[must_use]
    pub fn public(self, method: impl Into<RouteMethod>, path: impl Into<String>) -> Self {
        self.list(method.into(), path.into(), Access::Public)
    }

    /// Lists a route that every caller with a verified token may use.
    #[must_use]
    pub fn authenticated(self, method: impl Into<RouteMethod>, path: impl Into<String>) -> Self {
        self.list(method.into(), path.into(), Access::Authenticated)
    }

    /// Lists a route that every caller may use who meets `requirement`.
    ///
    /// The requirement can compare with the path's parameters: [`param`](crate::requirement::param).
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

    /// Returns the routes, in the order in which they were listed.
    pub fn routes(&self) -> impl ExactSizeIterator<Item = &ListedRoute> {
        self.routes.iter()
    }

    /// Returns the guard of a table whose paths have no parameters.
    ///
    /// # Errors
    ///
    /// If the table has mistakes; the error lists all of them: malformed paths, routes that are listed twice or in conflict, requirements
    /// that compare with a parameter that their path lacks, or that no caller can meet.
    ///
    /// If a path has a parameter. Otherwise `/admin`, a route that the router has and the table does not list, would be treated as
    /// `/{page}`. Use [`layer_with`](Self::layer_with) instead.
    pub fn layer(&self) -> Result<AccessLayer, ConfigError> {
        let matching = Matching::new(&self.routes)?;
        let problem = |route: &ListedRoute| {
            format!(
                "the path {:?} has a parameter, so that a route that is not listed may be taken for it: use `layer_with` and \
                 give it the router's own match",
                route.path()
            )
        };
        let with_parameters = self.routes.iter().filter(|route| has_parameters(route.path()));
        ConfigError::check(with_parameters.map(problem).collect())?;
        Ok(AccessLayer::new(matching, None))
    }

    /// Returns the guard of any table, for a router that matches before its layers run, such as axum's. The guard compares each request's
    /// entry with the template that the router has matched, which `matched_path` finds in the request's extensions. If the two differ,
    /// the request is refused as unlisted.
    ///
    /// A fallback has no template and is refused too; serve it as a route, `/{*path}`, instead. With axum:
    ///
    /// ```
    /// # fn main() -> Result<(), portcullis::ConfigError> {
    /// use axum::extract::MatchedPath;
    ///
    /// # let table = portcullis::AccessTable::new();
    /// let layer = table.layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;
    /// # let _ = layer;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the table has mistakes, as for [`layer`](Self::layer).
    pub fn layer_with(&self, matched_path: fn(&Extensions) -> Option<&str>) -> Result<AccessLayer, ConfigError> {
        Ok(AccessLayer::new(Matching::new(&self.routes)?, Some(matched_path)))
    }

    /// Returns the guard of any table, **without comparing with the template that the router has matched**.
    ///
    /// For a router that cannot tell the template. This is weaker: a route that the router has and the table does not list is open on the
    /// conditions of any listed template that matches its path. If `/{page}` is listed as public, a forgotten `/admin` is public. Compare
    /// the router's routes with the table in a test, and list no template that matches more than its own route.
    ///
    /// # Errors
    ///
    /// If the table has mistakes, as for [`layer`](Self::layer).
    pub fn danger_layer_without_matched_path(&self) -> Result<AccessLayer, ConfigError> {
        Ok(AccessLayer::new(Matching::new(&self.routes)?, None))
    }

    fn list(mut self, method: RouteMethod, path: String, access: Access) -> Self {
        self.routes.push(ListedRoute::new(method, path, access));
        self
    }
}

fn has_parameters(template: &str) -> bool {
    parameter_names(template).is_ok_and(|names| !names.is_empty())
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
