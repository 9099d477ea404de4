//! [`ApiToken`]: what an owner may see of a token.

use std::fmt;

use super::{
    ApiTokenFormat, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenSecret, Grants, LastUse, Owner, RevokedReason,
};
use crate::refresh::Millis;

/// What an owner may see of a token: everything but its text. `Debug` shows its id and kind.
#[doc(alias = "api key")]
#[doc(alias = "personal access token")]
#[derive(Clone, PartialEq, Eq)]
pub struct ApiToken {
    row: ApiTokenRow,
    beginning: String,
    state: ApiTokenState,
}

/// Whether a token is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiTokenState {
    /// The token is accepted.
    Active,
    /// The token has a successor, and is accepted until the overlap of the two is over.
    Superseded {
        /// The successor.
        by: ApiTokenId,
        /// When the overlap is over.
        until: Millis,
    },
    /// The token is refused: it has expired, or its overlap with its successor is over.
    Expired {
        /// When that was.
        at: Millis,
    },
    /// The token is refused: it was revoked.
    Revoked {
        /// When it was revoked.
        at: Millis,
        /// Why it was revoked.
        reason: RevokedReason,
    },
}

impl ApiToken {
    pub(super) fn of(row: ApiTokenRow, format: &ApiTokenFormat, now: Millis) -> Self {
        let state = match (&row.revoked, row.ends_at(), &row.superseded) {
            (Some(revoked), ..) => ApiTokenState::Revoked { at: revoked.at, reason: revoked.reason },
            (None, Some(end), _) if end <= now => ApiTokenState::Expired { at: end },
            (None, Some(until), Some(superseded)) => ApiTokenState::Superseded { by: superseded.by, until },
            (None, ..) => ApiTokenState::Active,
        };
        // The text of an imported token was made by another system, unless it has been rotated.
        let beginning = if row.kind == ApiTokenKind::Imported { String::new() } else { format.beginning_of(row.kind) };
        Self { row, beginning, state }
    }

    pub(super) fn row(&self) -> &ApiTokenRow {
        &self.row
    }

    /// Returns the token's id, which is public.
    pub fn id(&self) -> ApiTokenId {
        self.row.id
    }

    /// Returns the name that its owner gave it.
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// Returns the kind, which says what the token is for.
    pub fn kind(&self) -> ApiTokenKind {
        self.row.kind
    }

    /// Returns the owner.
    pub fn owner(&self) -> &Owner {
        &self.row.owner
    }

    /// Returns the environment, such as `live`.
    pub fn environment(&self) -> &str {
        &self.row.environment
    }

    /// Returns the rights that the token was made with. It has those that its owner has, too, at the time.
    pub fn grants(&self) -> &Grants {
        &self.row.grants
    }

    /// Returns the tokens from which it was derived, the first one first.
    pub fn ancestors(&self) -> &[ApiTokenId] {
        &self.row.path
    }

    /// Returns how its owner recognises it: the beginning and the last four characters, such as `acme_u_…3x9Q`. For an
    /// imported token it is `…` and [what was said at the import](super::ApiTokens::import), because its beginning is that of the earlier system.
    pub fn hint(&self) -> String {
        format!("{}…{}", self.beginning, self.row.last_four)
    }

    /// Returns when the token was made.
    pub fn created_at(&self) -> Millis {
        self.row.created_at
    }

    /// Returns who made the token, for the audit log.
    pub fn created_by(&self) -> &str {
        &self.row.created_by
    }

    /// Returns when the token expires; `None` if it does not. The overlap with a successor can end earlier: see [`state`](Self::state).
    pub fn until(&self) -> Option<Millis> {
        self.row.until
    }

    /// Returns when it was last used, as far as that is known: within the last 15 minutes, the store may not know yet. A token in use is noted once a minute.
    pub fn last_used(&self) -> Option<&LastUse> {
        self.row.last_used.as_ref()
    }

    /// Returns the token that has taken its place, also if this one was revoked or has ended since.
    pub fn superseded_by(&self) -> Option<ApiTokenId> {
        self.row.successor()
    }

    /// Returns whether it was accepted when this was asked, apart from those that it was derived from.
    pub fn state(&self) -> ApiTokenState {
        self.state
    }

    /// Whether it was accepted when this was asked, apart from those that it was derived from.
    pub fn is_live(&self) -> bool {
        matches!(self.state, ApiTokenState::Active | ApiTokenState::Superseded { .. })
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiToken")
            .field("id", &self.row.id)
            .field("kind", &self.row.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A token that was just made, with its text, which is never shown again.
#[derive(Clone, Debug)]
pub struct CreatedApiToken {
    secret: ApiTokenSecret,
    token: ApiToken,
}

impl CreatedApiToken {
    pub(super) fn new(secret: ApiTokenSecret, token: ApiToken) -> Self {
        Self { secret, token }
    }

    /// Returns the text, for its owner. Show it once; it cannot be found again.
    pub fn secret(&self) -> &ApiTokenSecret {
        &self.secret
    }

    /// Returns what its owner may see later.
    pub fn token(&self) -> &ApiToken {
        &self.token
    }
}
