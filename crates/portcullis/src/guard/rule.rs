//! The decision of one guard, made without touching the request.

use portcullis_core::authenticator::Attempt;

use super::{PathTemplate, caller, service::Decide};
use crate::{
    Requirement,
    location::RequestHead,
    requirement::{Circumstances, PathParams},
};

/// What a [`RequireLayer`](super::RequireLayer) is made of.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) requirement: Requirement,
    pub(super) template: Option<PathTemplate>,
}

impl Decide for Rule {
    fn decide(&self, head: RequestHead<'_>) -> Attempt<()> {
        let (verified, now) = match caller(head.extensions) {
            Ok(caller) => caller,
            Err(error) => return Attempt::Done(Err(error)),
        };
        let params = match &self.template {
            Some(template) if self.requirement.sees_path() => template.params(head.uri),
            _ => Ok(PathParams::new()),
        };
        match params {
            Ok(params) => self.requirement.evaluate(Circumstances::new(verified, &params, now)),
            Err(error) => Attempt::Done(Err(error)),
        }
    }
}
