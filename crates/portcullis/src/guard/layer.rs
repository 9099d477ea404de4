//! What can be set.

use std::{fmt, sync::Arc};

use portcullis_core::{Clock, ConfigError, SystemClock};
use tower_layer::Layer;

use super::{InheritedRejection, OwnRejection, PathTemplate, RequireService, path_template, rule::Rule};
use crate::Requirement;

/// Lets on only requests whose caller meets a requirement.
///
/// See the [module docs](crate::guard) for the rules. Cheap to clone. The type parameter is who answers refusals.
#[derive(Clone)]
pub struct RequireLayer<R = InheritedRejection> {
    rule: Arc<Rule>,
    rejection: R,
}

impl RequireLayer {
    /// Asks this of every caller.
    pub fn new(requirement: Requirement) -> Self {
        let rule = Rule { requirement, template: None, clock: Arc::new(SystemClock) };
        Self { rule: Arc::new(rule), rejection: InheritedRejection }
    }
}

impl<R> RequireLayer<R> {
    /// Takes path parameters from the request by this template, in axum's syntax: `/instances/{instance}`.
    ///
    /// Defaults to none, since a layer cannot see the route's own. See the [module docs](crate::guard) for routers that
    /// are nested.
    ///
    /// # Errors
    ///
    /// If the template is malformed, or lacks a parameter that the requirement compares with.
    pub fn path(mut self, template: &str) -> Result<Self, ConfigError> {
        ConfigError::check(path_template::problems(template, &self.rule.requirement))?;
        Arc::make_mut(&mut self.rule).template = Some(PathTemplate::new(template)?);
        Ok(self)
    }

    /// Tells the time for [`fresh`](crate::requirement::fresh). Defaults to the system's clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        Arc::make_mut(&mut self.rule).clock = Arc::new(clock);
        self
    }

    /// Answers this guard's refusals by `rejection`: [`GrpcStatus`](crate::GrpcStatus), or a closure.
    ///
    /// Defaults to [`InheritedRejection`].
    #[must_use]
    pub fn rejection<N>(self, rejection: N) -> RequireLayer<OwnRejection<N>> {
        RequireLayer { rule: self.rule, rejection: OwnRejection::new(rejection) }
    }

    /// What it asks.
    pub fn requirement(&self) -> &Requirement {
        &self.rule.requirement
    }
}

impl<S, R: Clone> Layer<S> for RequireLayer<R> {
    type Service = RequireService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireService::new(inner, Arc::clone(&self.rule), self.rejection.clone())
    }
}

impl<R> fmt::Debug for RequireLayer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireLayer").field("requirement", self.requirement()).finish_non_exhaustive()
    }
}
