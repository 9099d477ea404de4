//! [`Object`]: reads the members of an object by name, and says where something is wrong.

use std::fmt::Display;

use super::{Json, TokenError, TokenErrorKind};
use crate::nkey::NkeyError;

/// An object of the claims. A member that is `null` counts as absent, as in Go.
#[derive(Clone, Debug)]
pub(crate) struct Object<'a> {
    path: String,
    members: &'a [(String, Json)],
}

/// Reading claims.
pub(crate) type Read<T> = Result<T, TokenError>;

impl<'a> Object<'a> {
    /// Returns the object with these members, at this place of the token.
    ///
    /// # Errors
    ///
    /// If a member has the name of a `known` one but for upper and lower case: the libraries in Go take it for that one, so a restriction
    /// that is written in this way would hold there and not here.
    pub(crate) fn new(path: impl Into<String>, members: &'a [(String, Json)], known: &[&str]) -> Read<Self> {
        let object = Self { path: path.into(), members };
        let looks_like = |name: &str| known.iter().find(|known| **known != name && known.eq_ignore_ascii_case(name));
        match members.iter().find_map(|(name, _)| Some((name, looks_like(name)?))) {
            Some((name, known)) => {
                Err(object.malformed(name, format_args!("is written in another case than \"{known}\"")))
            }
            None => Ok(object),
        }
    }

    /// Returns the same object, once more of its names are known.
    pub(crate) fn known(&self, known: &[&str]) -> Read<Self> {
        Self::new(self.path.clone(), self.members, known)
    }

    /// Returns the members, for objects whose names are data.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a str, &'a Json)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a Json> {
        let member = self.members.iter().find(|(member, _)| member == name);
        member.map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    pub(crate) fn int(&self, name: &str) -> Read<Option<i64>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Int(value)) => Ok(Some(*value)),
            Some(_) => Err(self.malformed(name, "is not a whole number of 64 bits")),
        }
    }

    pub(crate) fn bool(&self, name: &str) -> Read<bool> {
        match self.get(name) {
            None => Ok(false),
            Some(Json::Bool(value)) => Ok(*value),
            Some(_) => Err(self.malformed(name, "is neither true nor false")),
        }
    }

    pub(crate) fn text(&self, name: &str) -> Read<Option<&'a str>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Text(value)) => Ok(Some(value)),
            Some(_) => Err(self.malformed(name, "is not a string")),
        }
    }

    /// Returns a text; an empty one if it is absent.
    pub(crate) fn text_or_empty(&self, name: &str) -> Read<String> {
        Ok(self.text(name)?.unwrap_or_default().to_owned())
    }

    /// Returns a key; `None` if it is absent or empty.
    pub(crate) fn key<T: std::str::FromStr<Err = NkeyError>>(&self, name: &str) -> Read<Option<T>> {
        match self.text(name)?.filter(|text| !text.is_empty()) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|error| self.bad_key(name, error)),
        }
    }

    pub(crate) fn list(&self, name: &str) -> Read<Option<&'a [Json]>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::List(elements)) => Ok(Some(elements)),
            Some(_) => Err(self.malformed(name, "is not a list")),
        }
    }

    /// Returns a list of texts; `None` if it is absent.
    pub(crate) fn texts(&self, name: &str) -> Read<Option<Vec<String>>> {
        let Some(elements) = self.list(name)? else { return Ok(None) };
        let text = |element: &Json| match element {
            Json::Text(text) => Ok(text.clone()),
            // What Go makes of it.
            Json::Null => Ok(String::new()),
            _ => Err(self.malformed(name, "has an element that is not a string")),
        };
        elements.iter().map(text).collect::<Read<_>>().map(Some)
    }

    /// Returns an object that is a member; `None` if it is absent.
    pub(crate) fn object(&self, name: &str, known: &[&str]) -> Read<Option<Self>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Object(members)) => Self::new(self.place(name), members, known).map(Some),
            Some(_) => Err(self.malformed(name, "is not an object")),
        }
    }

    /// Returns the objects of a list; none if it is absent.
    pub(crate) fn objects(&self, name: &str, known: &[&str]) -> Read<Vec<Self>> {
        let elements = self.list(name)?.unwrap_or_default().iter().enumerate();
        let object = |(at, element): (usize, &'a Json)| match element {
            Json::Object(members) => Self::new(format!("{}[{at}]", self.place(name)), members, known),
            _ => Err(self.malformed(name, format_args!("has an element {at} that is not an object"))),
        };
        elements.map(object).collect()
    }

    /// Returns where a member is.
    pub(crate) fn place(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(crate) fn malformed(&self, name: &str, problem: impl Display) -> TokenError {
        TokenError::new(TokenErrorKind::Malformed, format!("the claim {} {problem}", self.place(name)))
    }

    pub(crate) fn bad_key(&self, name: &str, error: NkeyError) -> TokenError {
        TokenError::of_key(&self.place(name), error)
    }
}
