//! The decision of one guard, made without touching the request.

use portcullis_core::AuthError;

use super::{Asked, Decide, PathTemplate};
use crate::{Requirement, location::RequestHead, requirement::PathParams};

/// The settings of a [`RequireLayer`](super::RequireLayer).
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) requirement: Requirement,
    pub(crate) template: Option<PathTemplate>,
}

impl Decide for Rule {
    fn ask(&self, head: RequestHead<'_>) -> Result<Asked<'_>, AuthError> {
        let params = match &self.template {
            Some(template) if self.requirement.sees_path() => template.params(head.uri)?,
            _ => PathParams::new(),
        };
        Ok(Asked::Requirement(&self.requirement, params))
    }
}
