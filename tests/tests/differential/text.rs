//! A token's text, read without strictness, to see whether a reason applies.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::keys::Key;

/// What stands in a token that jsonwebtoken accepts.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) len: usize,
    pub(crate) now: u64,
    pub(crate) key: Key,
    pub(crate) header: Json,
    pub(crate) claims: Json,
}

/// One of its parts.
#[derive(Debug)]
pub(crate) struct Json {
    /// Of members that stand twice, the last.
    pub(crate) value: Value,
    pub(crate) has_duplicates: bool,
    pub(crate) depth: usize,
}

impl Seen {
    pub(crate) fn new(text: &str, now: u64, key: Key) -> Self {
        let mut parts = text.split('.').map(|part| Json::read(&URL_SAFE_NO_PAD.decode(part).unwrap_or_default()));
        Self { len: text.len(), now, key, header: parts.next().unwrap(), claims: parts.next().unwrap() }
    }
}

impl Json {
    fn read(octets: &[u8]) -> Self {
        let mut json = Self { value: serde_json::from_slice(octets).unwrap(), has_duplicates: false, depth: 0 };
        Walk { json: &mut json, depth: 0 }.deserialize(&mut serde_json::Deserializer::from_slice(octets)).unwrap();
        json
    }
}

/// Walks a value and notes how deep it goes, and members that stand twice.
struct Walk<'j> {
    json: &'j mut Json,
    depth: usize,
}

impl Walk<'_> {
    fn deeper(&mut self) -> Walk<'_> {
        Walk { json: self.json, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let value = <&serde_json::value::RawValue>::deserialize(deserializer)?.get();
        let mut deserializer = serde_json::Deserializer::from_str(value);
        let is_nested = value.starts_with(['{', '[']);
        self.json.depth = self.json.depth.max(self.depth + usize::from(is_nested));
        let walked = if is_nested { deserializer.deserialize_any(self) } else { Ok(()) };
        walked.map_err(serde::de::Error::custom)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(self.deeper())?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let mut names = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            self.json.has_duplicates |= names.contains(&name);
            names.push(name);
            members.next_value_seed(self.deeper())?;
        }
        Ok(())
    }
}
