//! [`Answer`]: how each kind of error is answered over HTTP.

use http::StatusCode;
use portcullis_core::error::AuthErrorKind;

/// The answer to one kind of error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// Whether the answer asks for another credential, and says how to present it.
    pub(crate) challenges: bool,
    /// The `error` of the challenge.
    pub(crate) error: Option<&'static str>,
    /// gRPC's status code.
    pub(crate) grpc_status: &'static str,
    /// A short title, the same for all errors of a kind (RFC 9457 section 3.1.3).
    pub(crate) title: &'static str,
}

impl Answer {
    pub(crate) const fn to(kind: AuthErrorKind) -> Self {
        use AuthErrorKind as Kind;
        match kind {
            Kind::NoCredential => Self::challenge(StatusCode::UNAUTHORIZED, "16", "Authentication required", None),
            Kind::InvalidRequest => {
                Self::challenge(StatusCode::BAD_REQUEST, "3", "Credential not understood", Some("invalid_request"))
            }
            Kind::InvalidToken => {
                Self::challenge(StatusCode::UNAUTHORIZED, "16", "Token not accepted", Some("invalid_token"))
            }
            Kind::InsufficientScope => {
                Self::challenge(StatusCode::FORBIDDEN, "7", "Not permitted", Some("insufficient_scope"))
            }
            Kind::InsufficientAuthentication => {
                let error = Some("insufficient_user_authentication");
                Self::challenge(StatusCode::UNAUTHORIZED, "16", "Another login required", error)
            }
            Kind::Unavailable => Self::fault(StatusCode::SERVICE_UNAVAILABLE, "14", "Temporarily unavailable"),
            Kind::Misconfigured => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, "13", "Service misconfigured"),
            // A kind that is newer than this crate: the request is refused, but the client is not blamed.
            _ => Self::fault(StatusCode::INTERNAL_SERVER_ERROR, "13", "Not decided"),
        }
    }

    const fn challenge(
        status: StatusCode,
        grpc_status: &'static str,
        title: &'static str,
        error: Option<&'static str>,
    ) -> Self {
        Self { status, challenges: true, error, grpc_status, title }
    }

    const fn fault(status: StatusCode, grpc_status: &'static str, title: &'static str) -> Self {
        Self { status, challenges: false, error: None, grpc_status, title }
    }
}
