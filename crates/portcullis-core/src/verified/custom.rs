//! Reads claims of the application's own type.

use std::{any::type_name, fmt};

use serde::{
    de::value::{BorrowedStrDeserializer, MapAccessDeserializer},
    de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Expected, Unexpected, Visitor},
    forward_to_deserialize_any,
};
use serde_json::Value;

use crate::{
    AuthError, Code,
    json::{Kind, tree},
};

/// Reads a custom claims type from the claims' text, which is known to be one strict object.
pub(super) fn read<C: DeserializeOwned>(json: &str) -> Result<C, AuthError> {
    // The text after the value need not be checked again.
    let mut deserializer = serde_json::Deserializer::from_str(json);
    C::deserialize(&mut deserializer).map_err(|error| {
        let (wanted, misfit) = (type_name::<C>(), misfit::<C>(json, error.column()));
        AuthError::new(Code::CustomClaimsMalformed)
            .with_explanation(format!("the claims do not have the form of `{wanted}`: {misfit}"))
    })
}

/// Returns why the claims do not fit: reads them once more, with a reader that knows its position. serde's own messages are not passed
/// on, because they quote claims.
#[cold]
fn misfit<C: DeserializeOwned>(json: &str, column: usize) -> String {
    let claims = tree(json);
    match claims.as_ref().map(|claims| C::deserialize(Reader { value: claims, names: &[] })) {
        Some(Err(misfit)) if !misfit.what.is_empty() => misfit.to_string(),
        _ => format!("a member before column {column} has another type"),
    }
}

/// What does not fit, and where.
#[derive(Debug)]
struct Misfit {
    /// The path, from the inside out.
    place: Vec<String>,
    /// Empty if the reason is unknown.
    what: String,
}

impl Misfit {
    fn new(what: String) -> Self {
        Self { place: Vec::new(), what }
    }

    fn below(mut self, step: String) -> Self {
        self.place.push(step);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            return f.write_str(&self.what);
        }
        f.write_str("claim `")?;
        for (index, step) in self.place.iter().rev().enumerate() {
            write!(f, "{}{step}", if index == 0 { "" } else { "." })?;
        }
        write!(f, "`: {}", self.what)
    }
}

impl std::error::Error for Misfit {}

const UNKNOWN_FIELD: &str = "there is a member that the type does not have";

/// Shows types, and what the application's own type expects, but no values.
impl de::Error for Misfit {
    /// The message may contain anything, so it is dropped.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new("its type does not accept it".to_owned())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("{} was found, {expected} is expected", kind_of(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("{} of another value was found, {expected} is expected", kind_of(found)))
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(format!("another length was found, {expected} is expected"))
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::new("it is none of the variants".to_owned())
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(UNKNOWN_FIELD.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("there is no `{field}`"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(format!("`{field}` stands there under two names"))
    }
}

fn kind_of(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "an array",
        Unexpected::Map => "an object",
        _ => "something else",
    }
}

/// Reads a value of the claims' tree.
#[derive(Clone, Copy)]
struct Reader<'de> {
    value: &'de Value,
    /// The members of the type that is being read: only these names come from the application, so only these are shown.
    names: &'static [&'static str],
}

impl<'de> Reader<'de> {
    fn unnamed(value: &'de Value) -> Self {
        Self { value, names: &[] }
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., Some(number)) => visitor.visit_f64(number),
                _ => Err(Misfit::new(String::new())),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(values) => visitor.visit_seq(Elements(values.iter().enumerate())),
            Value::Object(members) => {
                visitor.visit_map(Members { rest: members.iter(), value: None, names: self.names })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        if name.starts_with("$serde_json::private::") {
            return Err(Misfit::new(String::new())); // the raw text, which a tree does not have
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        Self { names, ..self }.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            Value::String(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            Value::Object(members) => {
                let members = Members { rest: members.iter(), value: None, names: &[] };
                visitor.visit_enum(MapAccessDeserializer::new(members))
            }
            other => Err(Misfit::new(format!("{} was found, a variant is expected", Kind::of(other)))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

struct Elements<'de>(std::iter::Enumerate<std::slice::Iter<'de, Value>>);

impl<'de> de::SeqAccess<'de> for Elements<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some((index, value)) = self.0.next() else { return Ok(None) };
        let read = seed.deserialize(Reader::unnamed(value));
        read.map(Some).map_err(|misfit| misfit.below(index.to_string()))
    }
}

struct Members<'de> {
    rest: serde_json::map::Iter<'de>,
    value: Option<(&'de str, &'de Value)>,
    names: &'static [&'static str],
}

impl<'de> de::MapAccess<'de> for Members<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some((name, value));
        // This reader does not support names that are read as numbers.
        let unclear = |misfit: Misfit| if misfit.what == UNKNOWN_FIELD { misfit } else { Misfit::new(String::new()) };
        seed.deserialize(BorrowedStrDeserializer::new(name)).map(Some).map_err(unclear)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((name, value)) = self.value.take() else { return Err(Misfit::new(String::new())) };
        // A name that is not a field of the type comes from the token.
        let shown = self.names.iter().find(|known| **known == name).copied().unwrap_or("*");
        seed.deserialize(Reader::unnamed(value)).map_err(|misfit| misfit.below(shown.to_owned()))
    }
}
