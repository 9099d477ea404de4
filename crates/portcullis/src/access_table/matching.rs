//! Finds the entry of the table that applies to a request.

use std::collections::BTreeMap;

use http::{Method, Uri};
use matchit::Router;
use portcullis_core::{AuthError, ConfigError};

use super::{Access, ListedRoute, RouteMethod};
use crate::{
    guard::path_template::{decode, parameter_names, problems},
    requirement::PathParams,
};

/// The table, prepared for look-ups.
#[derive(Clone, Debug)]
pub(super) struct Matching(Router<ListedPath>);

/// All entries of one path.
#[derive(Clone, Debug)]
struct ListedPath {
    template: String,
    lines: Vec<(RouteMethod, Access)>,
}

/// The entry that applies to a request.
pub(super) struct Line<'m> {
    pub(super) template: &'m str,
    pub(super) access: &'m Access,
    pub(super) params: PathParams,
}

impl Matching {
    pub(super) fn new(routes: &[ListedRoute]) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut paths: BTreeMap<&str, Vec<(RouteMethod, Access)>> = BTreeMap::new();
        for route in routes {
            let lines = paths.entry(route.path()).or_default();
            if lines.iter().any(|(method, _)| method == route.method()) {
                problems.push(format!("{} {} is listed twice", route.method(), route.path()));
            }
            lines.push((route.method().clone(), route.access().clone()));
            problems.extend(problems_of(route));
        }
        let mut router = Router::new();
        for (template, lines) in paths {
            let path = ListedPath { template: template.to_owned(), lines };
            // Malformed ones have already been reported.
            if parameter_names(template).is_ok()
                && let Err(conflict) = router.insert(template, path)
            {
                problems.push(format!("the path {template:?}: {conflict}"));
            }
        }
        ConfigError::check(problems).map(|()| Self(router))
    }

    /// Returns the entry for a request; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If the path's parameters are not text and a requirement needs them.
    pub(super) fn find(&self, method: &Method, uri: &Uri) -> Result<Option<Line<'_>>, AuthError> {
        let Ok(matched) = self.0.at(uri.path()) else { return Ok(None) };
        let path = matched.value;
        let Some(access) = path.access(method) else { return Ok(None) };
        let params = match access {
            Access::Require(requirement) if requirement.sees_path() => decode(&matched.params)?,
            Access::Require(_) | Access::Authenticated | Access::Public => PathParams::new(),
        };
        Ok(Some(Line { template: &path.template, access, params }))
    }
}

impl ListedPath {
    /// Looks up the method in the same order as axum's `MethodRouter`.
    fn access(&self, method: &Method) -> Option<&Access> {
        let listed = |wanted: Option<&Method>| self.lines.iter().find(|(known, _)| known.method() == wanted);
        let line = listed(Some(method));
        let line = line.or_else(|| (method == Method::HEAD).then(|| listed(Some(&Method::GET))).flatten());
        line.or_else(|| listed(None)).map(|(_, access)| access)
    }
}

fn problems_of(route: &ListedRoute) -> Vec<String> {
    let found = match route.access() {
        Access::Require(requirement) => problems(route.path(), requirement),
        Access::Public | Access::Authenticated => parameter_names(route.path()).err().into_iter().collect(),
    };
    found.into_iter().map(|problem| format!("{} {}: {problem}", route.method(), route.path())).collect()
}
