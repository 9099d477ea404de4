//! `NumericDate` (RFC 7519 section 2): an integer or finite number of seconds since 1970.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

use crate::UnixTime;

/// A `NumericDate`. Fractions are cut off: `exp` comes at most a second early, `nbf` and `iat` likewise.
///
/// Strings, negatives and what lies beyond the year 9999 are refused: a huge number must not saturate to "never".
pub(super) struct NumericDate(pub(super) UnixTime);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumericDateVisitor)
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
        Ok(NumericDate(UnixTime::from_secs(secs)))
    }

    fn visit_f64<E: de::Error>(self, secs: f64) -> Result<NumericDate, E> {
        #[expect(clippy::cast_precision_loss, reason = "the bound is far below 2^53")]
        let max = UnixTime::MAX.as_secs() as f64;
        if !(0.0..=max).contains(&secs) {
            return Err(E::custom("a time is negative, infinite or beyond the year 9999"));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked just above")]
        let whole = secs as u64;
        Ok(NumericDate(UnixTime::from_secs(whole)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<u64> {
        serde_json::from_str::<NumericDate>(json).ok().map(|date| date.0.as_secs())
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
