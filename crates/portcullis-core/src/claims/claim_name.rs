//! [`ClaimNames`]: the names in a claims object, each at most once.

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer};

use super::LenientClaim;
use crate::json::{MemberName, MemberNames};

/// A claim that is used, or any other claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClaimName {
    Issuer,
    Subject,
    Audience,
    Expiry,
    NotBefore,
    IssuedAt,
    Scope,
    Scp,
    Confirmation,
    Events,
    Lenient(LenientClaim),
    Other,
}

impl From<&str> for ClaimName {
    fn from(name: &str) -> Self {
        match name {
            "iss" => Self::Issuer,
            "sub" => Self::Subject,
            "aud" => Self::Audience,
            "exp" => Self::Expiry,
            "nbf" => Self::NotBefore,
            "iat" => Self::IssuedAt,
            "jti" => Self::Lenient(LenientClaim::TokenId),
            "scope" => Self::Scope,
            "scp" => Self::Scp,
            "client_id" => Self::Lenient(LenientClaim::ClientId),
            "sid" => Self::Lenient(LenientClaim::SessionId),
            "ver" => Self::Lenient(LenientClaim::Version),
            "auth_time" => Self::Lenient(LenientClaim::AuthTime),
            "acr" => Self::Lenient(LenientClaim::Acr),
            "cnf" => Self::Confirmation,
            "events" => Self::Events,
            _ => Self::Other,
        }
    }
}

impl ClaimName {
    /// Returns the claim's own bit; unused claims share one.
    const fn mark(self) -> u32 {
        1 << match self {
            Self::Issuer => 0,
            Self::Subject => 1,
            Self::Audience => 2,
            Self::Expiry => 3,
            Self::NotBefore => 4,
            Self::IssuedAt => 5,
            Self::Scope => 6,
            Self::Scp => 7,
            Self::Other => 8,
            Self::Confirmation => 9,
            Self::Events => 10,
            Self::Lenient(claim) => 11 + claim as u32,
        }
    }
}

/// The names seen so far. As a seed, it reads the next name, and fails if the object already has it.
#[derive(Debug, Default)]
pub(super) struct ClaimNames<'de> {
    /// One bit for each used claim, so that its name is compared only once, and only with those.
    known: u32,
    /// Created with the first unused claim; it has room for two dozen names.
    others: Option<MemberNames<'de>>,
}

impl<'de> DeserializeSeed<'de> for &mut ClaimNames<'de> {
    type Value = ClaimName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ClaimName, D::Error> {
        let name = MemberName::deserialize(deserializer)?;
        let claim = ClaimName::from(name.as_str());
        if claim == ClaimName::Other {
            self.others.get_or_insert_with(MemberNames::new).note(&name)?;
            return Ok(claim);
        }
        let mark = claim.mark();
        if self.known & mark != 0 {
            return Err(de::Error::custom("a claim stands twice"));
        }
        self.known |= mark;
        Ok(claim)
    }
}
