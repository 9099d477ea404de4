//! [`MemberNames`]: the names of an object's members, each at most once.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::{RESERVED, TWICE};

/// How many names are compared one by one before a hash set is used: the usual object fits, and a hostile one with thousands of members
/// still costs linear time.
const INLINE: usize = 24;

/// The name under which serde_json passes a number if a crate of the build has enabled its feature `arbitrary_precision`. Not a member.
const NUMBER: &str = "$serde_json::private::Number";

/// The prefix that no member may have: `serde_json::Value` takes such an object for something else, and custom claims may contain a
/// `Value`.
const PRIVATE: &str = "$serde_json::private::";

/// The names seen so far in one object.
#[derive(Debug)]
pub(crate) struct MemberNames<'de> {
    /// One bit for each [`mark`] seen: a name whose bit is not set is certainly new, and need not be compared.
    marks: u64,
    inline: [&'de str; INLINE],
    len: usize,
    /// Rarely used, because creating a hash set draws random keys.
    more: Option<HashSet<Cow<'de, str>>>,
}

impl<'de> MemberNames<'de> {
    pub(crate) fn new() -> Self {
        Self { marks: 0, inline: [""; INLINE], len: 0, more: None }
    }

    /// Records a name; fails if the object already has it.
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

/// Returns one of 64 bits, computed from what is cheapest to read. Equal names have equal marks; nothing else is required.
fn mark(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let ends = bytes.first().zip(bytes.last()).map_or(0, |(first, last)| first.wrapping_mul(5) ^ last.wrapping_mul(3));
    1 << ((usize::from(ends) ^ bytes.len()) % 64)
}

/// A member's name with its escapes resolved; borrowed from the text if it has none.
#[derive(Debug)]
pub(crate) struct MemberName<'de>(Cow<'de, str>);

impl MemberName<'_> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is a name that has a special meaning for `serde_json`.
    pub(crate) fn is_reserved(&self) -> bool {
        self.0.starts_with(PRIVATE)
    }

    /// Whether it announces a number, and is not a member: then it is not part of the text that is being read. (An escaped name is
    /// copied, so it counts as a member.)
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
