//! The names of an object's members, each at most once.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::{RESERVED, TWICE};

/// How many names are compared one by one before a hash set takes over: the usual object fits, and a hostile one
/// with thousands of members costs linear time all the same.
const INLINE: usize = 24;

/// The name under which serde_json hands over a number, when some crate of the build has switched its feature
/// `arbitrary_precision` on. Not a member.
const NUMBER: &str = "$serde_json::private::Number";

/// What no member may be named: `serde_json::Value` takes such an object for something else, and custom claims may hold
/// a `Value`.
const PRIVATE: &str = "$serde_json::private::";

/// The names seen so far in one object.
#[derive(Debug)]
pub(crate) struct MemberNames<'de> {
    /// One bit for each [`mark`] seen: a name whose bit is not set is new for certain, and need not be compared.
    marks: u64,
    inline: [&'de str; INLINE],
    len: usize,
    /// Rarely there: a hash set draws its keys when it is made.
    more: Option<HashSet<Cow<'de, str>>>,
}

impl<'de> MemberNames<'de> {
    pub(crate) fn new() -> Self {
        Self { marks: 0, inline: [""; INLINE], len: 0, more: None }
    }

    /// Notes a name; an error if the object has it already.
    pub(crate) fn note<E: de::Error>(&mut self, name: &MemberName<'de>) -> Result<(), E> {
        if name.is_reserved() {
            return Err(E::custom(RESERVED));
        }
        let mark = mark(name.as_str());
        if self.marks & mark != 0 && self.contains(name.as_str()) {
            return Err(E::custom(TWICE));
        }
        self.marks |= mark;
        match name.0 {
            Cow::Borrowed(name) if self.len < INLINE => {
                self.inline[self.len] = name;
                self.len += 1;
            }
            ref name => {
                self.more.get_or_insert_default().insert(name.clone());
            }
        }
        Ok(())
    }

    fn contains(&self, name: &str) -> bool {
        self.inline[..self.len].contains(&name) || self.more.as_ref().is_some_and(|more| more.contains(name))
    }
}

/// One of 64 bits, by what is cheapest to look at. Equal names have equal marks; more is not needed.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let ends = bytes.first().zip(bytes.last()).map_or(0, |(first, last)| first.wrapping_mul(5) ^ last.wrapping_mul(3));
    1 << ((usize::from(ends) ^ bytes.len()) % 64)
}

/// A member's name with its escapes resolved; borrowed from the text where it has none.
#[derive(Debug)]
pub(crate) struct MemberName<'de>(Cow<'de, str>);

impl MemberName<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of those that have a meaning of their own to `serde_json`.
    pub(crate) fn is_reserved(&self) -> bool {
        self.0.starts_with(PRIVATE)
    }

    /// Whether it announces a number, and is no member: it is then not a part of the text that is being read. (An escaped
    /// name has a copy made of it, so it is a member.)
    pub(crate) fn announces_number(&self, text: &str) -> bool {
        match self.0 {
            Cow::Borrowed(name) => name == NUMBER && !text.as_bytes().as_ptr_range().contains(&name.as_ptr()),
            Cow::Owned(_) => false,
        }
    }
}

impl<'de> Deserialize<'de> for MemberName<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = MemberName<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(MemberName(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(MemberName(Cow::Owned(name.to_owned())))
    }
}
