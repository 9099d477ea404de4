//! [`ApiTokenRow`]: what a store keeps about one token.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{ApiTokenDigest, ApiTokenId, ApiTokenKind, Grants, Owner, PepperId};
use crate::refresh::Millis;

/// What a store keeps about a token: one row. It has no part of the token's text but its last four characters.
///
/// What a token may do never changes. The fields that change are `superseded`, `revoked` and `warned_at`, by
/// [`replace`](super::ApiTokenStore::replace), and `last_used`, by [`record_uses`](super::ApiTokenStore::record_uses); an imported token gets
/// another `digest` and `pepper` when it is first used after the pepper was replaced.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApiTokenRow {
    /// The token's id, which is public.
    pub id: ApiTokenId,
    /// How often the row was changed by [`replace`](super::ApiTokenStore::replace).
    pub version: u64,
    /// The digest of the token's text.
    pub digest: ApiTokenDigest,
    /// The pepper of the digest. No text is accepted of a row without one.
    pub pepper: Option<PepperId>,
    /// The last four characters of the token's text, by which its owner recognises it; for an imported token, what was said at the import.
    #[serde(rename = "ending")]
    pub last_four: String,
    /// The kind, which says what the token is for.
    pub kind: ApiTokenKind,
    /// The environment, such as `live` or `test`.
    pub environment: String,
    /// The name that the owner gave the token.
    pub name: String,
    /// The owner.
    pub owner: Owner,
    /// The rights that the token was made with. It never does more, and never more than its owner may at the time.
    pub grants: Grants,
    /// The tokens from which this one was derived, the first one first; at most [`ANCESTOR_LIMIT`](Self::ANCESTOR_LIMIT).
    pub path: Vec<ApiTokenId>,
    /// When the token was made.
    pub created_at: Millis,
    /// Who made the token, for the audit log.
    pub created_by: String,
    /// When the token expires; `None` if it does not.
    pub until: Option<Millis>,
    /// The token that has taken this one's place; `None` if there is none.
    pub superseded: Option<Superseded>,
    /// When and why the token was revoked; `None` if it was not.
    pub revoked: Option<TokenRevoked>,
    /// When the owner was last warned that the token expires; `None` if that did not happen.
    pub warned_at: Option<Millis>,
    /// When the token was last used, as far as that is known.
    pub last_used: Option<LastUse>,
}

impl ApiTokenRow {
    /// How many tokens a token may be derived from, one from the other.
    pub const ANCESTOR_LIMIT: usize = 8;

    /// Returns the row of a token that may do nothing, was made in 1970, and does not expire. Set the other fields before it is stored.
    pub const fn new(id: ApiTokenId, digest: ApiTokenDigest, kind: ApiTokenKind, owner: Owner) -> Self {
        Self {
            id,
            version: 0,
            digest,
            pepper: None,
            last_four: String::new(),
            kind,
            environment: String::new(),
            name: String::new(),
            owner,
            grants: Grants::none(),
            path: Vec::new(),
            created_at: Millis::new(0),
            created_by: String::new(),
            until: None,
            superseded: None,
            revoked: None,
            warned_at: None,
            last_used: None,
        }
    }

    pub(super) fn successor(&self) -> Option<ApiTokenId> {
        self.superseded.as_ref().map(|superseded| superseded.by)
    }

    /// Returns when it ends by its time: when it expires, or when the overlap with its successor is over.
    pub fn ends_at(&self) -> Option<Millis> {
        let overlap = self.superseded.as_ref().map(|superseded| superseded.until);
        [self.until, overlap].into_iter().flatten().min()
    }

    /// Returns when it ends by its time or was revoked, whichever is first. A store may forget it after that.
    pub fn over_at(&self) -> Option<Millis> {
        let revoked = self.revoked.as_ref().map(|revoked| revoked.at);
        [self.ends_at(), revoked].into_iter().flatten().min()
    }

    /// Whether it is neither revoked nor over at `now`.
    pub fn is_live(&self, now: Millis) -> bool {
        self.revoked.is_none() && self.ends_at().is_none_or(|end| now < end)
    }

    /// Returns the row as text, for a store that keeps it so.
    pub fn to_json(&self) -> String {
        // All of it are texts, numbers and lists of them, so this does not fail.
        serde_json::to_string(&Written { v: VERSION, row: self }).unwrap_or_default()
    }

    /// Reads the text of [`to_json`](Self::to_json).
    ///
    /// # Errors
    ///
    /// If it is damaged, or a later version of this crate wrote it.
    pub fn from_json(text: &str) -> Result<Self, NotARow> {
        let read: Read = serde_json::from_str(text).map_err(NotARow::damaged)?;
        if read.v != VERSION {
            return Err(NotARow::of_version(read.v));
        }
        serde_json::from_str::<ReadRow>(text).map(|read| read.row).map_err(NotARow::damaged)
    }
}

/// The version of the text.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    #[serde(flatten)]
    row: &'a ApiTokenRow,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
}

#[derive(Deserialize)]
struct ReadRow {
    #[serde(flatten)]
    row: ApiTokenRow,
}

/// Shows the id and the kind, but no name.
impl fmt::Debug for ApiTokenRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiTokenRow").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Another token has taken its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Superseded {
    /// The other token.
    pub by: ApiTokenId,
    /// When that was.
    pub at: Millis,
    /// Until when this one is still accepted.
    pub until: Millis,
    /// The digest of the id of the request that asked for it.
    pub request: ApiTokenDigest,
}

impl Superseded {
    /// Returns these facts.
    pub const fn new(by: ApiTokenId, at: Millis, until: Millis, request: ApiTokenDigest) -> Self {
        Self { by, at, until, request }
    }
}

/// It was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenRevoked {
    /// When that was.
    pub at: Millis,
    /// Why.
    pub reason: RevokedReason,
}

impl TokenRevoked {
    /// Returns these facts.
    pub const fn new(at: Millis, reason: RevokedReason) -> Self {
        Self { at, reason }
    }
}

/// Why a token was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RevokedReason {
    /// Its owner, or an administrator, asked for it.
    Asked,
    /// It was reported as leaked.
    Leaked,
    /// Its owner logged out everywhere, including API tokens.
    LoggedOutEverywhere,
    /// Its owner no longer exists.
    OwnerGone,
}

impl RevokedReason {
    /// Returns the name for logs, metrics and stores, in `snake_case`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Leaked => "leaked",
            Self::LoggedOutEverywhere => "logged_out_everywhere",
            Self::OwnerGone => "owner_gone",
        }
    }
}

/// When a token was used, and from where.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LastUse {
    /// When; up to 15 minutes may be missing.
    pub at: Millis,
    /// From where, coarsely: a network such as `192.0.2.0/24`, never a whole address.
    pub source: Option<String>,
}

impl LastUse {
    /// Returns these facts.
    pub const fn new(at: Millis, source: Option<String>) -> Self {
        Self { at, source }
    }
}

/// Shows no network.
impl fmt::Debug for LastUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastUse").field("at", &self.at).finish_non_exhaustive()
    }
}

/// The text of a row that cannot be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the row of an API token cannot be read: {problem}")]
pub struct NotARow {
    problem: String,
    #[source]
    source: Option<Arc<serde_json::Error>>,
}

impl NotARow {
    fn damaged(source: serde_json::Error) -> Self {
        // The error's own text could quote a name.
        Self { problem: "it is damaged".to_owned(), source: Some(Arc::new(source)) }
    }

    fn of_version(version: u32) -> Self {
        Self {
            problem: format!("it has version {version}, and this release reads {VERSION}: update this instance"),
            source: None,
        }
    }
}
