//! [`LenientClaim`]: claims whose type matters only to the rules that read them.

use super::numeric_date::NumericDate;
use crate::{
    AuthError, Code, UnixTime,
    json::{Kind, Loose, Text},
};

/// A claim whose wrong type refuses a token only where a rule reads the claim: a profile, revocation, or a requirement of a route.
/// Issuers write many of them in their own way: AD FS has a string as `auth_time`.
///
/// See [`Facts::require_type`](crate::verified::Facts::require_type). (`iss`, `sub`, `aud`, `exp`, `nbf` and `iat` are read for every
/// token, so their type always matters.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LenientClaim {
    /// `jti`, a string.
    TokenId,
    /// `sid`, a string.
    SessionId,
    /// `client_id`, a string.
    ClientId,
    /// `ver`, an integer. A string, such as Entra ID's `"2.0"`, is the version of the token's format and not a token version.
    Version,
    /// `auth_time`, a number of seconds since 1970.
    AuthTime,
    /// `acr`, a string.
    Acr,
}

impl LenientClaim {
    /// Returns the claim's name in a token.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TokenId => "jti",
            Self::SessionId => "sid",
            Self::ClientId => "client_id",
            Self::Version => "ver",
            Self::AuthTime => "auth_time",
            Self::Acr => "acr",
        }
    }

    const fn form(self) -> &'static str {
        match self {
            Self::TokenId | Self::SessionId | Self::ClientId | Self::Acr => "a string",
            Self::Version => "a whole number from 0 on",
            Self::AuthTime => "a number of seconds since 1970",
        }
    }
}

/// The lenient claims with a wrong type, and that type: four bits for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WrongTypes(u32);

impl WrongTypes {
    /// Refuses the token if that claim has the wrong type.
    pub(crate) fn require(self, claim: LenientClaim) -> Result<(), AuthError> {
        self.require_at(claim, claim.name())
    }

    /// Refuses the token if the claim at this other place has the wrong type.
    pub(crate) fn require_at(self, claim: LenientClaim, place: &str) -> Result<(), AuthError> {
        match self.number(claim) {
            0 => Ok(()),
            number => Err(refusal(claim, place, number)),
        }
    }

    /// Records the type of the claim that names the client, if that is not `client_id`; `None` if it is correct.
    pub(crate) fn set_client(&mut self, found: Option<Kind>) {
        let place = Self::place(LenientClaim::ClientId);
        self.0 = self.0 & !(0xf << place) | found.map_or(0, |kind| (kind as u32) << place);
    }

    /// Returns the value as text; an empty string counts as absent.
    pub(super) fn name(&mut self, claim: LenientClaim, value: Loose) -> Option<Text> {
        self.text(claim, value).filter(|text| !text.is_empty())
    }

    pub(super) fn text(&mut self, claim: LenientClaim, value: Loose) -> Option<Text> {
        match value {
            Loose::Text(text) => Some(text),
            other => self.note(claim, other),
        }
    }

    pub(super) fn version(&mut self, value: Loose) -> Option<u64> {
        match value {
            Loose::Whole(version) => Some(version),
            other => self.note(LenientClaim::Version, other),
        }
    }

    pub(super) fn time(&mut self, claim: LenientClaim, value: Loose) -> Option<UnixTime> {
        match NumericDate::of(value) {
            Some(date) => Some(date.rounded_down()),
            None => self.note(claim, value),
        }
    }

    fn note<T>(&mut self, claim: LenientClaim, value: Loose) -> Option<T> {
        self.0 |= (value.kind() as u32) << Self::place(claim);
        None
    }

    /// Returns the kind that was found as a number; zero if the type is correct.
    const fn number(self, claim: LenientClaim) -> u32 {
        (self.0 >> Self::place(claim)) & 0xf
    }

    const fn place(claim: LenientClaim) -> u32 {
        4 * claim as u32
    }
}

#[cold]
fn refusal(claim: LenientClaim, place: &str, number: u32) -> AuthError {
    let form = claim.form();
    let found = Kind::ALL.into_iter().find(|kind| *kind as u32 == number).unwrap_or(Kind::Null);
    AuthError::new(Code::ClaimsMalformed).with_explanation(format!(
        "claim `{place}` is {found}, and a rule of this service reads it: it has to be {form}"
    ))
}
