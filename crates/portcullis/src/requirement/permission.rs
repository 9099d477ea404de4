//! Requirements about the permissions of a NATS user.

use std::fmt;

use portcullis_core::{
    claims::ClaimRef,
    subjects::SubjectPattern,
    verified::{CredentialKind, Facts},
};

use super::{
    Requirement,
    leaf::Leaf,
    path_params::{Mistake, PathParams},
    subject_template::SubjectTemplate,
};

/// Requires a NATS user who may publish to this subject.
///
/// The subject may contain path parameters: on the route `/orders/{id}`, the request `GET /orders/7` requires `orders.7.read` of
/// `publish("orders.{id}.read")`. The value of a parameter has to be one word. If it is empty, or contains `.`, `*`, `>`, `%`, white space or
/// a control character, the requirement is not met. If ids may contain those four characters, write `{id:escaped}`, which spells them `%2E`,
/// `%2A`, `%3E` and `%25`; the id `a.b` is then the word `a%2Eb` in a permission. Both spell all other ids in the same way. There is at most one
/// parameter in a word, and literal braces are doubled.
///
/// It is met if all of these hold:
///
/// - The credential is of the kind [`CredentialKind::NatsUser`]. No claim of a JSON Web Token gives this permission.
/// - The claims contain the permissions at `/nats/permissions/pub`, as the authenticator of NATS users writes them: an object with the lists
///   `allow` and `deny`. If one is missing, or has an element that is not a subject, nothing is permitted.
/// - An entry of `allow` covers the subject, and no entry of `deny` does.
///
/// Permissions are per account: `orders.7.read` of one account says nothing about the orders of another one. Which accounts are accepted, and
/// whose data their users reach, is a setting of the authenticator.
///
/// ```
/// use portcullis::requirement::publish;
///
/// assert_eq!(publish("orders.{id}.read").to_string(), r#"publish("orders.{id}.read")"#);
///
/// // refused: a message is published to one subject
/// assert!(publish("orders.*.read").checked().is_err());
/// ```
#[doc(alias = "nats")]
pub fn publish(subject: impl Into<String>) -> Requirement {
    Permission::required(Action::Publish, subject.into())
}

/// Requires a NATS user who may subscribe to this subject, or to this pattern of subjects: for a response that is a stream.
///
/// The subject is written as for [`publish`], and may contain wildcards: `subscribe("orders.{id}.>")`. The rules are the same, with these
/// differences:
///
/// - The permissions are those at `/nats/permissions/sub`.
/// - A single entry of `allow` has to cover the whole pattern. An entry of `deny` refuses if it overlaps the pattern. (A nats-server lets
///   such a subscription pass, and filters the messages; there is no such filter here.)
/// - An entry with a queue, such as `orders.> workers`, is about subscriptions in that queue. A stream is not in a queue, so such an entry
///   neither permits nor denies anything here.
///
/// The requirement is decided when the request comes in, and is not checked again while the stream is open: see
/// [Streams](super#streams).
pub fn subscribe(subject: impl Into<String>) -> Requirement {
    Permission::required(Action::Subscribe, subject.into())
}

/// What a NATS user has to be permitted to do.
pub(super) struct Permission {
    action: Action,
    subject: SubjectTemplate,
}

#[derive(Clone, Copy)]
enum Action {
    Publish,
    Subscribe,
}

/// Whether a caller has a permission, and by what.
enum Decided {
    /// This entry of `allow` covers the subject.
    Allowed(usize),
    /// This entry of `deny` refuses it.
    Denied(usize),
    /// No entry of `allow` covers it.
    NotAllowed,
    /// The value of a path parameter is not one word.
    NoWord,
    /// The claims contain no permissions, or none that can be read.
    NoPermissions,
    /// The credential is not that of a NATS user.
    OtherKind(CredentialKind),
}

/// The permissions in the claims do not have the form that the authenticator gives them.
struct Unreadable;

impl Permission {
    fn required(action: Action, subject: String) -> Requirement {
        Requirement::leaf(Leaf::Permission(Self { action, subject: SubjectTemplate::new(subject) }))
    }

    /// Returns the names of the path parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.subject.parameters()
    }

    /// Returns why no caller can ever have it.
    pub(super) fn problem(&self) -> Option<String> {
        if let Some(problem) = self.subject.problem() {
            return Some(problem.to_owned());
        }
        let is_possible = matches!(self.action, Action::Subscribe) || self.subject.is_literal();
        (!is_possible).then(|| "a message is published to one subject: leave out the wildcards".to_owned())
    }

    /// Whether the caller has the permission.
    pub(super) fn is_met_by<'a>(&'a self, facts: &Facts, params: &'a PathParams) -> Result<bool, Mistake<'a>> {
        self.decide(facts, params).map(|decided| matches!(decided, Decided::Allowed(_)))
    }

    /// Says by what it is decided: with the place of an entry, but without its text, which is a claim. `None` if it cannot be decided.
    pub(super) fn grounds(&self, facts: &Facts, params: &PathParams) -> Option<String> {
        let place = self.action.place();
        Some(match self.decide(facts, params).ok()? {
            Decided::Allowed(entry) => format!("allowed by {place}/allow/{entry}"),
            Decided::Denied(entry) => format!("denied by {place}/deny/{entry}"),
            Decided::NotAllowed => format!("no entry of {place}/allow covers the subject"),
            Decided::NoWord => "a path parameter is not one word of a subject".to_owned(),
            Decided::NoPermissions => format!("the claims have no readable permissions at {place}"),
            Decided::OtherKind(kind) => format!("the credential is of the kind {kind}"),
        })
    }

    /// The subject is filled in first, so that a missing parameter is reported for every caller.
    fn decide<'a>(&'a self, facts: &Facts, params: &'a PathParams) -> Result<Decided, Mistake<'a>> {
        let subject = self.subject.fill(params)?;
        if facts.credential() != CredentialKind::NatsUser {
            return Ok(Decided::OtherKind(facts.credential()));
        }
        let Some(subject) = subject else { return Ok(Decided::NoWord) };
        let lists = facts.claim(self.action.place()).ok_or(Unreadable);
        let decided = lists.and_then(|lists| self.action.decide(lists, &subject));
        Ok(decided.unwrap_or(Decided::NoPermissions))
    }
}

impl Action {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Subscribe => "subscribe",
        }
    }

    /// Returns the JSON pointer to its permissions.
    const fn place(self) -> &'static str {
        match self {
            Self::Publish => "/nats/permissions/pub",
            Self::Subscribe => "/nats/permissions/sub",
        }
    }

    /// Decides by the lists of a caller's permissions. Entries after the one that decides are read too, so that permissions are either
    /// readable or not, whatever the subject is.
    fn decide(self, lists: ClaimRef<'_>, subject: &SubjectPattern) -> Result<Decided, Unreadable> {
        let denied = self.first(lists.at("/deny"), |entry| entry.overlaps(subject))?;
        let allowed = self.first(lists.at("/allow"), |entry| entry.covers(subject))?;
        Ok(match (denied, allowed) {
            (Some(place), _) => Decided::Denied(place),
            (None, Some(place)) => Decided::Allowed(place),
            (None, None) => Decided::NotAllowed,
        })
    }

    /// Returns the place of the first entry without a queue that meets the condition.
    fn first(
        self,
        list: Option<ClaimRef<'_>>,
        meets: impl Fn(SubjectPattern<&str>) -> bool,
    ) -> Result<Option<usize>, Unreadable> {
        let mut first = None;
        for (place, entry) in list.and_then(ClaimRef::elements).ok_or(Unreadable)?.enumerate() {
            let entry = self.entry(entry.as_str().ok_or(Unreadable)?)?;
            if entry.is_some_and(&meets) {
                first = first.or(Some(place));
            }
        }
        Ok(first)
    }

    /// Returns the subject of an entry; `None` if the entry has a queue.
    fn entry(self, text: &str) -> Result<Option<SubjectPattern<&str>>, Unreadable> {
        let parse = |text| SubjectPattern::parse(text).map_err(|_| Unreadable);
        let mut words = text.split_whitespace();
        match (self, words.next(), words.next(), words.next()) {
            (Self::Subscribe, Some(subject), Some(queue), None) => parse(subject).and(parse(queue)).map(|_| None),
            _ => parse(text).map(Some),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.action.as_str(), self.subject)
    }
}
