//! Evaluates requirements, at once or after look-ups.

use std::{fmt, future::Future, pin::Pin};

use portcullis_core::{AuthError, Code, authenticator::Attempt, claims::LenientClaim, verified::Facts};

use super::{
    Circumstances, Decision, Requirement, Undecided,
    caller::Caller,
    check::Run,
    circumstances::OwnedCircumstances,
    explanation::{Notes, RequirementExplanation, difference, grounds},
    kleene::{All, Any, Outcome, Progress},
    leaf::{self, Leaf},
    refusal::Refusal,
    requirement::Node,
    watch::{Silent, Watch},
};

/// Decides whether the caller meets the requirement, at once if possible.
pub(super) fn evaluate(requirement: &Requirement, at: Circumstances<'_>) -> Attempt<()> {
    if let Err(error) = usable(requirement) {
        return Attempt::Done(Err(error));
    }
    if !requirement.takes_time() {
        return Attempt::Done(conclude_all(decide(requirement, at, &mut Silent), requirement, at.verified));
    }
    let (requirement, at) = (requirement.clone(), at.to_owned());
    Attempt::waiting(async move {
        let outcome = decide_later(&requirement, &at, Silent).await;
        conclude_all(outcome, &requirement, &at.verified)
    })
}

/// Decides whether the caller meets the requirement, and notes the outcome of every part.
pub(super) async fn explain(requirement: &Requirement, at: Circumstances<'_>) -> RequirementExplanation {
    let mut explanation = RequirementExplanation::planned(requirement);
    if let Err(error) = usable(requirement) {
        return explanation.undecided(error);
    }
    let owned; // outlives the notes about what takes time
    let notes = Notes::of(&mut explanation);
    let outcome = if requirement.takes_time() {
        owned = at.to_owned();
        decide_later(requirement, &owned, notes).await
    } else {
        let mut notes = notes;
        decide(requirement, at, &mut notes)
    };
    match conclude_all(outcome, requirement, at.verified) {
        Err(unreadable) if at.verified.has_unreadable_claims() => explanation.undecided(unreadable),
        verdict => explanation.with_verdict(verdict),
    }
}

/// A requirement with a mistake that can be seen without a request is never met.
fn usable(requirement: &Requirement) -> Result<(), AuthError> {
    if requirement.has_mistake() {
        let problems = requirement.problems().join("; ");
        return Err(AuthError::new(Code::ServiceMisconfigured).with_explanation(problems));
    }
    Ok(())
}

/// The verdict. If claims that were asked for cannot be read, nothing that was concluded from their absence holds.
fn conclude_all(outcome: Outcome<'_>, whole: &Requirement, facts: &Facts) -> Result<(), AuthError> {
    if facts.has_unreadable_claims() {
        return Err(AuthError::new(Code::RequirementUndecided).with_explanation("the token's claims cannot be read"));
    }
    outcome.into_result(whole)
}

/// For a requirement that takes no time.
fn decide<'r, W: Watch>(requirement: &'r Requirement, at: Circumstances<'_>, watch: &mut W) -> Outcome<'r> {
    let outcome = match requirement.node() {
        Node::Leaf(leaf) => {
            let outcome = decide_leaf(requirement, leaf, at);
            watch.note_leaf(&outcome, || match outcome {
                Outcome::Met => grounds(leaf, at),
                Outcome::Unmet(_) | Outcome::Undecided(_) => difference(leaf, at),
            });
            return outcome;
        }
        Node::Not(part) => decide(part, at, &mut watch.part(0)).negate(requirement),
        Node::Named { requirement, .. } => return decide(requirement, at, watch),
        Node::All(parts) => {
            let mut all = All::default();
            decide_parts(parts, at, watch, |_, part| all.add(part));
            all.outcome()
        }
        Node::Any(parts) => {
            let mut any = Any::default();
            decide_parts(parts, at, watch, |place, part| any.add(place, part));
            any.outcome(requirement)
        }
    };
    watch.note(&outcome);
    outcome
}

/// Passes the outcome of each part to `add`, until the whole is settled.
fn decide_parts<'r, W: Watch>(
    parts: &'r [Requirement],
    at: Circumstances<'_>,
    watch: &mut W,
    mut add: impl FnMut(usize, Outcome<'r>) -> Progress,
) {
    let mut progress = Progress::Open;
    for (place, part) in parts.iter().enumerate() {
        match progress {
            Progress::Open => progress = add(place, decide(part, at, &mut watch.part(place))),
            Progress::Settled if W::GOES_ON => drop(decide(part, at, &mut watch.part(place))),
            Progress::Settled => break,
        }
    }
}

/// Decides any requirement, also one that takes time.
fn decide_later<'f, 'r: 'f, W: Watch + 'f>(
    requirement: &'r Requirement,
    at: &'r OwnedCircumstances,
    mut watch: W,
) -> Pin<Box<dyn Future<Output = Outcome<'r>> + Send + 'f>> {
    Box::pin(async move {
        if !requirement.takes_time() {
            return decide(requirement, at.borrow(), &mut watch);
        }
        let outcome = match requirement.node() {
            Node::Leaf(leaf) => decide_leaf_later(requirement, leaf, at).await,
            Node::Not(part) => decide_later(part, at, watch.part(0)).await.negate(requirement),
            Node::Named { requirement, .. } => return decide_later(requirement, at, watch).await,
            Node::All(parts) => {
                let mut all = All::default();
                decide_parts_later(parts, at, &mut watch, |_, part| all.add(part)).await;
                all.outcome()
            }
            Node::Any(parts) => {
                let mut any = Any::default();
                decide_parts_later(parts, at, &mut watch, |place, part| any.add(place, part)).await;
                any.outcome(requirement)
            }
        };
        watch.note(&outcome);
        outcome
    })
}

/// Decides parts that may take time. Parts that take none come first, because they may make a look-up unnecessary. No look-up is made only
/// for an explanation.
async fn decide_parts_later<'r, W: Watch>(
    parts: &'r [Requirement],
    at: &'r OwnedCircumstances,
    watch: &mut W,
    mut add: impl FnMut(usize, Outcome<'r>) -> Progress + Send,
) {
    let mut progress = Progress::Open;
    for (place, part) in quick_first(parts) {
        match progress {
            Progress::Open => progress = add(place, decide_later(part, at, watch.part(place)).await),
            Progress::Settled if W::GOES_ON && !part.takes_time() => {
                drop(decide(part, at.borrow(), &mut watch.part(place)));
            }
            Progress::Settled => break,
        }
    }
}

fn quick_first(parts: &[Requirement]) -> impl Iterator<Item = (usize, &Requirement)> {
    let quick = parts.iter().enumerate().filter(|(_, part)| !part.takes_time());
    quick.chain(parts.iter().enumerate().filter(|(_, part)| part.takes_time()))
}

fn decide_leaf<'r>(requirement: &'r Requirement, leaf: &'r Leaf, at: Circumstances<'_>) -> Outcome<'r> {
    let read = match leaf {
        Leaf::Fresh(_) => Some(LenientClaim::AuthTime),
        Leaf::Acr(_) => Some(LenientClaim::Acr),
        _ => None,
    };
    // Neither met nor unmet: otherwise a claim that cannot be read would meet the negated requirement.
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
        Leaf::Permission(permission) => (permission.is_met_by(at.verified, at.params), Code::RequirementNotMet),
        Leaf::Caller(caller) => return decide_caller(requirement, caller, at.verified),
        Leaf::Check(check) => return decide_check(requirement, check.run(), at),
    };
    match met {
        Ok(met) => Outcome::met_if(met, code, requirement),
        Err(mistake) => Outcome::Undecided(misconfigured(requirement, &mistake)),
    }
}

/// An unclear principal is neither met nor unmet, like a claim that cannot be read.
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
        // Not reached: a requirement with such a part takes time. If it were reached, nothing would have been evaluated.
        Run::Later(_) => conclude(requirement, Decision::undecided("it was not evaluated")),
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
