//! [`ApiTokenEvent`]: what an operator wants to know about tokens.

use std::{sync::Arc, time::Duration};

use super::{ApiTokenId, RevokedReason};

/// Something that happened to a token. It names tokens by their ids, and has neither their text nor their names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiTokenEvent {
    /// A token was made.
    Created {
        /// The token.
        id: ApiTokenId,
        /// From which one it was derived.
        parent: Option<ApiTokenId>,
    },
    /// A token got a successor.
    Rotated {
        /// The earlier token.
        id: ApiTokenId,
        /// The new one.
        by: ApiTokenId,
    },
    /// A token was revoked.
    Revoked {
        /// The token.
        id: ApiTokenId,
        /// Why.
        reason: RevokedReason,
    },
    /// A token was presented after its successor had been used: a program still has the old one, or another has stolen it. Told once per token and instance.
    SupersededUsed {
        /// The earlier token.
        id: ApiTokenId,
        /// Its successor.
        by: ApiTokenId,
        /// Whether it was accepted, because the overlap is not over.
        was_accepted: bool,
    },
    /// A token expires soon, and its owner should be told.
    Expiring {
        /// The token.
        id: ApiTokenId,
        /// In how long.
        within: Duration,
    },
    /// A token was reported as leaked, and has been revoked, with all that have taken its place. Its owner should be told.
    Leaked {
        /// The token.
        id: ApiTokenId,
        /// The token that had taken its place: perhaps a thief's, who rotated it.
        successor: Option<ApiTokenId>,
        /// Where it was found, as the report says.
        source: Option<String>,
    },
    /// A token that was reported as leaked could not be looked up or revoked. The report should be made again.
    ReportFailed,
    /// So many uses were not recorded, because more tokens were used between two statements than are remembered.
    UsesLost {
        /// How many.
        count: u64,
    },
}

pub(super) type Listener = Arc<dyn Fn(&ApiTokenEvent) + Send + Sync>;
