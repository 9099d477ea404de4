//! [`Explanation`]: how a chain decides about a user, step by step.

use std::fmt;

use super::{AdmittedUser, Chain, Circumstances, EffectivePermissions, Refusal, Rules, VerifiedAccount, pattern};

/// How a chain decides about a user, step by step, up to the first that refuses. `Display` shows it to people.
///
/// It never contains a token. It does **not** say whether the caller holds the user's key: that is decided for each request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explanation {
    /// The steps, in the order in which they were made.
    pub steps: Vec<Step>,
    /// The user, if the chain lets the user in.
    pub admitted: Option<AdmittedUser>,
}

/// A step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// What was decided about.
    pub name: &'static str,
    /// Why it was refused; `None` if it was not.
    pub refusal: Option<Refusal>,
    /// What was found.
    pub finding: String,
}

/// What a user wants to do with a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "NATS has two operations")]
pub enum Operation {
    /// To publish to a subject without wildcards.
    Publish,
    /// To subscribe to a subject, which may have wildcards.
    Subscribe,
}

/// Which entry of the permissions decides about a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Deciding {
    /// This entry allows it, and none denies it.
    Allowed(String),
    /// This entry denies it, or a part of it.
    Denied(String),
    /// No entry allows it.
    NotAllowed,
    /// The subject is none, or has wildcards where it must not.
    NoSubject,
}

impl Chain {
    /// Decides as [`screen`](Self::screen), [`account`](Self::account) and [`admit`](Self::admit) do, and says how. `account` is the text of the
    /// account's token, if there is one.
    pub fn explain(&self, user: &str, account: Option<&str>, at: &Circumstances<'_>) -> Explanation {
        let mut steps = Vec::new();
        let admitted = self.walk(user, account, at, &mut steps);
        Explanation { steps, admitted }
    }

    fn walk(
        &self,
        user: &str,
        account: Option<&str>,
        at: &Circumstances<'_>,
        steps: &mut Vec<Step>,
    ) -> Option<AdmittedUser> {
        let user = note(steps, "user's token", self.screen(user, at), |user| {
            let registered = &user.token().registered;
            let end = registered.expires_at.map_or("never expires".to_owned(), |end| format!("expires at {end}"));
            format!(
                "{} {:?} of account {}, issued at {}, {end}",
                user.key(),
                registered.name,
                user.account(),
                registered.issued_at
            )
        })?;
        let unknown = || Refusal::new(super::RefusalKind::AccountUnknown, "there is no token of the account");
        let account = account.ok_or_else(unknown).and_then(|text| self.account(user.account(), text, at));
        let account = note(steps, "account's token", account, |account| describe(account, at))?;
        note(steps, "user in the account", self.admit(&user, &account, at), |user| {
            let role = user.scope_role.as_ref();
            let scope = role.map_or("which has no scope".to_owned(), |role| {
                format!("whose scope {role:?} says what the user may do")
            });
            let end = user.valid_until.map_or("without an end".to_owned(), |end| format!("until {end}"));
            let own = if user.signer == user.account { "own" } else { "signing" };
            format!("signed by the account's {own} key {}, {scope}; let in {end}", user.signer)
        })
    }
}

fn describe(account: &VerifiedAccount, at: &Circumstances<'_>) -> String {
    let registered = &account.token().registered;
    let age = at.now.since(account.issued_at()).as_secs();
    format!(
        "{:?}, signed by the operator's key {}, issued at {}, {age} s ago",
        registered.name, registered.issuer, registered.issued_at
    )
}

/// Notes the outcome of a step.
fn note<T>(
    steps: &mut Vec<Step>,
    name: &'static str,
    outcome: Result<T, Refusal>,
    finding: impl FnOnce(&T) -> String,
) -> Option<T> {
    match outcome {
        Ok(value) => {
            steps.push(Step { name, refusal: None, finding: finding(&value) });
            Some(value)
        }
        Err(refusal) => {
            steps.push(Step { name, finding: refusal.explanation().to_owned(), refusal: Some(refusal) });
            None
        }
    }
}

impl EffectivePermissions {
    /// Returns which entry decides about a subject. It agrees with [`may_publish`](Self::may_publish) and [`may_subscribe`](Self::may_subscribe).
    pub fn deciding(&self, operation: Operation, subject: &str) -> Deciding {
        let (rules, is_subject): (&Rules, _) = match operation {
            Operation::Publish => (&self.publish, pattern::is_literal(subject)),
            Operation::Subscribe => (&self.subscribe, pattern::is_well_formed(subject)),
        };
        if !is_subject {
            return Deciding::NoSubject;
        }
        // For a subject without wildcards, to overlap is to be covered.
        if let Some(entry) = rules.deny.iter().find(|entry| pattern::overlap(entry, subject)) {
            return Deciding::Denied(entry.clone());
        }
        let allowing = rules.allow.iter().find(|entry| pattern::covers(entry, subject));
        allowing.map_or(Deciding::NotAllowed, |entry| Deciding::Allowed(entry.clone()))
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))?;
        match self.admitted {
            Some(_) => {
                writeln!(f, "The chain lets the user in. Whether a caller holds the user's key was not checked.")
            }
            None => writeln!(f, "The chain does not let the user in."),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.refusal {
            None => write!(f, "ok       {}: {}", self.name, self.finding),
            Some(refusal) => write!(f, "REFUSED  {}: {} ({})", self.name, self.finding, refusal.kind().as_str()),
        }
    }
}

impl fmt::Display for Deciding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(entry) => write!(f, "allowed by {entry:?}"),
            Self::Denied(entry) => write!(f, "denied by {entry:?}"),
            Self::NotAllowed => f.write_str("denied: no entry allows it"),
            Self::NoSubject => f.write_str("denied: it is no subject for this operation"),
        }
    }
}
