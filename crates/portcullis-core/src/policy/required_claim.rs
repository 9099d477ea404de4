//! [`RequiredClaim`]: a claim that a service requires in addition to the registered ones.

use serde_json::Value;

use super::Profile;
use crate::{AuthError, Code, claims::pointer, verified::Facts};

/// The required claim, as a JSON pointer (RFC 6901), and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredClaim {
    pointer: String,
    /// The required string; `None` if any value except `null` is accepted.
    value: Option<String>,
    /// Whether a token without the claim is accepted too.
    may_be_absent: bool,
    /// Whether the claim marks access tokens, so that logout tokens need not have it.
    is_of_access_tokens: bool,
}

impl RequiredClaim {
    pub(super) fn of_any_value(pointer: String) -> Self {
        Self { pointer, value: None, may_be_absent: false, is_of_access_tokens: false }
    }

    pub(super) fn of_value(pointer: String, value: String) -> Self {
        Self { pointer, value: Some(value), may_be_absent: false, is_of_access_tokens: false }
    }

    pub(super) fn of_access_tokens(self) -> Self {
        Self { is_of_access_tokens: true, ..self }
    }

    pub(super) fn if_present(self) -> Self {
        Self { may_be_absent: true, ..self }
    }

    pub(super) fn applies_to(&self, profile: Profile) -> bool {
        matches!(profile, Profile::Jwt | Profile::AccessToken) || !self.is_of_access_tokens
    }

    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Refuses a token that lacks it. The explanation says what is required, never what was found.
    pub(super) fn check(&self, facts: &Facts) -> Result<(), AuthError> {
        let lacks = |explanation: String| Err(AuthError::new(Code::ClaimMissing).with_explanation(explanation));
        // `"sub": ""` is not a subject.
        let is_no_name = |claim: &Value| claim.as_str() == Some("") && pointer::leads_to_name(&self.pointer);
        let found = facts.find_claim(&self.pointer).filter(|claim| !claim.is_null() && !is_no_name(claim));
        match (found, &self.value) {
            (None, _) if self.may_be_absent => Ok(()),
            (None, _) => lacks(format!("there is no `{}`", self.pointer)),
            (Some(found), Some(value)) if found.as_str() != Some(value.as_str()) => {
                lacks(format!("`{}` is not `{value}`", self.pointer))
            }
            (Some(_), _) => Ok(()),
        }
    }
}
