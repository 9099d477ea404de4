//! [`ServerEvent`]: what an operator wants to know about an authorization server.

use super::OAuthError;
use crate::refresh::FamilyId;

/// Something that happened at an endpoint. It names clients and sessions, and never a user. What happens to sessions is told by
/// [`SessionEvent`](crate::refresh::SessionEvent).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A request was answered with the status 500 or 503. The client is not told why.
    Failed {
        /// Where: the [name](super::Endpoint::name) of an endpoint; `authorization`; or `session`, for the sessions of the application's own page.
        endpoint: &'static str,
        /// What the client was told. Its [source](std::error::Error::source) says why.
        error: OAuthError,
    },
    /// A user has allowed a client something, and the client got a code.
    Granted {
        /// The client.
        client_id: String,
        /// The session that the code may become.
        session: FamilyId,
    },
    /// A client was refused: it is unknown, or has not proven who it is.
    ClientRefused {
        /// Its id; `None` if there is no such client.
        client_id: Option<String>,
    },
    /// A service that wanted to introspect was refused: it is unknown, or has not proven who it is.
    ResourceServerRefused {
        /// Its id, if there is such a service.
        id: Option<String>,
    },
    /// A client has exchanged an access token of a user.
    Exchanged {
        /// The client, which now acts.
        client_id: String,
        /// The client that had got the token.
        token_of: String,
        /// Whether the new token does not name the client as the one that acts.
        impersonates: bool,
    },
    /// An assertion of a client was presented again: it has leaked, or the client sends a request again without making a new one. It was refused.
    AssertionReplayed {
        /// The client, or the service that introspects.
        client_id: String,
    },
    /// A code was presented with a wrong verifier or redirect URI. It is still good, unless it was the fifth attempt.
    CodeMismatch {
        /// The client that presented it.
        client_id: String,
        /// How many attempts there were.
        attempts: u8,
    },
    /// A user has entered a code that no device has, or a device has no more. Many in a row are an attempt to guess one.
    UserCodeUnknown,
    /// A code was presented again: it has leaked, or a client is broken. Its session has ended.
    CodeReplayed {
        /// The client that presented it.
        client_id: String,
        /// The session.
        session: FamilyId,
    },
    /// A code was presented by a client that cannot redeem it: another one, or, after it was redeemed, one without its verifier. It has been seen on
    /// its way, or in a log. Nothing has changed.
    CodeSeen {
        /// The client that presented it.
        client_id: String,
        /// The session of the code.
        session: FamilyId,
    },
    /// A code has a right MAC and a wrong share: **the key of refresh tokens has leaked.** No session was touched.
    KeyLeaked {
        /// The session that the code names.
        session: FamilyId,
    },
}
