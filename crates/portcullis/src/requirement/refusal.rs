//! [`Refusal`]: why a caller is refused, and what it would need.

use std::time::Duration;

use portcullis_core::{AuthError, Code, error::AuthErrorKind};

use super::{Requirement, leaf::Leaf, requirement::Node};

/// The part of a requirement that was not met, and the code for it.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'r> {
    pub(super) code: Code,
    pub(super) because: &'r Requirement,
}

impl Refusal<'_> {
    /// Whether another login would resolve it (RFC 9470).
    pub(super) fn asks_for_login(self) -> bool {
        self.code.kind() == AuthErrorKind::InsufficientAuthentication
    }

    /// Returns the error, with everything that the whole requirement needs, not just this part: a client that requests a token with only
    /// the missing scope would then lack the others (RFC 6750 section 3).
    pub(super) fn into_error(self, whole: &Requirement) -> AuthError {
        let because = self.because;
        let because_of_part = because.to_string() != whole.to_string();
        let explanation = if because_of_part { format!("{because}, of: {whole}") } else { because.to_string() };
        let error = AuthError::new(self.code).with_explanation(format!("not met: {explanation}"));
        let needs = Needs::of(whole);
        match self.code {
            Code::ScopeMissing => error.with_scopes(needs.scopes),
            Code::AuthenticationTooOld | Code::AuthenticationTooWeak => {
                let error = error.with_acr_values(needs.acr.into_iter().flatten());
                match needs.max_age {
                    Some(max_age) => error.with_max_age(max_age),
                    None => error,
                }
            }
            _ => error,
        }
    }
}

/// What a token needs to meet a requirement; of alternatives, the first.
#[derive(Default)]
struct Needs<'r> {
    scopes: Vec<&'r str>,
    max_age: Option<Duration>,
    acr: Option<&'r [String]>,
}

impl<'r> Needs<'r> {
    fn of(requirement: &'r Requirement) -> Self {
        let mut needs = Self::default();
        needs.collect(requirement);
        needs
    }

    fn collect(&mut self, requirement: &'r Requirement) {
        match requirement.node() {
            Node::Leaf(leaf) => self.collect_leaf(leaf),
            Node::All(parts) => parts.iter().for_each(|part| self.collect(part)),
            Node::Any(parts) => parts.iter().take(1).for_each(|part| self.collect(part)),
            Node::Named { requirement, .. } => self.collect(requirement),
            // A negated requirement cannot be requested.
            Node::Not(_) => {}
        }
    }

    fn collect_leaf(&mut self, leaf: &'r Leaf) {
        match leaf {
            Leaf::Scope(name) if !self.scopes.contains(&name.as_str()) => self.scopes.push(name),
            Leaf::Fresh(max_age) => self.max_age = Some(self.max_age.map_or(*max_age, |other| other.min(*max_age))),
            Leaf::Acr(values) => {
                self.acr.get_or_insert(values);
            }
            Leaf::Scope(_)
            | Leaf::Role { .. }
            | Leaf::Claim { .. }
            | Leaf::Caller(_)
            | Leaf::Permission(_)
            | Leaf::Check(_) => {}
        }
    }
}
