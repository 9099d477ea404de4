//! The form of the file: what may stand where, and nothing about what it means.

use std::{convert::Infallible, str::FromStr};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::problems::Problems;

/// The file as it is written. Everything is optional here: what is missing has a default, or is reported together
/// with all other problems.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "tables and nothing else")]
pub(super) struct File {
    pub(super) server: ServerTable,
    pub(super) token: TokenTable,
    pub(super) rotation: RotationTable,
    pub(super) revocation: RevocationTable,
    pub(super) secrets: Vec<SecretTable>,
    pub(super) users: Vec<UserTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct ServerTable {
    pub(super) bind: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) log: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct TokenTable {
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) lifetime_seconds: Option<u64>,
    pub(super) leeway_seconds: Option<u64>,
    pub(super) size_budget_bytes: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RotationTable {
    pub(super) rollout_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct RevocationTable {
    /// Hidden, because a URL may have a password in it.
    pub(super) log: Option<Hidden>,
    pub(super) max_staleness_seconds: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct SecretTable {
    pub(super) id: Option<String>,
    pub(super) state: Option<String>,
    pub(super) secret: Option<Hidden>,
    pub(super) secret_file: Option<String>,
    pub(super) random: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a table")]
pub(super) struct UserTable {
    pub(super) name: Option<String>,
    pub(super) password_hash: Option<Hidden>,
    pub(super) scopes: Vec<String>,
    pub(super) roles: Vec<String>,
}

/// Text that is never shown, and is wiped on drop.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Hidden(Zeroizing<String>);

impl Hidden {
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl FromStr for Hidden {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("REDACTED")
    }
}

impl File {
    /// Reads the text. What does not fit is reported and left out, so that one run finds every problem.
    pub(super) fn parse(text: &str, problems: &mut Problems) -> Self {
        super::misfit::read(text, problems)
    }
}
