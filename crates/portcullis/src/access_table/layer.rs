//! [`AccessLayer`]: the guard that an access table makes.

use std::{fmt, sync::Arc};

use http::Extensions;
use portcullis_core::{AuthError, Code};
use tower_layer::Layer;

use super::{
    Access,
    matching::{Line, Matching},
};
use crate::{
    explain::RouteGuard,
    guard::{Asked, Decide, GuardService},
    location::RequestHead,
    rejection::InheritedRejection,
};

/// Admits only requests that an [`AccessTable`](crate::AccessTable) lists, on the conditions of its entry.
///
/// See the [module docs](crate::access_table) for the rules. Cheap to clone. The type parameter `R` answers refusals.
#[derive(Clone)]
pub struct AccessLayer<R = InheritedRejection> {
    terms: Arc<Terms>,
    rejection: R,
}

impl AccessLayer {
    pub(super) fn new(matching: Matching, matched_path: Option<MatchedPathHook>) -> Self {
        let terms = Terms { matching, matched_path };
        Self { terms: Arc::new(terms), rejection: InheritedRejection }
    }
}

impl<R> AccessLayer<R> {
    /// Answers refusals of this guard with `rejection`: [`GrpcStatus`](crate::rejection::GrpcStatus), or a closure.
    ///
    /// Defaults to the [`challenge`](crate::AuthLayer::challenge) of the [`AuthLayer`](crate::AuthLayer) in front.
    #[must_use]
    pub fn rejection<N>(self, rejection: N) -> AccessLayer<N> {
        AccessLayer { terms: self.terms, rejection }
    }
}

impl<R> From<&AccessLayer<R>> for RouteGuard {
    fn from(layer: &AccessLayer<R>) -> Self {
        Self::new(layer.terms.clone())
    }
}

impl<S, R: Clone> Layer<S> for AccessLayer<R> {
    type Service = GuardService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let terms = Arc::clone(&self.terms);
        GuardService::new(inner, terms, self.rejection.clone())
    }
}

impl<R> fmt::Debug for AccessLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLayer").field("terms", &self.terms).finish_non_exhaustive()
    }
}

/// Finds the template that the router has matched, in a request's extensions.
pub(super) type MatchedPathHook = fn(&Extensions) -> Option<&str>;

/// The settings of a layer.
#[derive(Clone, Debug)]
struct Terms {
    matching: Matching,
    /// `None` if no path of the table has a parameter, or if the developer vouches for the match.
    matched_path: Option<MatchedPathHook>,
}

impl Decide for Terms {
    fn ask(&self, head: RequestHead<'_>) -> Result<Asked<'_>, AuthError> {
        match self.find(head)? {
            Some(Line { access: Access::Public, .. }) => Ok(Asked::Nothing),
            Some(Line { access: Access::Authenticated, .. }) => Ok(Asked::Caller),
            Some(Line { access: Access::Require(requirement), params, .. }) => {
                Ok(Asked::Requirement(requirement, params))
            }
            None => {
                Err(AuthError::new(Code::RequirementNotMet).with_explanation("the route is not in the access table"))
            }
        }
    }
}

impl Terms {
    fn find(&self, head: RequestHead<'_>) -> Result<Option<Line<'_>>, AuthError> {
        let line = self.matching.find(head.method, head.uri)?;
        Ok(match self.matched_path {
            Some(hook) => line.filter(|line| hook(head.extensions) == Some(line.template)),
            None => line,
        })
    }
}
