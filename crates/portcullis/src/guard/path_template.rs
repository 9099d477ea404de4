//! [`PathTemplate`]: a route's path with named parameters.

use http::Uri;
use matchit::{Params, Router};
use percent_encoding::percent_decode_str;
use portcullis_core::{AuthError, Code, ConfigError};

use crate::requirement::{
    PathParams, Requirement,
    placeholders::{self, Piece},
};

/// One route's path, in axum's syntax: `/instances/{instance}`, `/files/{*path}`.
#[derive(Clone, Debug)]
pub(crate) struct PathTemplate(Router<()>);

impl PathTemplate {
    pub(crate) fn new(template: &str) -> Result<Self, ConfigError> {
        parameter_names(template).map_err(ConfigError::new)?;
        let mut router = Router::new();
        router.insert(template, ()).map_err(|error| ConfigError::new(format!("the path {template:?}: {error}")))?;
        Ok(Self(router))
    }

    /// Returns the parameters of a path.
    ///
    /// If the template does not match the path, the answer is 403: no access can have been granted on such a path. It is not 500, because
    /// the client chooses the path.
    pub(crate) fn params(&self, uri: &Uri) -> Result<PathParams, AuthError> {
        match self.0.at(uri.path()) {
            Ok(matched) => decode(&matched.params),
            Err(_) => Err(AuthError::new(Code::RequirementNotMet)
                .with_explanation("the request's path does not match the guard's template")),
        }
    }
}

/// Returns the parameters, percent-decoded once, like axum's `Path`.
pub(crate) fn decode(params: &Params<'_, '_>) -> Result<PathParams, AuthError> {
    let decode = |(name, value): (&str, &str)| match percent_decode_str(value).decode_utf8() {
        Ok(value) => Ok((name.to_owned(), value.into_owned())),
        // No access can have been granted on a resource whose name is not text.
        Err(_) => Err(AuthError::new(Code::RequirementNotMet)
            .with_explanation(format!("the path parameter {name:?} of the request is not UTF-8"))),
    };
    params.iter().map(decode).collect::<Result<Vec<_>, _>>().map(PathParams::from_iter)
}

/// Returns everything that is wrong with a requirement on a route with this template.
pub(crate) fn problems(template: &str, requirement: &Requirement) -> Vec<String> {
    let mut problems = requirement.problems();
    match parameter_names(template) {
        Ok(names) => {
            let lacking = |name: &&str| !names.iter().any(|known| known == name);
            let problem =
                |name| format!("{requirement} compares with the path parameter {name:?}, which {template:?} lacks");
            problems.extend(requirement.parameters().into_iter().filter(lacking).map(problem));
        }
        Err(problem) => problems.push(problem),
    }
    problems
}

/// Returns the names in a template, or what is wrong with it. Follows axum's rules: what axum refuses is refused here too.
pub(crate) fn parameter_names(template: &str) -> Result<Vec<String>, String> {
    if !template.starts_with('/') {
        return Err(format!("the path {template:?} does not start with `/`"));
    }
    if template.split('/').any(|segment| segment.starts_with([':', '*'])) {
        return Err(format!("the path {template:?} has a segment with `:` or `*`: write `{{name}}` or `{{*name}}`"));
    }
    let pieces = placeholders::parse(template).ok_or_else(|| format!("the path {template:?} has unbalanced braces"))?;
    let mut names: Vec<String> = Vec::new();
    for piece in pieces {
        let Piece::Name(name) = piece else { continue };
        let name = name.strip_prefix('*').unwrap_or(&name).to_owned();
        if names.contains(&name) {
            return Err(format!("the path {template:?} has the parameter {name:?} twice: rename one of them"));
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(template: &str, uri: &str) -> Option<String> {
        let template = PathTemplate::new(template).unwrap();
        template.params(&uri.parse().unwrap()).ok()?.get("id").map(str::to_owned)
    }

    #[test]
    fn parameters_are_decoded_once() {
        assert_eq!(param("/a/{id}", "/a/x").as_deref(), Some("x"));
        assert_eq!(param("/a/{id}", "/a/x%2Fy?z=1").as_deref(), Some("x/y"));
        assert_eq!(param("/a/{id}", "/a/%252F").as_deref(), Some("%2F"));
        assert_eq!(param("/a/{*id}", "/a/x/y").as_deref(), Some("x/y"));
    }

    #[test]
    fn a_path_that_does_not_match_is_refused() {
        for uri in ["/a", "/a/", "/a/x/", "/a/x/y", "//a/x", "/%61/x"] {
            assert_eq!(param("/a/{id}", uri), None, "{uri}");
        }
    }

    #[test]
    fn a_parameter_that_is_not_text_is_refused() {
        let template = PathTemplate::new("/a/{id}").unwrap();
        let error = template.params(&"/a/%FF".parse().unwrap()).unwrap_err();
        assert_eq!(error.code(), Code::RequirementNotMet);
    }

    #[test]
    fn bad_templates_are_refused_at_start() {
        for template in ["", "a", "/{", "/:id", "/*all", "/{a}/{a}", "/{*a}/b", "/{a}b"] {
            assert!(PathTemplate::new(template).is_err(), "{template:?}");
        }
        for template in ["/", "/{a}/{b}", "/x-{a}", "/{{a}}", "/{*a}"] {
            assert!(PathTemplate::new(template).is_ok(), "{template:?}");
        }
    }
}
