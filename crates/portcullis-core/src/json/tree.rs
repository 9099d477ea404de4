//! [`tree`]: a strict value as a tree.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::{MAX_DEPTH, MemberName, MemberNames, TOO_DEEP};

/// Returns the tree of a text that [`Scan`](super::Scan) would accept; `None` otherwise.
///
/// Built here and not by `serde_json::Value` itself, which gives names that begin with `$serde_json::private::` a special meaning: a
/// member of a user's own object could then hide all claims, or replace them.
pub(crate) fn tree(json: &str) -> Option<Value> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let tree = Tree::below(0, json).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(tree)
}

/// Reads any strict value as a tree.
#[derive(Clone, Copy)]
pub(super) struct Tree<'de> {
    depth: usize,
    text: &'de str,
}

impl<'de> Tree<'de> {
    /// Returns the reader for a value in this text that is a member or an element of something `depth` levels deep.
    pub(super) const fn below(depth: usize, text: &'de str) -> Self {
        Self { depth, text }
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'de> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'de> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let element = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(element)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut next = members.next_key::<MemberName<'de>>()?;
        if next.as_ref().is_some_and(|name| name.announces_number(self.text)) {
            return number(&members.next_value::<MemberName<'de>>()?);
        }
        let member = self.deeper()?;
        let mut names = MemberNames::new();
        let mut object = Map::new();
        while let Some(name) = next {
            names.note(&name)?;
            object.insert(name.as_str().to_owned(), members.next_value_seed(member)?);
            next = members.next_key()?;
        }
        Ok(Value::Object(object))
    }
}

/// Reads a number in the form that serde_json uses if a crate of the build has enabled `arbitrary_precision`.
fn number<E: de::Error>(text: &MemberName<'_>) -> Result<Value, E> {
    text.as_str().parse().map(Value::Number).map_err(|_| E::custom("not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_text_becomes_the_tree_that_serde_json_would_make() {
        for json in ["null", "true", "-7", "7", "1.5", r#""\u00e9""#, r#"[1,[2],{"a":{"b":[]}}]"#] {
            assert_eq!(tree(json), serde_json::from_str(json).ok(), "{json}");
        }
    }

    #[test]
    fn what_is_not_strict_has_no_tree() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"$serde_json::private::RawValue":"{}"}"#,
            r#"{"a":{"$serde_json::private::Number":"5"}}"#,
            "{} {}",
            "",
            "[1",
        ] {
            assert_eq!(tree(json), None, "{json}");
        }
    }
}
