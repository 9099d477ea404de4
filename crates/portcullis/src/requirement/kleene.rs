//! Kleene's three-valued logic for requirements: met, unmet, and undecided.

use portcullis_core::{AuthError, Code};

use super::{Requirement, refusal::Refusal};

/// The outcome of a requirement. A refusal borrows the requirement, so that one that another part of an `or` overrides costs nothing.
pub(super) enum Outcome<'r> {
    Met,
    Unmet(Refusal<'r>),
    Undecided(AuthError),
}

impl<'r> Outcome<'r> {
    pub(super) fn met_if(condition: bool, code: Code, requirement: &'r Requirement) -> Self {
        if condition { Self::Met } else { Self::Unmet(Refusal { code, because: requirement }) }
    }

    pub(super) fn negate(self, requirement: &'r Requirement) -> Self {
        match self {
            Self::Met => Self::Unmet(Refusal { code: Code::RequirementNotMet, because: requirement }),
            Self::Unmet(_) => Self::Met,
            Self::Undecided(error) => Self::Undecided(error),
        }
    }

    pub(super) fn into_result(self, whole: &Requirement) -> Result<(), AuthError> {
        match self {
            Self::Met => Ok(()),
            Self::Unmet(refusal) => Err(refusal.into_error(whole)),
            Self::Undecided(error) => Err(error),
        }
    }
}

/// Whether the remaining parts can still change the outcome.
#[derive(PartialEq, Eq)]
pub(super) enum Progress {
    Open,
    Settled,
}

/// The outcome of the parts of an `and` so far.
#[derive(Default)]
pub(super) struct All<'r> {
    unmet: Option<Refusal<'r>>,
    undecided: Option<AuthError>,
}

impl<'r> All<'r> {
    /// Adds a part. A refusal that another login could resolve does not settle the outcome, because a refusal that no login resolves takes
    /// precedence.
    pub(super) fn add(&mut self, part: Outcome<'r>) -> Progress {
        match part {
            Outcome::Met => {}
            Outcome::Undecided(error) => {
                self.undecided.get_or_insert(error);
            }
            Outcome::Unmet(refusal) if !refusal.asks_for_login() => {
                self.unmet = Some(refusal);
                return Progress::Settled;
            }
            Outcome::Unmet(refusal) => {
                self.unmet.get_or_insert(refusal);
            }
        }
        Progress::Open
    }

    pub(super) fn outcome(self) -> Outcome<'r> {
        match (self.unmet, self.undecided) {
            (Some(refusal), _) => Outcome::Unmet(refusal),
            (None, Some(error)) => Outcome::Undecided(error),
            (None, None) => Outcome::Met,
        }
    }
}

/// The outcome of the parts of an `or` so far.
#[derive(Default)]
pub(super) struct Any<'r> {
    met: bool,
    unmet: Option<(usize, Refusal<'r>)>,
    undecided: Option<AuthError>,
}

impl<'r> Any<'r> {
    /// Adds a part. Of several refusals, that of the first part in the order of writing is reported.
    pub(super) fn add(&mut self, place: usize, part: Outcome<'r>) -> Progress {
        match part {
            Outcome::Met => {
                self.met = true;
                return Progress::Settled;
            }
            Outcome::Undecided(error) => {
                self.undecided.get_or_insert(error);
            }
            Outcome::Unmet(refusal) => {
                if self.unmet.is_none_or(|(first, _)| place < first) {
                    self.unmet = Some((place, refusal));
                }
            }
        }
        Progress::Open
    }

    pub(super) fn outcome(self, requirement: &'r Requirement) -> Outcome<'r> {
        match (self.met, self.undecided, self.unmet) {
            (true, _, _) => Outcome::Met,
            (false, Some(error), _) => Outcome::Undecided(error),
            (false, None, Some((_, refusal))) => Outcome::Unmet(refusal),
            (false, None, None) => Outcome::Unmet(Refusal { code: Code::RequirementNotMet, because: requirement }),
        }
    }
}
