//! [`Loose`]: a value of any type, of which some are used.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{Kind, Scan, Source, Text, TextSeed};

/// A string or a number; for other values only the type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loose {
    Text(Text),
    /// An integer that is written as one: `5`, but not `5.0` or `-5`.
    Whole(u64),
    /// Any other number.
    Number(f64),
    Other(Kind),
}

impl Loose {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Text(_) => Kind::Text,
            Self::Whole(_) | Self::Number(_) => Kind::Number,
            Self::Other(kind) => kind,
        }
    }

    fn number(text: &str) -> Self {
        let other = || text.parse().map_or(Self::Other(Kind::Number), Self::Number);
        text.parse().map_or_else(|_| other(), Self::Whole)
    }
}

/// Reads a [`Loose`] value from the given text, and walks other values like [`Scan`] does: it fails only if a member is repeated or the
/// nesting is too deep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LooseSeed<'s, 'de> {
    source: &'s Source<'de>,
    depth: usize,
}

impl<'s, 'de> LooseSeed<'s, 'de> {
    /// Returns the seed for a value that is a member or an element of something `depth` levels deep.
    pub(crate) const fn below(depth: usize, source: &'s Source<'de>) -> Self {
        Self { source, depth }
    }

    fn scan(self) -> Scan<'de> {
        Scan::within(self.source.json(), self.depth)
    }
}

impl<'de> DeserializeSeed<'de> for LooseSeed<'_, 'de> {
    type Value = Loose;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Loose, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for LooseSeed<'_, 'de> {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Loose, E> {
        TextSeed(self.source).visit_borrowed_str(text).map(Loose::Text)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
        TextSeed(self.source).visit_str(text).map(Loose::Text)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Loose, E> {
        Ok(Loose::Whole(number))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Other(Kind::Number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Loose, E> {
        Ok(Loose::Number(number))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::Other(Kind::Boolean))
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Other(Kind::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Loose, A::Error> {
        self.scan().visit_seq(elements).map(|()| Loose::Other(Kind::Array))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Loose, A::Error> {
        let number = self.scan().walk(members)?;
        Ok(number.map_or(Loose::Other(Kind::Object), |number| Loose::number(number.as_str())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::MAX_DEPTH;

    fn read(json: &str) -> Result<Loose, serde_json::Error> {
        let source = Source::new(json);
        LooseSeed::below(1, &source).deserialize(&mut serde_json::Deserializer::from_str(json))
    }

    #[test]
    fn any_strict_value_is_read() {
        for (json, read_as) in [
            ("5", Loose::Whole(5)),
            ("5.0", Loose::Number(5.0)),
            ("5e0", Loose::Number(5.0)),
            ("-5", Loose::Other(Kind::Number)),
            ("null", Loose::Other(Kind::Null)),
            ("true", Loose::Other(Kind::Boolean)),
            ("[1,{}]", Loose::Other(Kind::Array)),
            (r#"{"a":[]}"#, Loose::Other(Kind::Object)),
        ] {
            assert_eq!(read(json).unwrap(), read_as, "{json}");
        }
        assert_eq!(read(r#""x""#).unwrap().kind(), Kind::Text);
    }

    #[test]
    fn what_is_not_strict_is_refused() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&nested(MAX_DEPTH - 1)).is_ok());
        assert!(read(&nested(MAX_DEPTH)).is_err());
        for json in [r#"{"a":1,"a":1}"#, r#"[{"a":1,"a":1}]"#, r#"{"$serde_json::private::Number":"5"}"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
