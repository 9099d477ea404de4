//! [`Scopes`]: `scope` (RFC 8693 section 4.2: one string, separated by spaces) or `scp` (as written by Entra ID and Okta). Either may also be an array of strings, as Spring Authorization Server, Duende `IdentityServer` and UAA write `scope`.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::json::{Loose, LooseSeed, Scan, Source, Text, TextSeed};

/// The scopes that a token grants.
#[derive(Clone, Copy)]
pub struct Scopes<'a> {
    granted: &'a GrantedScopes,
    source: &'a str,
}

impl<'a> Scopes<'a> {
    pub(crate) fn new(granted: &'a GrantedScopes, source: &'a str) -> Self {
        Self { granted, source }
    }

    /// Returns the scopes, in the token's order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        // An element of an array is one scope, even with a space in it; no requirement can name such a scope.
        let (delimited, list) = match self.granted {
            GrantedScopes::Delimited(text) => (text.of(self.source), [].as_slice()),
            GrantedScopes::List(scopes) => ("", &**scopes),
        };
        let list = list.iter().map(move |scope| scope.of(self.source));
        delimited.split(' ').chain(list).filter(|scope| !scope.is_empty())
    }

    /// Whether exactly this scope was granted.
    pub fn contains(self, scope: &str) -> bool {
        self.iter().any(|granted| granted == scope)
    }

    /// Whether nothing was granted.
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

/// Shows only the number, because claim values must not appear in logs.
impl fmt::Debug for Scopes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} scopes", self.iter().count())
    }
}

/// Where the granted scopes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GrantedScopes {
    Delimited(Text),
    List(Box<[Text]>),
}

impl GrantedScopes {
    /// Returns that nothing was granted.
    pub(crate) fn none() -> Self {
        Self::List(Box::default())
    }
}

/// Reads [`GrantedScopes`] from the given text. Each string in an array grants exactly itself. Other elements grant nothing, but do not
/// make the token invalid: it may be used for something that needs no scope.
#[derive(Clone, Copy)]
pub(super) struct ScopeSeed<'s, 'de>(pub(super) &'s Source<'de>);

impl<'s, 'de> ScopeSeed<'s, 'de> {
    fn element(self) -> LooseSeed<'s, 'de> {
        LooseSeed::below(2, self.0)
    }
}

impl<'de> DeserializeSeed<'de> for ScopeSeed<'_, 'de> {
    type Value = GrantedScopes;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<GrantedScopes, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ScopeSeed<'_, 'de> {
    type Value = GrantedScopes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scopes")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<GrantedScopes, E> {
        TextSeed(self.0).visit_borrowed_str(text).map(GrantedScopes::Delimited)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<GrantedScopes, E> {
        TextSeed(self.0).visit_str(text).map(GrantedScopes::Delimited)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<GrantedScopes, A::Error> {
        let mut scopes = Vec::new();
        while let Some(element) = elements.next_element_seed(self.element())? {
            if let Loose::Text(scope) = element {
                scopes.push(scope);
            }
        }
        Ok(GrantedScopes::List(scopes.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<GrantedScopes, A::Error> {
        Scan::within(self.0.json(), 1).visit_map(members).map(|()| GrantedScopes::none())
    }

    fn visit_bool<E>(self, _: bool) -> Result<GrantedScopes, E> {
        Ok(GrantedScopes::none())
    }

    fn visit_i64<E>(self, _: i64) -> Result<GrantedScopes, E> {
        Ok(GrantedScopes::none())
    }

    fn visit_u64<E>(self, _: u64) -> Result<GrantedScopes, E> {
        Ok(GrantedScopes::none())
    }

    fn visit_f64<E>(self, _: f64) -> Result<GrantedScopes, E> {
        Ok(GrantedScopes::none())
    }

    fn visit_unit<E>(self) -> Result<GrantedScopes, E> {
        Ok(GrantedScopes::none())
    }
}
