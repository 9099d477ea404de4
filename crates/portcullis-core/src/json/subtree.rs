//! [`subtree`]: finds one value of a strict text without building a tree of the rest.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{MemberName, tree::Tree};

/// Returns the value at a JSON pointer (RFC 6901), in a text that [`Scan`](super::Scan) accepted: the same value that
/// [`tree`](super::tree) and then [`Value::pointer`] return.
pub(crate) fn subtree(json: &str, pointer: &str) -> Option<Value> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Step { pointer, depth: 0, text: json }.deserialize(&mut deserializer).ok()?
}

/// A value on the path, and the rest of the path.
#[derive(Clone, Copy)]
struct Step<'p, 'de> {
    pointer: &'p str,
    depth: usize,
    text: &'de str,
}

impl Step<'_, '_> {
    /// Returns the next name or index, without its escapes, and the step after it.
    fn next(self) -> (String, Self) {
        let rest = self.pointer.strip_prefix('/').unwrap_or(self.pointer);
        let end = rest.find('/').unwrap_or(rest.len());
        let (token, pointer) = rest.split_at(end);
        (token.replace("~1", "/").replace("~0", "~"), Self { pointer, depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Step<'_, 'de> {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Value>, D::Error> {
        if self.pointer.is_empty() {
            return Tree::below(self.depth, self.text).deserialize(deserializer).map(Some);
        }
        deserializer.deserialize_any(self)
    }
}

/// Strings, numbers, booleans and `null` have nothing below them.
impl<'de> Visitor<'de> for Step<'_, 'de> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, _: &str) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<Value>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<Value>, A::Error> {
        let (token, step) = self.next();
        // Like `Value::pointer`: no sign, no leading zeros.
        let plain = token == "0" || !token.starts_with(['0', '+']);
        let mut ahead = token.parse::<usize>().ok().filter(|_| plain);
        let mut found = None;
        loop {
            let element = match ahead {
                Some(0) => elements.next_element_seed(step)?.map(|value| found = value),
                _ => elements.next_element::<IgnoredAny>()?.map(drop),
            };
            if element.is_none() {
                return Ok(found);
            }
            ahead = ahead.and_then(|ahead| ahead.checked_sub(1));
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<Value>, A::Error> {
        let (token, step) = self.next();
        let mut found = None;
        while let Some(name) = members.next_key::<MemberName<'de>>()? {
            // A number in the form of `arbitrary_precision` has no members.
            if name.as_str() == token && !name.announces_number(self.text) {
                found = members.next_value_seed(step)?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::json::tree;

    #[test]
    fn it_is_what_the_tree_has_there() {
        let json =
            r#"{"a":{"b":[1,{"c":null},"d",[7.5]],"":{"":true}},"x/y":1,"m~n":2,"e\u0066":3,"~1":4,"00":5,"0":6}"#;
        let whole = tree(json).unwrap();
        for pointer in [
            "",
            "/",
            "/a",
            "/a/b",
            "/a/b/0",
            "/a/b/1/c",
            "/a/b/3/0",
            "/a/b/4",
            "/a/b/00",
            "/a/b/+1",
            "/a/b/-",
            "/a//",
            "/a/b/01",
            "/x~1y",
            "/m~0n",
            "/ef",
            "/~01",
            "/00",
            "/0",
            "/none",
            "/a/b/2/x",
            "a",
            "/a/b/1/c/d",
            "//",
            "/a/b/18446744073709551616",
        ] {
            assert_eq!(subtree(json, pointer).as_ref(), whole.pointer(pointer), "{pointer}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let name = prop_oneof![Just("a"), Just("b"), Just(""), Just("0"), Just("a/b"), Just("~")];
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            let members = prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner.clone(), 0..4);
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_is_what_the_tree_has_anywhere(value in value(), pointer in "(/(a|b||0|1|a~1b|~0)){0,4}") {
            let found = subtree(&value.to_string(), &pointer);
            prop_assert_eq!(found.as_ref(), value.pointer(&pointer));
        }
    }
}
