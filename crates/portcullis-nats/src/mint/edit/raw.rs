//! [`RawObject`]: an object whose members stay as they were written.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::mint::write::Members;

/// An object whose members stay as they were written, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct RawObject(Vec<(String, Box<RawValue>)>);

impl RawObject {
    pub(super) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.get()).filter(|json| *json != "null")
    }

    /// Returns the object that is a member; an empty one if it is absent.
    pub(super) fn object(&self, name: &str) -> Option<Self> {
        self.get(name).map_or(Some(Self::default()), Self::parse)
    }

    /// Returns the elements of a list; none if it is absent.
    pub(super) fn list(&self, name: &str) -> Option<Vec<Box<RawValue>>> {
        self.get(name).map_or(Some(Vec::new()), |json| serde_json::from_str(json).ok())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// Replaces a member where it is, or adds it at the end.
    pub(super) fn set(&mut self, name: &str, json: String) {
        // What is written here is JSON.
        let Ok(json) = RawValue::from_string(json) else { return };
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, value)) => *value = json,
            None => self.0.push((name.to_owned(), json)),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    pub(super) fn to_json(&self) -> String {
        let mut members = Members::default();
        for (name, value) in &self.0 {
            members.raw(name, value.get());
        }
        members.finish()
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<RawObject, A::Error> {
                let mut object = RawObject::default();
                while let Some(member) = members.next_entry()? {
                    object.0.push(member);
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(Object)
    }
}
