//! The codes of answers that are not about a credential.

use std::fmt;

use http::StatusCode;

/// Why [`FormBodyLayer`](crate::location::form), [`RevocationApi`](crate::revocation::api) or
/// [`BackChannelLogout`](crate::revocation::back_channel_logout) did not do what a request asked for, where that is not about
/// a credential or a token.
///
/// It is in the answer's body as `code`, and in the response's extensions, as [`Code`](crate::Code) is for all other refusals.
/// The page [`codes`](crate::codes) lists both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceCode {
    /// A form is longer than the limit of the `FormBodyLayer`.
    FormTooLong,
    /// A form could not be read to its end.
    FormUnreadable,
    /// The service has no such method.
    MethodNotAllowed,
    /// The body is not of the media type that the service reads, or is compressed.
    MediaTypeNotSupported,
    /// The body is longer than the service reads.
    BodyTooLong,
    /// The body could not be read to its end.
    BodyUnreadable,
    /// The request does not have the form that the service reads.
    RequestMalformed,
    /// One or several revocations are wrong, and none was made.
    RevocationMalformed,
    /// A revocation would have no effect, and none was made.
    RevocationRefused,
    /// The revocation could not be made durable.
    RevocationNotDurable,
    /// The log of revocations could not be read.
    RevocationsNotListed,
}

impl ServiceCode {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 11] = [
        Self::FormTooLong,
        Self::FormUnreadable,
        Self::MethodNotAllowed,
        Self::MediaTypeNotSupported,
        Self::BodyTooLong,
        Self::BodyUnreadable,
        Self::RequestMalformed,
        Self::RevocationMalformed,
        Self::RevocationRefused,
        Self::RevocationNotDurable,
        Self::RevocationsNotListed,
    ];

    /// Returns the stable name, as it stands in the body and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FormTooLong => "form_too_long",
            Self::FormUnreadable => "form_unreadable",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MediaTypeNotSupported => "media_type_not_supported",
            Self::BodyTooLong => "body_too_long",
            Self::BodyUnreadable => "body_unreadable",
            Self::RequestMalformed => "request_malformed",
            Self::RevocationMalformed => "revocation_malformed",
            Self::RevocationRefused => "revocation_refused",
            Self::RevocationNotDurable => "revocation_not_durable",
            Self::RevocationsNotListed => "revocations_not_listed",
        }
    }

    /// Returns the status of the answer.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::FormTooLong | Self::BodyTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::FormUnreadable
            | Self::BodyUnreadable
            | Self::RequestMalformed
            | Self::RevocationMalformed
            | Self::RevocationRefused => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaTypeNotSupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RevocationNotDurable | Self::RevocationsNotListed => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for ServiceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
