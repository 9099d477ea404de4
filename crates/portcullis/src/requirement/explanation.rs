//! [`RequirementExplanation`]: why a requirement is met or not, part by part.

use std::fmt;

use portcullis_core::{
    AuthError, Principal,
    explain::{Check, Finding, Outcome as Found},
    verified::Facts,
};

use super::{Circumstances, Requirement, caller::Caller, kleene::Outcome, leaf::Leaf, requirement::Node, watch::Watch};

/// Explains why a caller meets a requirement or does not, part by part. [`Requirement::explain`] returns it.
///
/// `Display` is a tree for people, with a line for each part. It contains no value of a claim or of a path parameter.
#[derive(Debug)]
#[non_exhaustive]
pub struct RequirementExplanation {
    /// The outcome of the requirement. Its [parts](Finding::parts) are the requirements that it is made of, in the order in which they were
    /// written. [`expected`](Finding::expected) has the `Display` text of each requirement. Parts that would have taken time are skipped if the
    /// others had decided already.
    pub finding: Finding,
    /// The verdict, which is the same as that of [`Requirement::evaluate`].
    pub verdict: Result<(), AuthError>,
}

impl RequirementExplanation {
    /// Returns the explanation of a requirement that was not evaluated yet.
    pub(super) fn planned(requirement: &Requirement) -> Self {
        Self { finding: planned(requirement), verdict: Ok(()) }
    }

    pub(super) fn with_verdict(self, verdict: Result<(), AuthError>) -> Self {
        Self { verdict, ..self }
    }

    /// Marks the whole requirement as undecided, regardless of its parts.
    pub(super) fn undecided(mut self, error: AuthError) -> Self {
        let explanation = error.explanation().map(str::to_owned);
        self.finding.outcome = Found::Undecided { code: error.code(), explanation };
        self.finding.because = None;
        self.with_verdict(Err(error))
    }
}

impl fmt::Display for RequirementExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.finding)?;
        match &self.verdict {
            Ok(()) => f.write_str("met"),
            Err(error) => write!(f, "refused: {error}"),
        }
    }
}

/// Returns the finding of a requirement that was not evaluated yet.
pub(crate) fn planned(requirement: &Requirement) -> Finding {
    let parts = match requirement.node() {
        Node::Leaf(_) => Vec::new(),
        Node::All(parts) | Node::Any(parts) => parts.iter().map(planned).collect(),
        Node::Not(part) => vec![planned(part)],
        // A named requirement and the requirement that it stands for are printed on one line.
        Node::Named { requirement, .. } => planned(requirement).parts,
    };
    Finding::new(Check::Requirement, Found::Skipped).with_expected(requirement.to_string()).with_parts(parts)
}

/// Notes the outcome of a requirement in its finding.
pub(super) struct Notes<'f>(&'f mut Finding);

impl<'f> Notes<'f> {
    pub(super) fn of(explanation: &'f mut RequirementExplanation) -> Self {
        Self(&mut explanation.finding)
    }
}

impl Watch for Notes<'_> {
    const GOES_ON: bool = true;

    type Part<'p>
        = Notes<'p>
    where
        Self: 'p;

    fn part(&mut self, place: usize) -> Notes<'_> {
        Notes(&mut self.0.parts[place])
    }

    fn note(&mut self, outcome: &Outcome<'_>) {
        self.note_leaf(outcome, || None);
    }

    fn note_leaf(&mut self, outcome: &Outcome<'_>, remark: impl FnOnce() -> Option<String>) {
        self.0.outcome = match outcome {
            Outcome::Met => {
                self.0.because = remark();
                Found::Passed
            }
            Outcome::Unmet(refusal) => Found::Failed { code: refusal.code, explanation: remark() },
            Outcome::Undecided(error) => {
                let explanation = error.explanation().map(|why| without(self.0.expected.as_deref(), why).to_owned());
                Found::Undecided { code: error.code(), explanation }
            }
        };
    }
}

/// Returns an error's explanation without the requirement at its beginning, because the finding names that already.
fn without<'e>(asked: Option<&str>, explanation: &'e str) -> &'e str {
    let rest = asked.and_then(|asked| explanation.strip_prefix(asked)?.strip_prefix(": "));
    rest.unwrap_or(explanation)
}

/// Returns how the caller differs from what is required, if the requirement does not say enough. Contains kinds and distances in time, but
/// never a value.
pub(super) fn difference(leaf: &Leaf, at: Circumstances<'_>) -> Option<String> {
    match leaf {
        Leaf::Role { at: Some(pointer), .. } | Leaf::Claim { pointer, .. } => {
            let pointer = pointer.fill(at.verified, at.params).ok()?;
            let is_there = pointer.is_some_and(|pointer| at.verified.claim(&pointer).is_some());
            (!is_there).then(|| "the token has nothing there".to_owned())
        }
        Leaf::Fresh(_) => Some(match at.verified.authenticated_at() {
            Some(login) if login > at.now => format!("the login is {} s in the future", login.since(at.now).as_secs()),
            Some(login) => format!("the login was {} s ago", at.now.since(login).as_secs()),
            None => "the token has no `auth_time`".to_owned(),
        }),
        Leaf::Acr(_) => at.verified.acr().is_none().then(|| "the token has no `acr`".to_owned()),
        Leaf::Caller(Caller::Credential(_)) => {
            Some(format!("the credential is of the kind {}", at.verified.credential()))
        }
        Leaf::Caller(_) => Some(format!("the caller is {}", kind_of(at.verified))),
        Leaf::Permission(_) => grounds(leaf, at),
        Leaf::Scope(_) | Leaf::Role { at: None, .. } | Leaf::Check(_) => None,
    }
}

/// Returns why the caller meets a requirement, if the requirement does not say enough. Contains no value either.
pub(super) fn grounds(leaf: &Leaf, at: Circumstances<'_>) -> Option<String> {
    let Leaf::Permission(permission) = leaf else { return None };
    permission.grounds(at.verified, at.params)
}

fn kind_of(facts: &Facts) -> &'static str {
    match facts.principal() {
        Principal::User(_) => "a user",
        Principal::Application(_) => "an application",
        Principal::Acting { .. } => "a party that acts for another",
        _ => "not known",
    }
}
