//! Whether a requirement is met: Kleene's three-valued logic, now or later.

use std::{fmt, future::Future, pin::Pin};

use portcullis_core::{AuthError, Code, authenticator::Attempt, claims::LenientClaim, verified::Facts};

use super::{
    Circumstances, Decision, Requirement, Undecided,
    caller::Caller,
    check::Run,
    circumstances::OwnedCircumstances,
    leaf::{self, Leaf},
    refusal::Refusal,
    requirement::Node,
};

/// Decides, at once if possible.
pub(super) fn evaluate(requirement: &Requirement, at: Circumstances<'_>) -> Attempt<()> {
    if requirement.has_mistake() {
        let problems = requirement.problems().join("; ");
        return Attempt::Done(Err(AuthError::new(Code::ServiceMisconfigured).with_explanation(problems)));
    }
    if !requirement.takes_time() {
        return Attempt::Done(conclude_all(decide(requirement, at), requirement, at.verified));
    }
    let (requirement, at) = (requirement.clone(), at.to_owned());
    Attempt::waiting(async move {
        let outcome = decide_later(&requirement, &at).await;
        conclude_all(outcome, &requirement, &at.verified)
    })
}

/// The verdict. If claims that were asked for cannot be read, nothing that was concluded from their absence holds.
fn conclude_all(outcome: Outcome<'_>, whole: &Requirement, facts: &Facts) -> Result<(), AuthError> {
    if facts.has_unreadable_claims() {
        return Err(AuthError::new(Code::RequirementUndecided).with_explanation("the token's claims cannot be read"));
    }
    outcome.into_result(whole)
}

/// What became of a requirement. Borrows it, so that a refusal that something else makes up for costs nothing.
enum Outcome<'r> {
    Met,
    Unmet(Refusal<'r>),
    Undecided(AuthError),
}

impl<'r> Outcome<'r> {
    fn met_if(condition: bool, code: Code, requirement: &'r Requirement) -> Self {
        if condition { Self::Met } else { Self::Unmet(Refusal { code, because: requirement }) }
    }

    fn negate(self, requirement: &'r Requirement) -> Self {
        match self {
            Self::Met => Self::Unmet(Refusal { code: Code::RequirementNotMet, because: requirement }),
            Self::Unmet(_) => Self::Met,
            Self::Undecided(error) => Self::Undecided(error),
        }
    }

    fn into_result(self, whole: &Requirement) -> Result<(), AuthError> {
        match self {
            Self::Met => Ok(()),
            Self::Unmet(refusal) => Err(refusal.into_error(whole)),
            Self::Undecided(error) => Err(error),
        }
    }
}

/// For a requirement that takes no time.
fn decide<'r>(requirement: &'r Requirement, at: Circumstances<'_>) -> Outcome<'r> {
    match requirement.node() {
        Node::Leaf(leaf) => decide_leaf(requirement, leaf, at),
        Node::Not(part) => decide(part, at).negate(requirement),
        Node::Named { requirement, .. } => decide(requirement, at),
        Node::All(parts) => {
            let mut all = All::default();
            for part in parts {
                if all.add(decide(part, at)) == Progress::Settled {
                    break;
                }
            }
            all.outcome()
        }
        Node::Any(parts) => {
            let mut any = Any::default();
            for (place, part) in parts.iter().enumerate() {
                if any.add(place, decide(part, at)) == Progress::Settled {
                    break;
                }
            }
            any.outcome(requirement)
        }
    }
}

/// For any requirement. Parts that take no time come first: they may spare the look-up.
fn decide_later<'r>(
    requirement: &'r Requirement,
    at: &'r OwnedCircumstances,
) -> Pin<Box<dyn Future<Output = Outcome<'r>> + Send + 'r>> {
    Box::pin(async move {
        if !requirement.takes_time() {
            return decide(requirement, at.borrow());
        }
        match requirement.node() {
            Node::Leaf(leaf) => decide_leaf_later(requirement, leaf, at).await,
            Node::Not(part) => decide_later(part, at).await.negate(requirement),
            Node::Named { requirement, .. } => decide_later(requirement, at).await,
            Node::All(parts) => {
                let mut all = All::default();
                for (_, part) in quick_first(parts) {
                    if all.add(decide_later(part, at).await) == Progress::Settled {
                        break;
                    }
                }
                all.outcome()
            }
            Node::Any(parts) => {
                let mut any = Any::default();
                for (place, part) in quick_first(parts) {
                    if any.add(place, decide_later(part, at).await) == Progress::Settled {
                        break;
                    }
                }
                any.outcome(requirement)
            }
        }
    })
}

fn quick_first(parts: &[Requirement]) -> impl Iterator<Item = (usize, &Requirement)> {
    let quick = parts.iter().enumerate().filter(|(_, part)| !part.takes_time());
    quick.chain(parts.iter().enumerate().filter(|(_, part)| part.takes_time()))
}

/// Whether the rest still has to be looked at.
#[derive(PartialEq, Eq)]
enum Progress {
    Open,
    Settled,
}

/// What became of the parts of an `and` so far.
#[derive(Default)]
struct All<'r> {
    unmet: Option<Refusal<'r>>,
    undecided: Option<AuthError>,
}

impl<'r> All<'r> {
    /// A refusal that another login would cure does not settle it: it gives way to one that no login cures.
    fn add(&mut self, part: Outcome<'r>) -> Progress {
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

    fn outcome(self) -> Outcome<'r> {
        match (self.unmet, self.undecided) {
            (Some(refusal), _) => Outcome::Unmet(refusal),
            (None, Some(error)) => Outcome::Undecided(error),
            (None, None) => Outcome::Met,
        }
    }
}

/// What became of the parts of an `or` so far.
#[derive(Default)]
struct Any<'r> {
    met: bool,
    unmet: Option<(usize, Refusal<'r>)>,
    undecided: Option<AuthError>,
}

impl<'r> Any<'r> {
    /// Of several refusals, the one that was written first counts.
    fn add(&mut self, place: usize, part: Outcome<'r>) -> Progress {
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

    fn outcome(self, requirement: &'r Requirement) -> Outcome<'r> {
        match (self.met, self.undecided, self.unmet) {
            (true, _, _) => Outcome::Met,
            (false, Some(error), _) => Outcome::Undecided(error),
            (false, None, Some((_, refusal))) => Outcome::Unmet(refusal),
            (false, None, None) => Outcome::Unmet(Refusal { code: Code::RequirementNotMet, because: requirement }),
        }
    }
}

fn decide_leaf<'r>(requirement: &'r Requirement, leaf: &'r Leaf, at: Circumstances<'_>) -> Outcome<'r> {
    let read = match leaf {
        Leaf::Fresh(_) => Some(LenientClaim::AuthTime),
        Leaf::Acr(_) => Some(LenientClaim::Acr),
        _ => None,
    };
    // Neither met nor unmet, or its opposite would be met by a claim that cannot be read.
    if let Some(Err(malformed)) = read.map(|claim| at.verified.require_type(claim)) {
        return Outcome::Undecided(malformed);
    }
    let (met, code) = match leaf {
        Leaf::Scope(name) => (Ok(at.verified.has_scope(name)), Code::ScopeMissing),
        Leaf::Role { name, at: None } => (Ok(at.verified.has_role(name)), Code::RoleMissing),
        Leaf::Role { name, at: Some(pointer) } => {
            let delimiter = pointer.delimiter();
            let pointer = pointer.fill(at.verified, at.params);
            let holds = |pointer: &str| at.verified.roles_at(pointer).delimited_by(delimiter).contains(name);
            (pointer.map(|pointer| pointer.as_deref().is_some_and(holds)), Code::RoleMissing)
        }
        Leaf::Claim { pointer, matcher } => {
            let delimiter = pointer.delimiter();
            let claim = pointer.fill(at.verified, at.params);
            let claim = claim.map(|pointer| pointer.and_then(|pointer| at.verified.claim(&pointer)));
            let claim =
                claim.map(|claim| claim.filter(|claim| !matcher.is_presence() || !pointer.is_empty_name(*claim)));
            (claim.and_then(|claim| matcher.matches(claim, delimiter, at.params)), Code::RequirementNotMet)
        }
        Leaf::Fresh(max_age) => {
            (Ok(leaf::is_fresh(at.verified.authenticated_at(), *max_age, at.now)), Code::AuthenticationTooOld)
        }
        Leaf::Acr(values) => {
            let among = |acr: &str| values.iter().any(|value| value == acr);
            (Ok(at.verified.acr().is_some_and(among)), Code::AuthenticationTooWeak)
        }
        Leaf::Caller(caller) => return decide_caller(requirement, caller, at.verified),
        Leaf::Check(check) => return decide_check(requirement, check.run(), at),
    };
    match met {
        Ok(met) => Outcome::met_if(met, code, requirement),
        Err(mistake) => Outcome::Undecided(misconfigured(requirement, &mistake)),
    }
}

/// A caller who cannot be told is neither met nor unmet, as a claim that cannot be read.
fn decide_caller<'r>(requirement: &'r Requirement, caller: &Caller, facts: &Facts) -> Outcome<'r> {
    match caller.is_met_by(facts) {
        Ok(met) => Outcome::met_if(met, Code::RequirementNotMet, requirement),
        Err(unclear) => Outcome::Undecided(unclear),
    }
}

fn decide_check<'r>(requirement: &'r Requirement, run: &Run, at: Circumstances<'_>) -> Outcome<'r> {
    match run {
        Run::Now(run) => match run(at) {
            Ok(decision) => conclude(requirement, decision),
            Err(wrong_claims) => Outcome::Undecided(misconfigured(requirement, &wrong_claims)),
        },
        // Not reached: a requirement with such a part takes time. If it were, nobody would have been asked.
        Run::Later(_) => conclude(requirement, Decision::undecided("it was not asked")),
    }
}

async fn decide_leaf_later<'r>(requirement: &'r Requirement, leaf: &'r Leaf, at: &OwnedCircumstances) -> Outcome<'r> {
    if let Leaf::Check(check) = leaf
        && let Run::Later(run) = check.run()
    {
        return conclude(requirement, run(at.verified.clone(), at.params.clone()).await);
    }
    decide_leaf(requirement, leaf, at.borrow())
}

fn conclude(requirement: &Requirement, decision: Decision) -> Outcome<'_> {
    match decision {
        Decision::Allow => Outcome::Met,
        Decision::Deny => Outcome::Unmet(Refusal { code: Code::RequirementNotMet, because: requirement }),
        Decision::Undecided(undecided) => Outcome::Undecided(unavailable(requirement, undecided)),
    }
}

fn unavailable(requirement: &Requirement, undecided: Undecided) -> AuthError {
    let (why, retry_after, source) = undecided.into_parts();
    let error = AuthError::new(Code::RequirementUndecided).with_explanation(format!("{requirement}: {why}"));
    let error = match retry_after {
        Some(delay) => error.with_retry_after(delay),
        None => error,
    };
    match source {
        Some(source) => error.with_source(source),
        None => error,
    }
}

fn misconfigured(requirement: &Requirement, mistake: &impl fmt::Display) -> AuthError {
    AuthError::new(Code::ServiceMisconfigured).with_explanation(format!("{requirement}: {mistake}"))
}
