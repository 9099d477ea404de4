//! The body of a request, as it was written.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, error::Category};

/// One JSON object, members that stand twice included: so an error can name them, and none of the two wins in silence.
#[derive(Debug)]
pub(super) struct Members {
    /// The first ones.
    kept: Vec<(String, Value)>,
    /// Whether there were too many of them to keep.
    pub(super) has_more: bool,
}

/// More than twice as many as any item has. All of them are compared with all others.
const MOST: usize = 16;

/// What a body holds.
#[derive(Debug)]
pub(super) enum Items {
    One(Members),
    Several(Vec<Members>),
}

impl Items {
    /// Reads the text.
    ///
    /// # Errors
    ///
    /// If it is neither an object nor an array of objects: says where, and nothing of what stands there.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(text).map_err(|error| {
            let what = match error.classify() {
                Category::Data => "neither an object nor an array of objects",
                _ => "not JSON",
            };
            format!("the body is {what}, as line {}, column {} shows", error.line(), error.column())
        })
    }
}

impl Members {
    /// The member's value; the first, if it stands twice.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.kept.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.kept {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Whether it stands there more than once.
    pub(super) fn is_repeated(&self, name: &str) -> bool {
        self.kept.iter().filter(|(known, _)| known == name).count() > 1
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members { kept: Vec::new(), has_more: false };
        while members.kept.len() < MOST {
            let Some(member) = map.next_entry()? else { return Ok(members) };
            members.kept.push(member);
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            members.has_more = true;
        }
        Ok(members)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Items, A::Error> {
        MembersVisitor.visit_map(map).map(Items::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Items::Several(items))
    }
}
