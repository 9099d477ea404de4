//! A policy for unit tests of this crate.

use std::sync::Arc;

use super::Policy;
use crate::verified::Conventions;

pub(crate) fn policy() -> Policy {
    Policy { audiences: vec!["b".into()], ..Policy::new(Arc::new(Conventions::new("https://a.test"))) }
}
