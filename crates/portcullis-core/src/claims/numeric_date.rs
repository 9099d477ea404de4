//! [`NumericDate`] (RFC 7519 section 2): an integer or finite number of seconds since 1970.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::{UnixTime, json::Loose};

/// A `NumericDate`. Times here are whole seconds, so a fraction is rounded: `nbf` up and `exp` down, which is stricter, and `iat` down,
/// because ages and cut-offs count from it.
///
/// Strings, negative numbers and times after the year 9999 are refused: a huge number must not saturate to "never".
pub(super) struct NumericDate {
    whole: u64,
    has_fraction: bool,
}

impl NumericDate {
    /// Returns the time of a value of any type, if it is one.
    pub(super) fn of(value: Loose) -> Option<Self> {
        match value {
            Loose::Whole(secs) => NumericDateVisitor.visit_u64::<de::value::Error>(secs).ok(),
            Loose::Number(secs) => NumericDateVisitor.visit_f64::<de::value::Error>(secs).ok(),
            Loose::Text(_) | Loose::Other(_) => None,
        }
    }

    /// Rounds down: for times that end something (`exp`), or from which something is counted.
    pub(super) fn rounded_down(self) -> UnixTime {
        UnixTime::from_secs(self.whole)
    }

    /// Rounds up: for times that begin something (`nbf`).
    pub(super) fn rounded_up(self) -> UnixTime {
        UnixTime::from_secs(self.whole + u64::from(self.has_fraction))
    }
}

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_any`, which returns an object with serde_json's `arbitrary_precision`.
        deserializer.deserialize_f64(NumericDateVisitor)
    }
}

struct NumericDateVisitor;

impl Visitor<'_> for NumericDateVisitor {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds since 1970")
    }

    fn visit_u64<E: de::Error>(self, secs: u64) -> Result<NumericDate, E> {
        if secs > UnixTime::MAX.as_secs() {
            return Err(E::custom("a time lies beyond the year 9999"));
        }
        Ok(NumericDate { whole: secs, has_fraction: false })
    }

    fn visit_f64<E: de::Error>(self, secs: f64) -> Result<NumericDate, E> {
        #[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
        let max = UnixTime::MAX.as_secs() as f64;
        if !(0.0..=max).contains(&secs) {
            return Err(E::custom("a time is negative, infinite or beyond the year 9999"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        let whole = secs as u64;
        Ok(NumericDate { whole, has_fraction: secs.fract() > 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<u64> {
        serde_json::from_str::<NumericDate>(json).ok().map(|date| date.rounded_down().as_secs())
    }

    #[test]
    fn integers_and_finite_floats_pass() {
        for (json, secs) in
            [("0", 0), ("1795323002", 1_795_323_002), ("1.5", 1), ("2.1E+9", 2_100_000_000), ("-0.0", 0)]
        {
            assert_eq!(read(json), Some(secs), "{json}");
        }
        assert_eq!(read("253402300799"), Some(UnixTime::MAX.as_secs()));
    }

    #[test]
    fn a_fraction_is_rounded_to_either_side() {
        let up = |json: &str| serde_json::from_str::<NumericDate>(json).unwrap().rounded_up().as_secs();
        assert_eq!((read("7.25"), up("7.25")), (Some(7), 8));
        assert_eq!((read("7.0"), up("7.0")), (Some(7), 7));
        assert_eq!((read("7"), up("7")), (Some(7), 7));
    }

    #[test]
    fn everything_else_is_refused() {
        for json in [
            "-1",
            "-1.5",
            "-1e300",
            "253402300800",
            "253402300799.5",
            "1e300",
            "18446744073709551615",
            "18446744073709551616",
            r#""1""#,
            "null",
            "true",
            "[1]",
            "{}",
            "NaN",
            "Infinity",
            "1.",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
