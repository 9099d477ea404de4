//! Strict JSON for tokens: no repeated members, bounded nesting, whole numbers of 64 bits.
//!
//! A reader of our own, because `serde_json` reads a struct also from an array, keeps the last of two members with one name, and takes
//! fractions where a whole number is expected. `portcullis-core` is as strict, but keeps the claims as text.

use std::{borrow::Cow, collections::HashSet, fmt};

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The maximum nesting of objects and arrays. An account nests six levels.
const MAX_DEPTH: usize = 32;

/// The name under which `serde_json` passes a number if a crate of the build has enabled its feature `arbitrary_precision`.
const NUMBER: &str = "$serde_json::private::Number";

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    /// `null`, which counts as absent.
    Null,
    Bool(bool),
    /// A whole number of 64 bits with a sign.
    Int(i64),
    /// Any other number. No claim has one.
    OtherNumber,
    Text(String),
    List(Vec<Json>),
    /// The members in their order. No name occurs twice.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a text that is an object.
    pub(crate) fn object(text: &str) -> Result<Vec<(String, Self)>, &'static str> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let value = Below { depth: 0, text }.deserialize(&mut deserializer).map_err(|_| "it is not strict JSON")?;
        deserializer.end().map_err(|_| "there is something behind the JSON")?;
        match value {
            Self::Object(members) => Ok(members),
            _ => Err("it is not a JSON object"),
        }
    }
}

/// Reads a value this deep.
#[derive(Clone, Copy)]
struct Below<'de> {
    depth: usize,
    text: &'de str,
}

impl Below<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom("it nests too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Below<'de> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'de> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::OtherNumber, Json::Int))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::OtherNumber)
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let below = self.deeper()?;
        let mut list = Vec::new();
        while let Some(element) = elements.next_element_seed(below)? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let below = self.deeper()?;
        let mut object = Vec::new();
        let mut names = HashSet::new();
        while let Some(name) = members.next_key()? {
            if is_number(&name, self.text) {
                let text = members.next_value::<String>()?;
                return Ok(text.parse().map_or(Json::OtherNumber, Json::Int));
            }
            let Name(name) = name;
            if !names.insert(name.clone()) {
                return Err(de::Error::custom("an object in it has a member twice"));
            }
            object.push((name.into_owned(), members.next_value_seed(below)?));
        }
        Ok(Json::Object(object))
    }
}

/// Whether a name announces a number and is no member: then it is not part of the text. (A name with escapes is a copy, and a member.)
fn is_number(name: &Name<'_>, text: &str) -> bool {
    match name.0 {
        Cow::Borrowed(name) => name == NUMBER && !text.as_bytes().as_ptr_range().contains(&name.as_ptr()),
        Cow::Owned(_) => false,
    }
}

/// A member's name, borrowed from the text if it has no escapes.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(name)))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(name.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_object_is_read() {
        let members = Json::object(r#" {"a":-1,"b":[true,null,"x"],"c":{"d":1.0}} "#).unwrap();
        let inner = vec![("d".to_owned(), Json::OtherNumber)];
        assert_eq!(members[0], ("a".to_owned(), Json::Int(-1)));
        assert_eq!(members[1].1, Json::List(vec![Json::Bool(true), Json::Null, Json::Text("x".to_owned())]));
        assert_eq!(members[2].1, Json::Object(inner));
    }

    #[test]
    fn whole_numbers_have_64_bits() {
        let read = |text: &str| Json::object(&format!("{{\"a\":{text}}}")).unwrap().remove(0).1;
        assert_eq!(read("9223372036854775807"), Json::Int(i64::MAX));
        assert_eq!(read("-9223372036854775808"), Json::Int(i64::MIN));
        for object in [r#"{"$serde_json::private::Number":"5"}"#, r#"{"\u0024serde_json::private::Number":"5"}"#] {
            assert!(matches!(read(object), Json::Object(_)), "{object}");
        }
        for other in ["9223372036854775808", "18446744073709551616", "1.0", "1e3", "-0.5"] {
            assert_eq!(read(other), Json::OtherNumber, "{other}");
        }
    }

    #[test]
    fn what_is_not_strict_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        let refused = [
            "",
            "[]",
            "null",
            "1",
            r#"["a"]"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":1,"\u0061":1}"#,
            "{}{}",
            "{} x",
            r#"{"a":1,}"#,
            r"{a:1}",
            &deep,
        ];
        for text in refused {
            assert!(Json::object(text).is_err(), "{text}");
        }
        assert!(Json::object(&format!("{{\"a\":{}{}}}", "[".repeat(31), "]".repeat(31))).is_ok());
    }
}
