//! [`Audience`]: `aud` (RFC 7519 section 4.1.3), one string or an array of strings.

use std::fmt;

use serde::de;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use crate::json::{Source, Text, TextSeed};

/// The audience of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    One(Text),
    Many(Box<[Text]>),
}

impl Audience {
    /// Returns an audience without values.
    pub(super) fn none() -> Self {
        Self::Many(Box::default())
    }

    /// Whether there is no value: no `aud`, or an empty array.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Many(values) if values.is_empty())
    }

    /// Returns the values, in the token's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Text> {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        };
        values.iter().copied()
    }
}

/// Reads an [`Audience`] from the given text.
pub(super) struct AudienceSeed<'s, 'de>(pub(super) &'s Source<'de>);

impl<'de> DeserializeSeed<'de> for AudienceSeed<'_, 'de> {
    type Value = Audience;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Audience, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AudienceSeed<'_, 'de> {
    type Value = Audience;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Audience, E> {
        TextSeed(self.0).visit_borrowed_str(value).map(Audience::One)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Audience, E> {
        TextSeed(self.0).visit_str(value).map(Audience::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Audience, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(TextSeed(self.0))? {
            values.push(value);
        }
        Ok(Audience::Many(values.into()))
    }
}
