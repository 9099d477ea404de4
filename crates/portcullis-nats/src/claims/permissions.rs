//! [`Permissions`]: which subjects a user may publish and subscribe to.

use super::{invalid, subject};
use crate::token::{Object, Read};

/// Which subjects a user may publish and subscribe to, as the token says it. What that means together is decided by a chain: see
/// [`Effective`](crate::chain::EffectivePermissions).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permissions {
    /// `pub`.
    pub publish: Permission,
    /// `sub`.
    pub subscribe: Permission,
    /// `resp`.
    pub responses: Option<Responses>,
}

/// Subjects that are allowed and denied. A denial wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// The allowed ones. `None`, an absent list, allows every subject; an empty list does not always mean the same.
    pub allow: Option<Vec<String>>,
    /// The denied ones.
    pub deny: Vec<String>,
}

/// A permission to answer requests: to publish to the reply subject of a message that was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Responses {
    /// `max`: how many messages may be sent in reply to one request. Zero means one, a negative number any number.
    pub max: i64,
    /// `ttl`, in nanoseconds: for how long after the request replies may be sent. Zero means two minutes, a negative number for ever.
    pub valid_for: i64,
}

/// The names of the members.
pub(super) const NAMES: [&str; 3] = ["pub", "sub", "resp"];

impl Permissions {
    /// Allows these subjects for publishing, and no others.
    #[must_use]
    pub fn publish<S: Into<String>>(mut self, subjects: impl IntoIterator<Item = S>) -> Self {
        self.publish.allow.get_or_insert_default().extend(subjects.into_iter().map(Into::into));
        self
    }

    /// Allows these subjects for subscribing, and no others.
    #[must_use]
    pub fn subscribe<S: Into<String>>(mut self, subjects: impl IntoIterator<Item = S>) -> Self {
        self.subscribe.allow.get_or_insert_default().extend(subjects.into_iter().map(Into::into));
        self
    }

    /// Whether the token says nothing about subjects, so that the account's default permissions apply.
    #[cfg(feature = "chain")]
    pub(crate) fn is_empty(&self) -> bool {
        self.publish.is_empty() && self.subscribe.is_empty() && self.responses.is_none()
    }

    pub(super) fn read(object: &Object<'_>) -> Read<Self> {
        let permissions = Self::read_template(object)?;
        permissions.publish.require_entries(Queue::Refused, "pub")?;
        permissions.subscribe.require_entries(Queue::Allowed, "sub")?;
        Ok(permissions)
    }

    /// Reads those of a scope, whose entries are no subjects before they are filled in: there may be blanks in a placeholder.
    pub(super) fn read_template(object: &Object<'_>) -> Read<Self> {
        Ok(Self {
            publish: Permission::read(object, "pub")?,
            subscribe: Permission::read(object, "sub")?,
            responses: Responses::read(object)?,
        })
    }
}

/// Whether an entry may have a queue behind the subject.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Queue {
    Allowed,
    Refused,
}

impl Permission {
    /// Whether neither list has an entry.
    #[cfg(feature = "chain")]
    pub(crate) fn is_empty(&self) -> bool {
        self.allow.as_deref().unwrap_or_default().is_empty() && self.deny.is_empty()
    }

    fn read(object: &Object<'_>, name: &str) -> Read<Self> {
        let Some(object) = object.object(name, &["allow", "deny"])? else { return Ok(Self::default()) };
        Ok(Self { allow: object.texts("allow")?, deny: object.texts("deny")?.unwrap_or_default() })
    }

    fn require_entries(&self, queue: Queue, name: &str) -> Read<()> {
        let mut entries = self.allow.iter().flatten().chain(&self.deny);
        entries.try_for_each(|entry| require_entry(entry, queue, &format!("{name}.allow and {name}.deny")))
    }
}

/// Refuses an entry that is neither a subject nor, where that is allowed, a subject and a queue.
fn require_entry(entry: &str, queue: Queue, place: &str) -> Read<()> {
    let mut words = entry.split(' ');
    let at = || place.to_owned();
    match (words.next(), words.next(), words.next()) {
        (Some(one), None, _) => subject::require(one, at),
        (Some(one), Some(name), None) if queue == Queue::Allowed => {
            subject::require(one, at)?;
            subject::require(name, at)
        }
        _ => Err(invalid(format!("an entry of {place} has a queue or too many blanks"))),
    }
}

impl Responses {
    fn read(object: &Object<'_>) -> Read<Option<Self>> {
        let Some(object) = object.object("resp", &["max", "ttl"])? else { return Ok(None) };
        Ok(Some(Self {
            max: object.int("max")?.unwrap_or_default(),
            valid_for: object.int("ttl")?.unwrap_or_default(),
        }))
    }
}
