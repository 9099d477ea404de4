//! [`RequireLayer`]: the settings of a guard.

use std::{fmt, sync::Arc};

use portcullis_core::ConfigError;
use tower_layer::Layer;

use super::{GuardService, PathTemplate, path_template, rule::Rule};
use crate::{Requirement, explain::RouteGuard, rejection::InheritedRejection};

/// Lets through only requests whose caller meets a requirement.
///
/// See the [module docs](crate::guard) for the rules. Cheap to clone. The type parameter `R` answers refusals.
#[doc(alias = "authorize")]
#[doc(alias = "RequireAuthorizationLayer")]
#[doc(alias = "permission")]
#[doc(alias = "rbac")]
#[derive(Clone)]
pub struct RequireLayer<R = InheritedRejection> {
    rule: Arc<Rule>,
    rejection: R,
}

impl RequireLayer {
    /// Requires this of every caller.
    pub fn new(requirement: Requirement) -> Self {
        let rule = Rule { requirement, template: None };
        Self { rule: Arc::new(rule), rejection: InheritedRejection }
    }
}

impl<R> RequireLayer<R> {
    /// Takes path parameters from the request by this template, in axum's syntax: `/instances/{instance}`.
    ///
    /// Defaults to none, because a layer cannot see the route's own template. See the [module docs](crate::guard) for nested routers.
    ///
    /// # Errors
    ///
    /// Returns an error if the template is malformed, or lacks a parameter that the requirement compares with.
    pub fn path(mut self, template: &str) -> Result<Self, ConfigError> {
        ConfigError::check(path_template::problems(template, &self.rule.requirement))?;
        Arc::make_mut(&mut self.rule).template = Some(PathTemplate::new(template)?);
        Ok(self)
    }

    /// Answers refusals of this guard with `rejection`: [`GrpcStatus`](crate::rejection::GrpcStatus), or a closure.
    ///
    /// Defaults to the [`challenge`](crate::AuthLayer::challenge) of the [`AuthLayer`](crate::AuthLayer) in front.
    #[must_use]
    pub fn rejection<N>(self, rejection: N) -> RequireLayer<N> {
        RequireLayer { rule: self.rule, rejection }
    }

    /// Returns the requirement.
    pub fn requirement(&self) -> &Requirement {
        &self.rule.requirement
    }
}

impl<R> From<&RequireLayer<R>> for RouteGuard {
    fn from(layer: &RequireLayer<R>) -> Self {
        Self::new(layer.rule.clone())
    }
}

impl<S, R: Clone> Layer<S> for RequireLayer<R> {
    type Service = GuardService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let rule = Arc::clone(&self.rule);
        GuardService::new(inner, rule, self.rejection.clone())
    }
}

impl<R> fmt::Debug for RequireLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireLayer").field("requirement", self.requirement()).finish_non_exhaustive()
    }
}
