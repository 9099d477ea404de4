//! Roles, in the forms in which identity providers write them.

use std::fmt;

use super::ClaimRef;

/// The roles at one place in the claims.
///
/// Three forms are understood: a string, which is one role, spaces included; an array of strings; and an object whose
/// member names are the roles (as Zitadel writes them: `{"admin": {"<organisation>": "<domain>"}}`), those apart whose
/// value says no: `null`, `false`, a number, or anything empty. Anything else holds no role.
#[derive(Clone, Copy)]
pub struct Roles<'a> {
    claim: Option<ClaimRef<'a>>,
    delimiter: Option<char>,
}

impl<'a> Roles<'a> {
    pub(crate) fn new(claim: Option<ClaimRef<'a>>) -> Self {
        Self { claim, delimiter: None }
    }

    /// Takes a text for a list of roles, delimited by this character; see
    /// [`ClaimPlace::delimited_by`](crate::claims::ClaimPlace::delimited_by). Defaults to no delimiter: a text is one role.
    #[must_use]
    pub fn delimited_by(mut self, delimiter: impl Into<Option<char>>) -> Self {
        self.delimiter = delimiter.into();
        self
    }

    /// The roles, in the token's order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let Self { claim, delimiter } = self;
        let texts = claim.into_iter().flat_map(move |claim| claim.words(delimiter));
        let elements = claim.and_then(ClaimRef::elements).into_iter().flatten().filter_map(ClaimRef::as_str);
        let members = claim.and_then(ClaimRef::members).into_iter().flatten();
        let names = members.filter(|(_, value)| grants(*value)).map(|(name, _)| name);
        texts.chain(elements).chain(names)
    }

    /// Whether exactly that role is among them.
    pub fn contains(self, role: &str) -> bool {
        self.iter().any(|held| held == role)
    }
}

/// Whether the value beside a role's name lets it count.
fn grants(value: ClaimRef<'_>) -> bool {
    value.as_bool() == Some(true)
        || value.as_str().is_some_and(|text| !text.is_empty())
        || value.elements().is_some_and(|mut elements| elements.next().is_some())
        || value.members().is_some_and(|mut members| members.next().is_some())
}

/// Shows how many there are: claim values stay out of logs.
impl fmt::Debug for Roles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} roles", self.iter().count())
    }
}
