//! [`User`]: the claims of a user.

use super::{Limit, Terms, terms};
use crate::{
    nkey::{AccountKey, Role},
    token::{
        Kind, Object, Read, TokenError, Version,
        sealed::{Sealed, Source},
    },
};

/// The claims of a user, whose subject is the user's key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// What the user may do. Nothing must be set for a user of a [scoped](super::Scope) signing key, whose template counts.
    pub terms: Terms,
    /// `issuer_account`: the account, if one of its signing keys has signed the token.
    pub issuer_account: Option<AccountKey>,
    /// `tags`: words such as `team:payments`, for templates and for people.
    pub tags: Vec<String>,
}

impl Sealed for User {}

impl Kind for User {
    const NAME: &'static str = "user";
    const SUBJECT: Role = Role::User;
    const ISSUERS: &'static [Role] = &[Role::Account];

    fn read(source: Source<'_>) -> Result<Self, TokenError> {
        let nats = source.members_of_nats(&NAMES)?;
        Ok(Self {
            terms: Terms::read(&nats, source.absent_limit())?,
            issuer_account: source.moved().key("issuer_account")?,
            tags: tags(&source)?,
        })
    }
}

const NAMES: [&str; 17] = {
    let mut names = ["issuer_account", "tags", "type", "version", "", "", "", "", "", "", "", "", "", "", "", "", ""];
    let mut at = 0;
    while at < terms::NAMES.len() {
        names[at + 4] = terms::NAMES[at];
        at += 1;
    }
    names
};

/// Returns the tags, which version 1 has beside `nats`.
pub(super) fn tags(source: &Source<'_>) -> Read<Vec<String>> {
    Ok(source.moved().texts("tags")?.unwrap_or_default())
}

impl Source<'_> {
    /// Returns the claims in `nats`, which have these names.
    pub(super) fn members_of_nats(&self, known: &[&str]) -> Read<Object<'_>> {
        self.nats.known(known)
    }

    /// Returns where `tags` and `issuer_account` are: version 2 has moved them into `nats`.
    pub(super) fn moved(&self) -> &Object<'_> {
        if self.version == Version::V1 { &self.claims } else { &self.nats }
    }

    /// Returns what an absent limit of a user means.
    fn absent_limit(&self) -> Limit {
        if self.version == Version::V1 { Limit::Unlimited } else { Limit::NOTHING }
    }
}
