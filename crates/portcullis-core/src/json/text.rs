//! [`Text`]: a string as a position in the text that it was read from.

use std::{cell::RefCell, fmt, num::NonZeroU64};

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

/// A string claim, as its position in the claims' text.
///
/// So a verified token keeps one allocation with all its claims instead of one for each, and a position takes eight bytes, whether or not
/// the claim exists: a string in JSON follows a quotation mark, so none begins at zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text(
    /// The start in the upper half, the length in the lower. One number instead of two, because the processor has to wait when two halves
    /// that were written separately are read as a whole.
    NonZeroU64,
);

impl Text {
    /// Returns `None` if the position cannot be in a text of less than 4 GiB, or is its beginning.
    pub(crate) fn new(start: usize, len: usize) -> Option<Self> {
        let (start, len) = (u32::try_from(start).ok()?, u32::try_from(len).ok()?);
        NonZeroU64::new(u64::from(start) << 32 | u64::from(len)).filter(|_| start != 0).map(Self)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.get() & u64::from(u32::MAX) == 0
    }

    /// Returns the string. `source` is the text that it was read from, followed by the copies.
    pub(crate) fn of(self, source: &str) -> &str {
        let (start, len) = (self.0.get() >> 32, self.0.get() & u64::from(u32::MAX));
        #[expect(clippy::cast_possible_truncation, reason = "both have come from a usize")]
        let place = start as usize..(start + len) as usize;
        source.get(place).unwrap_or_default()
    }
}

/// The text that strings are read from, and copies of those strings that have escapes in it. A position counts as if the copies directly
/// followed the text.
#[derive(Debug)]
pub(crate) struct Source<'de> {
    json: &'de str,
    copies: RefCell<String>,
}

impl<'de> Source<'de> {
    pub(crate) fn new(json: &'de str) -> Self {
        Self { json, copies: RefCell::default() }
    }

    /// Returns the same text, followed by existing copies.
    pub(crate) fn with_copies(json: &'de str, copies: &str) -> Self {
        Self { json, copies: RefCell::new(copies.to_owned()) }
    }

    pub(crate) fn json(&self) -> &'de str {
        self.json
    }

    pub(crate) fn into_copies(self) -> String {
        self.copies.into_inner()
    }
}

/// Reads a string as a [`Text`] within a source, the whole text that is being parsed. Other values are refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextSeed<'s, 'de>(pub(crate) &'s Source<'de>);

impl<'de> DeserializeSeed<'de> for TextSeed<'_, 'de> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed<'_, 'de> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text, E> {
        let json = self.0.json;
        let start = (text.as_ptr() as usize).checked_sub(json.as_ptr() as usize);
        let place =
            start.filter(|start| start + text.len() <= json.len()).and_then(|start| Text::new(start, text.len()));
        place.map_or_else(|| self.visit_str(text), Ok)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        let mut copies = self.0.copies.borrow_mut();
        let start = self.0.json.len() + copies.len();
        copies.push_str(text);
        Text::new(start, text.len()).ok_or_else(|| E::custom("the text is too long"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the text followed by the copies, and the position.
    fn read(json: &str) -> Result<(String, Text), serde_json::Error> {
        let source = Source::new(json);
        let text = TextSeed(&source).deserialize(&mut serde_json::Deserializer::from_str(json))?;
        Ok((format!("{json}{}", source.into_copies()), text))
    }

    #[test]
    fn a_plain_string_stays_in_place_and_an_escaped_one_is_copied() {
        for (json, start) in [(r#""alice""#, 1), (r#""al\u0069ce""#, 12)] {
            let (source, text) = read(json).unwrap();
            assert_eq!(text, Text::new(start, 5).unwrap());
            assert_eq!(text.of(&source), "alice");
        }
    }

    #[test]
    fn copies_stand_one_behind_the_other() {
        let json = r#"["\n","","\t\t"]"#;
        let source = Source::new(json);
        let texts: Vec<Text> = {
            let mut deserializer = serde_json::Deserializer::from_str(json);
            Deserializer::deserialize_seq(&mut deserializer, All(&source)).unwrap()
        };
        let source = format!("{json}{}", source.into_copies());
        assert_eq!(texts.iter().map(|text| text.of(&source)).collect::<Vec<_>>(), ["\n", "", "\t\t"]);
    }

    struct All<'s, 'de>(&'s Source<'de>);

    impl<'de> Visitor<'de> for All<'_, 'de> {
        type Value = Vec<Text>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("strings")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<Text>, A::Error> {
            std::iter::from_fn(|| elements.next_element_seed(TextSeed(self.0)).transpose()).collect()
        }
    }

    #[test]
    fn a_place_is_small_even_if_there_may_be_none() {
        assert_eq!(size_of::<Option<Text>>(), 8);
    }

    #[test]
    fn other_types_are_refused() {
        for json in ["1", "true", "null", "[]", "{}"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
