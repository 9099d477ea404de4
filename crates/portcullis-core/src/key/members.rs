//! [`Members`]: one JSON object of a key file, whose members are parsed only when needed.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{error::Category, value::RawValue};

use super::{KeyError, KeyErrorKind};

/// A JSON object without repeated members. Values are borrowed raw text: unused members are ignored whatever they are, and secrets are
/// not copied.
pub(crate) struct Members<'a>(BTreeMap<String, &'a RawValue>);

impl<'a> Members<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, KeyError> {
        // RFC 8259 section 8.1: a byte order mark may be ignored. Some editors write one.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_json::from_str(text).map_err(|error| {
            // The error's own text may quote the offending value, which may be a secret.
            let what = match error.classify() {
                Category::Data => "not a JSON object, or it has a member twice",
                _ => "not JSON",
            };
            malformed(format!("{what} (line {}, column {})", error.line(), error.column()))
        })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns a string member, if it exists. `null` does not count as absent: RFC 7517 has no null.
    pub(crate) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, KeyError> {
        self.read(name, "a string").map(|text: Option<Text<'a>>| text.map(|text| text.0))
    }

    /// Returns an array of strings, if it exists.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, KeyError> {
        self.read(name, "an array of strings")
    }

    /// Returns an array, if it exists, with its elements not parsed.
    pub(crate) fn elements(&self, name: &str) -> Result<Option<Vec<&'a RawValue>>, KeyError> {
        self.read(name, "an array")
    }

    fn read<T: Deserialize<'a>>(&self, name: &str, form: &str) -> Result<Option<T>, KeyError> {
        self.0
            .get(name)
            .map(|raw| serde_json::from_str(raw.get()).map_err(|_| malformed(format!("{name} must be {form}"))))
            .transpose()
    }
}

pub(crate) fn malformed(message: impl Into<Cow<'static, str>>) -> KeyError {
    KeyError::new(KeyErrorKind::Malformed, message)
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut source: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = source.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a member twice"));
            }
        }
        Ok(Members(members))
    }
}

/// A string, borrowed unless it was written with escapes.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Members::parse(text).err().unwrap().to_string()
    }

    #[test]
    fn an_object_gives_its_members() {
        let members = Members::parse(r#"{ "kty": "oct", "k\u0065y_ops": ["verify"], "x-vendor": { "n": [1, null] } }"#);
        let members = members.unwrap();
        assert_eq!(members.text("kty").unwrap().as_deref(), Some("oct"));
        assert_eq!(members.texts("key_ops").unwrap().unwrap(), ["verify"]);
        assert_eq!(members.text("alg").unwrap(), None);
        assert!(members.has("x-vendor"));
    }

    #[test]
    fn only_objects_without_repetition_are_read() {
        for text in [r#"["oct"]"#, "\"oct\"", "null", "7", r#"{"k":1,"k":1}"#, r#"{"k":1,"\u006b":1}"#] {
            assert!(refusal(text).starts_with("not a JSON object"), "{text}");
        }
        for text in ["", "{", r#"{"k":"v"} x"#, "{'k':1}", "-----BEGIN PUBLIC KEY-----"] {
            assert!(refusal(text).starts_with("not JSON"), "{text}");
        }
    }

    #[test]
    fn other_types_are_refused_and_never_quoted() {
        let members = Members::parse(r#"{ "k": 8675309, "alg": null, "key_ops": "verify" }"#).unwrap();
        assert_eq!(members.text("k").unwrap_err().to_string(), "k must be a string");
        assert_eq!(members.text("alg").unwrap_err().to_string(), "alg must be a string");
        assert!(members.texts("key_ops").is_err());
    }
}
