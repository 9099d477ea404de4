//! [`ActingParty`]: the content of `act`.

use std::fmt;

use serde_json::{Map, Value};

/// A party that acts for the subject of a token: the content of `act` (RFC 8693 section 4.1).
///
/// A party that itself acts on the word of an earlier one carries that one along, for audit. Only the outermost counts for decisions.
///
/// ```
/// use portcullis_issuer::ActingParty;
///
/// let agent = ActingParty::new("billing-agent").on_behalf_of(ActingParty::new("support-desk"));
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct ActingParty {
    subject: String,
    issuer: Option<String>,
    earlier: Option<Box<Self>>,
}

impl ActingParty {
    /// How many parties a token may name: more are a loop.
    pub const MOST: usize = 8;

    /// Returns the party with this `sub`, of the token's own issuer.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), issuer: None, earlier: None }
    }

    /// Sets the issuer that knows the party by this subject, if it is another one.
    pub fn of_issuer(self, issuer: impl Into<String>) -> Self {
        Self { issuer: Some(issuer.into()), ..self }
    }

    /// Sets the party on whose word this one acts: the `act` of the token that was exchanged.
    pub fn on_behalf_of(self, earlier: Self) -> Self {
        Self { earlier: Some(Box::new(earlier)), ..self }
    }

    /// Returns the parties of a claim `act`; `None` if it has another form, or a member that would be left out.
    pub(crate) fn read(act: &Value) -> Option<Self> {
        let mut party = Self::new("");
        for (name, value) in act.as_object()? {
            match name.as_str() {
                "sub" => value.as_str()?.clone_into(&mut party.subject),
                "iss" => party.issuer = Some(value.as_str()?.to_owned()),
                "act" => party.earlier = Some(Box::new(Self::read(value)?)),
                _ => return None,
            }
        }
        (!party.subject.is_empty() && party.issuer.as_deref() != Some("")).then_some(party)
    }

    /// Whether there are more parties than a token may name.
    pub(crate) fn is_too_deep(&self) -> bool {
        self.depth() > Self::MOST
    }

    pub(super) fn depth(&self) -> usize {
        1 + self.earlier.as_ref().map_or(0, |earlier| earlier.depth())
    }

    /// Whether a party has no name: services would not see it.
    pub(super) fn has_empty_name(&self) -> bool {
        let is_empty = self.subject.is_empty() || self.issuer.as_ref().is_some_and(String::is_empty);
        is_empty || self.earlier.as_ref().is_some_and(|earlier| earlier.has_empty_name())
    }

    pub(super) fn to_json(&self) -> Value {
        let mut act = Map::new();
        act.insert("sub".to_owned(), self.subject.clone().into());
        if let Some(issuer) = &self.issuer {
            act.insert("iss".to_owned(), issuer.clone().into());
        }
        if let Some(earlier) = &self.earlier {
            act.insert("act".to_owned(), earlier.to_json());
        }
        act.into()
    }
}

impl From<&str> for ActingParty {
    fn from(subject: &str) -> Self {
        Self::new(subject)
    }
}

/// Shows how many parties there are, but not who.
impl fmt::Debug for ActingParty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActingParty").field("parties", &self.depth()).finish_non_exhaustive()
    }
}
