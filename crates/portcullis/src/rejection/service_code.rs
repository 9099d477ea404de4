//! [`ServiceCode`]: the codes of answers that are not about a credential.

use std::fmt;

use http::StatusCode;

/// Why [`BodyLimitLayer`](crate::body_limit), [`ContentDigestLayer`](crate::content_digest), [`FormBodyLayer`](crate::location::form),
/// [`RevocationApi`](crate::revocation::api) or [`BackChannelLogout`](crate::revocation::back_channel_logout) did not carry out a request, for
/// reasons other than a credential or a token.
///
/// It is in the response's body as `code`, and in its extensions, like [`Code`](crate::Code) for all other refusals. The page
/// [`codes`](crate::codes) lists both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceCode {
    /// A form is longer than the limit of the `FormBodyLayer`.
    FormTooLong,
    /// A form could not be read to its end.
    FormUnreadable,
    /// The body has no digest, or none by an algorithm that is supported.
    ContentDigestMissing,
    /// The digest of the body cannot be read, or there are several.
    ContentDigestMalformed,
    /// The body is not the one for which its digest was made.
    ContentDigestMismatch,
    /// The service does not support the method.
    MethodNotAllowed,
    /// The body has a media type that the service does not read, or is compressed.
    MediaTypeNotSupported,
    /// The body is longer than the service accepts, or than the caller may send.
    BodyTooLong,
    /// The body could not be read to its end.
    BodyUnreadable,
    /// The request does not have the form that the service expects.
    RequestMalformed,
    /// One or more revocations are invalid, and none was made.
    RevocationMalformed,
    /// A revocation would have no effect, and none was made.
    RevocationRefused,
    /// The revocation could not be stored durably.
    RevocationNotDurable,
    /// The log of revocations could not be read.
    RevocationsNotListed,
}

impl ServiceCode {
    /// All codes, in the order of the page.
    pub const ALL: [Self; 14] = [
        Self::FormTooLong,
        Self::FormUnreadable,
        Self::ContentDigestMissing,
        Self::ContentDigestMalformed,
        Self::ContentDigestMismatch,
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

    /// Returns the stable name, as written in the body and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FormTooLong => "form_too_long",
            Self::FormUnreadable => "form_unreadable",
            Self::ContentDigestMissing => "content_digest_missing",
            Self::ContentDigestMalformed => "content_digest_malformed",
            Self::ContentDigestMismatch => "content_digest_mismatch",
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
            | Self::ContentDigestMissing
            | Self::ContentDigestMalformed
            | Self::ContentDigestMismatch
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
