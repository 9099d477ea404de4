//! [`ExternalAuthorization`]: an outside service that decides who gets in.

use super::invalid;
use crate::{
    nkey::{AccountKey, PublicKey, Role, UserKey},
    token::{Object, Read},
};

/// An outside service that decides who gets in ("auth callout").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalAuthorization {
    /// `auth_users`: the users of that service itself. If there are any, only they get in by their own tokens.
    pub auth_users: Vec<UserKey>,
    /// `allowed_accounts`: the accounts into which it may let others; empty for this one, `*` for every one.
    pub allowed_accounts: Vec<String>,
}

impl ExternalAuthorization {
    /// Whether an outside service decides who gets in.
    pub fn is_enabled(&self) -> bool {
        !self.auth_users.is_empty()
    }

    pub(super) fn read(nats: &Object<'_>) -> Read<Self> {
        let Some(object) = nats.object("authorization", &["auth_users", "allowed_accounts", "xkey"])? else {
            return Ok(Self::default());
        };
        let users = object.texts("auth_users")?.unwrap_or_default();
        let users = users.iter().map(|text| text.parse()).collect::<Result<Vec<UserKey>, _>>();
        let allowed_accounts = object.texts("allowed_accounts")?.unwrap_or_default();
        let is_account = |text: &String| text.parse::<AccountKey>().is_ok();
        let are_right = match &allowed_accounts[..] {
            [one] if one == "*" => true,
            accounts => accounts.iter().all(is_account),
        };
        let authorization = Self {
            auth_users: users.map_err(|error| invalid(format!("one of auth_users: {error}")))?,
            allowed_accounts,
        };
        if !are_right {
            return Err(invalid(
                "the account's authorization.allowed_accounts has to have ids of accounts, or `*` alone",
            ));
        }
        if !authorization.is_enabled() && !authorization.allowed_accounts.is_empty() {
            return Err(invalid("the account's authorization.allowed_accounts needs at least one of auth_users"));
        }
        match object.key::<PublicKey>("xkey")? {
            Some(key) if key.role() != Role::Curve => {
                Err(invalid("the account's authorization.xkey has to be a curve key (`X…`)"))
            }
            _ => Ok(authorization),
        }
    }
}
