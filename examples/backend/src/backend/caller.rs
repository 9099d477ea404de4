//! [`Caller`]: as whom a request acts.

use portcullis::{Claims, verified::CredentialKind};

use super::problem::Problem;

/// As whom a request acts. It does not matter whether a user is there in person or has lent itself by a JWT.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caller<'a> {
    User(&'a str),
    /// A program of the organisation, with an API key: no other owner has keys here (`Operators`). Its scopes were checked before.
    Administrator,
}

impl<'a> Caller<'a> {
    pub(super) fn of(claims: &'a Claims) -> Result<Self, Problem> {
        match (claims.credential(), claims.subject()) {
            (CredentialKind::ApiToken, _) => Ok(Self::Administrator),
            (CredentialKind::Jwt, Some(name)) => Ok(Self::User(name)),
            // The layers let no other in.
            _ => Err(Problem::not_found()),
        }
    }

    /// Whether it sees what this user has.
    pub(super) fn may_see(self, owner: &str) -> bool {
        match self {
            Self::User(name) => name == owner,
            Self::Administrator => true,
        }
    }
}
