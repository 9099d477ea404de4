//! [`text_at`]: finds one string of a strict object by its JSON pointer, without copying it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{MemberName, Source, Text, TextSeed};

/// Returns the text at a JSON pointer (RFC 6901) that leads through objects only, in a source that
/// [`Scan`](super::Scan) accepted. `None` if nothing is there, or something that is not text.
pub(crate) fn text_at(source: &Source<'_>, pointer: &str) -> Option<Text> {
    let mut deserializer = serde_json::Deserializer::from_str(source.json());
    Way { source, pointer }.deserialize(&mut deserializer).ok()?
}

/// A value on the path, and the rest of the path.
#[derive(Clone, Copy)]
struct Way<'s, 'de, 'p> {
    source: &'s Source<'de>,
    pointer: &'p str,
}

impl Way<'_, '_, '_> {
    /// Returns the next name, without its escapes, and the path after it; `None` at the end.
    fn next(self) -> Option<(String, Self)> {
        let rest = self.pointer.strip_prefix('/')?;
        let (name, pointer) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((name.replace("~1", "/").replace("~0", "~"), Self { pointer, ..self }))
    }
}

impl<'de> DeserializeSeed<'de> for Way<'_, 'de, '_> {
    type Value = Option<Text>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Text>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Way<'_, 'de, '_> {
    type Value = Option<Text>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Option<Text>, E> {
        if self.pointer.is_empty() { TextSeed(self.source).visit_borrowed_str(text).map(Some) } else { Ok(None) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Text>, E> {
        if self.pointer.is_empty() { TextSeed(self.source).visit_str(text).map(Some) } else { Ok(None) }
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<Text>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<Text>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<Text>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<Text>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<Text>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Option<Text>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<Text>, A::Error> {
        let next = self.next();
        let mut found = None;
        while let Some(name) = members.next_key::<MemberName<'de>>()? {
            match &next {
                // A number in the form of `arbitrary_precision` has no members.
                Some((wanted, way)) if name.as_str() == wanted && !name.announces_number(self.source.json()) => {
                    found = members.next_value_seed(*way)?;
                }
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_the_pointer_leads() {
        let json = r#"{"azp":"a","n":1,"x":{"y/z":"b","c":{"d":"e\n"}},"l":["f"],"e":"","o":{},"t":true,"u":null}"#;
        for (pointer, found) in [
            ("/azp", Some("a")),
            ("/x/y~1z", Some("b")),
            ("/x/c/d", Some("e\n")),
            ("/e", Some("")),
            ("/n", None),
            ("/l", None),
            ("/l/0", None),
            ("/o", None),
            ("/t", None),
            ("/u", None),
            ("/azp/x", None),
            ("/none", None),
            ("", None),
            ("azp", None),
        ] {
            let source = Source::new(json);
            let text = text_at(&source, pointer);
            let with_copies = format!("{json}{}", source.into_copies());
            assert_eq!(text.map(|text| text.of(&with_copies)), found, "{pointer}");
        }
    }

    #[test]
    fn copies_that_are_there_stay_where_they_are() {
        let json = r#"{"sub":"\n","azp":"a\t"}"#;
        let source = Source::with_copies(json, "\n");
        let text = text_at(&source, "/azp").unwrap();
        assert_eq!(text.of(&format!("{json}{}", source.into_copies())), "a\t");
    }
}
