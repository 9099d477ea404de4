//! [`ClaimRef`]: one claim, found by its JSON pointer.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One value among a verified token's claims; see [`Facts::claim`](crate::verified::Facts::claim).
///
/// `Debug` shows only its type, because claims are personal data.
#[derive(Clone, Copy)]
pub struct ClaimRef<'a>(&'a Value);

impl<'a> ClaimRef<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// Returns the string, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// Returns the integer, if it is one and not negative.
    pub fn as_u64(self) -> Option<u64> {
        self.0.as_u64()
    }

    /// Returns the integer, if it is one.
    pub fn as_i64(self) -> Option<i64> {
        self.0.as_i64()
    }

    /// Returns the boolean, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        self.0.as_bool()
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// Returns the elements, if it is an array.
    pub fn elements(self) -> Option<impl Iterator<Item = ClaimRef<'a>>> {
        self.0.as_array().map(|elements| elements.iter().map(ClaimRef))
    }

    /// Returns the names and values of the members, if it is an object.
    pub fn members(self) -> Option<impl Iterator<Item = (&'a str, ClaimRef<'a>)>> {
        self.0.as_object().map(|members| members.iter().map(|(name, value)| (name.as_str(), ClaimRef(value))))
    }

    /// Returns the parts of a string: with a delimiter, the elements without surrounding spaces; without one, the whole string. Empty
    /// parts are left out, and other types have no parts.
    pub fn words(self, delimiter: Option<char>) -> impl Iterator<Item = &'a str> {
        let words = self.as_str().into_iter().flat_map(move |text| text.split(move |char| Some(char) == delimiter));
        words
            .map(move |word| if delimiter.is_some() { word.trim_matches(' ') } else { word })
            .filter(|word| !word.is_empty())
    }

    /// Returns the value at a JSON pointer (RFC 6901) below this one. In a member's name, `/` is written `~1` and `~` is written `~0`.
    pub fn at(self, pointer: &str) -> Option<Self> {
        self.0.pointer(pointer).map(ClaimRef)
    }

    /// Returns the value as your own type; `None` if it does not fit.
    pub fn read<T: DeserializeOwned>(self) -> Option<T> {
        T::deserialize(self.0).ok()
    }
}

impl fmt::Debug for ClaimRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Value::Null => "null",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_string_has_no_empty_words() {
        let words =
            |text: &str, delimiter| ClaimRef(&json!(text)).words(delimiter).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(" a  b ", Some(' ')), ["a", "b"]);
        assert_eq!(words(",a, ,b,", Some(',')), ["a", "b"]);
        assert_eq!(words("a b", None), ["a b"]);
        assert_eq!(words("", None), [""; 0]);
    }
}
