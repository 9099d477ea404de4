//! [`Roles`]: the roles of a caller, in all forms that identity providers use.

use std::fmt;

use super::ClaimRef;

/// The roles at one place in the claims.
///
/// There are three forms: a string, which is one role, spaces included; an array of strings; and an object whose member names are the
/// roles, as Zitadel writes them (`{"admin": {"<organisation>": "<domain>"}}`). In the last form, a role does not count if its value is
/// `null`, `false`, a number, or empty. Any other value contains no roles.
#[derive(Clone, Copy)]
pub struct Roles<'a> {
    claim: Option<ClaimRef<'a>>,
    delimiter: Option<char>,
}

impl<'a> Roles<'a> {
    pub(crate) fn new(claim: Option<ClaimRef<'a>>) -> Self {
        Self { claim, delimiter: None }
    }

    /// Treats a string as a list of roles with this delimiter; see [`ClaimPlace::delimited_by`](crate::claims::ClaimPlace::delimited_by).
    /// Defaults to no delimiter: a string is one role.
    #[must_use]
    pub fn delimited_by(mut self, delimiter: impl Into<Option<char>>) -> Self {
        self.delimiter = delimiter.into();
        self
    }

    /// Returns the roles, in the token's order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        let Self { claim, delimiter } = self;
        let texts = claim.into_iter().flat_map(move |claim| claim.words(delimiter));
        let elements = claim.and_then(ClaimRef::elements).into_iter().flatten().filter_map(ClaimRef::as_str);
        let members = claim.and_then(ClaimRef::members).into_iter().flatten();
        let names = members.filter(|(_, value)| grants(*value)).map(|(name, _)| name);
        texts.chain(elements).chain(names)
    }

    /// Whether exactly this role is among them.
    pub fn contains(self, role: &str) -> bool {
        self.iter().any(|held| held == role)
    }
}

/// Whether the value of a role's member lets the role count.
fn grants(value: ClaimRef<'_>) -> bool {
    value.as_bool() == Some(true)
        || value.as_str().is_some_and(|text| !text.is_empty())
        || value.elements().is_some_and(|mut elements| elements.next().is_some())
        || value.members().is_some_and(|mut members| members.next().is_some())
}

/// Shows only the number, because claim values must not appear in logs.
impl fmt::Debug for Roles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} roles", self.iter().count())
    }
}
