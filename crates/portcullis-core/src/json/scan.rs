//! [`Scan`]: walks an unused value, and refuses it if it is not strict.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{MAX_DEPTH, MemberName, MemberNames, TOO_DEEP};

/// Accepts any value and returns nothing; fails if an object in it has a repeated member, or the nesting is too deep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'de> {
    depth: usize,
    text: &'de str,
}

impl<'de> Scan<'de> {
    /// Returns the scan of a value that is a member or an element of something `depth` levels deep.
    ///
    /// For values that are never read: an object that pretends to be a number passes for one.
    pub(crate) const fn below(depth: usize) -> Self {
        Self { depth, text: "" }
    }

    /// Returns the scan of a value in this text, in which no object passes for a number.
    pub(crate) const fn within(text: &'de str, depth: usize) -> Self {
        Self { depth, text }
    }

    /// Scans a value that is passed as an object. Returns the number's text if it is a number, which `serde_json` passes like this if a
    /// crate of the build has enabled `arbitrary_precision`.
    pub(crate) fn walk<A: MapAccess<'de>>(self, mut members: A) -> Result<Option<MemberName<'de>>, A::Error> {
        let mut next = members.next_key::<MemberName<'de>>()?;
        if next.as_ref().is_some_and(|name| name.announces_number(self.text)) {
            return members.next_value().map(Some);
        }
        let member = self.deeper()?;
        let mut names = MemberNames::new();
        while let Some(name) = next {
            names.note(&name)?;
            members.next_value_seed(member)?;
            next = members.next_key()?;
        }
        Ok(None)
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(TOO_DEEP));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Scan<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Scan<'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let element = self.deeper()?;
        while elements.next_element_seed(element)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.walk(members)?.map_or(Ok(()), |text| number(&text))
    }
}

fn number<E: de::Error>(text: &MemberName<'_>) -> Result<(), E> {
    match text.as_str().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(()),
        _ => Err(E::custom("a number that is none")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(json: &str) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        Scan::within(json, 0).deserialize(&mut deserializer)?;
        deserializer.end()
    }

    #[test]
    fn any_strict_value_passes() {
        for json in ["null", "true", "-1.5e3", r#""\u00e9""#, r#"[{"a":1},{"a":1}]"#, r#"{"a":{"a":{"a":[]}}}"#] {
            assert!(scan(json).is_ok(), "{json}");
        }
    }

    #[test]
    fn a_member_twice_is_refused_at_every_level_and_in_every_spelling() {
        for json in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"\u0061":2}]}"#, r#"{"\u0061":1,"a":2}"#] {
            assert!(scan(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_member_twice_is_found_among_many() {
        let members: Vec<_> = (0..3000).map(|n| format!(r#""m{n}":0"#)).collect();
        assert!(scan(&format!("{{{}}}", members.join(","))).is_ok());
        for again in ["m0", "m23", "m24", "m2999"] {
            assert!(scan(&format!(r#"{{{},"{again}":1}}"#, members.join(","))).is_err(), "{again}");
        }
    }

    #[test]
    fn names_that_serde_json_keeps_to_itself_are_refused() {
        assert!(scan(r#"{"a":{"$serde_json::public":"{}"}}"#).is_ok());
        for json in [
            r#"{"a":{"$serde_json::private::RawValue":"{}"}}"#,
            r#"{"a":1,"$serde_json::private::RawValue":"{}"}"#,
            r#"{"\u0024serde_json::private::RawValue":"{}"}"#,
            r#"{"$serde_json::private::Number":"junk"}"#,
            r#"{"a":{"$serde_json::private::Number":"5"}}"#,
            r#"{"a":{"\u0024serde_json::private::Number":"5"}}"#,
            r#"{"$serde_json::private::Number":"1","a":1}"#,
        ] {
            assert!(scan(json).is_err(), "{json}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(scan(&nested(MAX_DEPTH)).is_ok());
        assert!(scan(&nested(MAX_DEPTH + 1)).is_err());
    }
}
