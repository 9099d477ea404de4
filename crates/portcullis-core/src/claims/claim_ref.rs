//! A look at one claim by its JSON pointer.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// One value among a verified token's claims; see [`Facts::claim`](crate::verified::Facts::claim).
///
/// `Debug` shows its type only: claims are personal data.
#[derive(Clone, Copy)]
pub struct ClaimRef<'a>(&'a Value);

impl<'a> ClaimRef<'a> {
    pub(crate) fn new(value: &'a Value) -> Self {
        Self(value)
    }

    /// The string, if it is one.
    pub fn as_str(self) -> Option<&'a str> {
        self.0.as_str()
    }

    /// The whole number, if it is one and not negative.
    pub fn as_u64(self) -> Option<u64> {
        self.0.as_u64()
    }

    /// The whole number, if it is one.
    pub fn as_i64(self) -> Option<i64> {
        self.0.as_i64()
    }

    /// The truth value, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        self.0.as_bool()
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The elements, if it is an array.
    pub fn elements(self) -> Option<impl Iterator<Item = ClaimRef<'a>>> {
        self.0.as_array().map(|elements| elements.iter().map(ClaimRef))
    }

    /// The names and values of the members, if it is an object.
    pub fn members(self) -> Option<impl Iterator<Item = (&'a str, ClaimRef<'a>)>> {
        self.0.as_object().map(|members| members.iter().map(|(name, value)| (name.as_str(), ClaimRef(value))))
    }

    /// The words of a text: with a delimiter the elements between, without the spaces around them, and without one the
    /// text as a whole. Nothing that is empty, and nothing of what is no text.
    pub fn words(self, delimiter: Option<char>) -> impl Iterator<Item = &'a str> {
        let words = self.as_str().into_iter().flat_map(move |text| text.split(move |char| Some(char) == delimiter));
        words
            .map(move |word| if delimiter.is_some() { word.trim_matches(' ') } else { word })
            .filter(|word| !word.is_empty())
    }

    /// The value at a JSON pointer (RFC 6901) below this one. In a member's name, `/` is written `~1` and `~` is written
    /// `~0`.
    pub fn at(self, pointer: &str) -> Option<Self> {
        self.0.pointer(pointer).map(ClaimRef)
    }

    /// The value as a type of yours; `None` if it does not have that form.
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
