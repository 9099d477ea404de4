//! Strings that stay where they are: places in the text that they were read from.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

/// A string claim: its place in the claims' text, or, if it was written with escapes, a copy without them.
///
/// So a verified token keeps one allocation with all its claims instead of one for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    Slice { start: u32, len: u32 },
    Owned(Box<str>),
}

impl Text {
    /// The string. `source` is the text that it was read from.
    pub(crate) fn of<'a>(&'a self, source: &'a str) -> &'a str {
        match self {
            Self::Slice { start, len } => {
                let start = *start as usize;
                source.get(start..start + *len as usize).unwrap_or_default()
            }
            Self::Owned(text) => text,
        }
    }
}

/// Reads a string as a [`Text`] within `source`, the whole text that is being parsed. Anything but a string is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextSeed<'de> {
    pub(crate) source: &'de str,
}

impl<'de> DeserializeSeed<'de> for TextSeed<'de> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed<'de> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text, E> {
        let start = (text.as_ptr() as usize).checked_sub(self.source.as_ptr() as usize);
        let place = start.and_then(|start| {
            let inside = start + text.len() <= self.source.len();
            inside.then(|| Some(Text::Slice { start: start.try_into().ok()?, len: text.len().try_into().ok()? }))?
        });
        Ok(place.unwrap_or_else(|| Text::Owned(text.into())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text::Owned(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Text, serde_json::Error> {
        TextSeed { source: json }.deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn a_plain_string_stays_in_place_and_an_escaped_one_is_copied() {
        let (plain, escaped) = (r#""al\u0069ce""#.replace("\\u0069", "i"), r#""al\u0069ce""#);
        assert!(matches!(read(&plain).unwrap(), Text::Slice { start: 1, len: 5 }));
        assert!(matches!(read(escaped).unwrap(), Text::Owned(_)));
        assert_eq!(read(&plain).unwrap().of(&plain), "alice");
        assert_eq!(read(escaped).unwrap().of(escaped), "alice");
    }

    #[test]
    fn other_types_are_refused() {
        for json in ["1", "true", "null", "[]", "{}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
