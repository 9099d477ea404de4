//! Parses the request body without losing repeated members.

use std::fmt;

use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Value, error::Category};

/// One JSON object, including repeated members: so an error can name them, and neither wins silently.
#[derive(Debug)]
pub(super) struct Members {
    /// The first members.
    kept: Vec<(String, Value)>,
    /// Whether there were too many members to keep.
    pub(super) has_more: bool,
}

/// More than twice as many as any item has. The limit matters because all members are compared with each other.
const MOST: usize = 16;

/// The content of a body.
#[derive(Debug)]
pub(super) enum Items {
    One(Members),
    Several(Vec<Members>),
}

impl Items {
    /// Parses the text.
    ///
    /// # Errors
    ///
    /// If it is neither an object nor an array of objects. The error says where, without quoting the body.
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
    /// Returns the member's value; the first one if it is repeated.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.kept.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Returns the names, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.kept {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// Whether it occurs more than once.
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
