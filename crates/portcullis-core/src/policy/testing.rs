//! A policy for unit tests of this crate.

use std::sync::Arc;

use super::Policy;
use crate::Conventions;

pub(crate) fn policy() -> Policy {
    Policy::new(Arc::new(Conventions::new("https://a.test")), "b".into())
}
