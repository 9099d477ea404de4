//! [`Kind`]: the type of a JSON value.

use std::fmt;

use serde_json::Value;

/// The type of a JSON value, for messages, which must not contain the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null = 1,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Self; 6] = [Self::Null, Self::Boolean, Self::Number, Self::Text, Self::Array, Self::Object];

    pub(crate) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::Text,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}
