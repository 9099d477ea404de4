//! Locations: where a request carries its credential.
//!
//! - [`AuthorizationHeader`]: `Authorization: Bearer …` (RFC 6750 section 2.1). The default, and the best choice wherever it is possible.
//! - [`HttpHeader`]: any other HTTP header, for a second credential or if `Authorization` is used for something else.
//! - [`Cookie`]: a cookie, for browsers. Needs protection against CSRF.
//! - [`WebSocketSubprotocol`]: `Sec-WebSocket-Protocol: app.v1, bearer.…`, and two other forms, because browsers cannot set headers on a
//!   WebSocket.
//! - [`QueryParameter`]: `?access_token=…` (RFC 6750 section 2.3), for a link that cannot carry headers. Queries end up in logs.
#![cfg_attr(
    feature = "form",
    doc = "- [`FormBody`]: `access_token` in a form (RFC 6750 section 2.2), for an HTML form that posts across origins."
)]
//!
//! All locations follow these rules:
//!
//! 1. A location reports [`Found::Absent`] only if the request has no credential there. A header with another scheme, or an empty one, is
//!    no credential.
//! 2. A credential with the wrong syntax is [`Found::Malformed`], or [`Found::MalformedUnder`] its scheme: it is answered with 400, even if the
//!    route admits anonymous requests.
//! 3. Two credentials are [`Found::Several`], also answered with 400, even if one of them is malformed or both are equal. If one of them
//!    were used, different readers of the request could choose different ones, and an attacker could smuggle a request past a check. Two
//!    credentials that a proxy has folded into one line (`Basic Zm9v, Bearer eyJ…`) are refused like two lines.
//! 4. Every credential is a `b64token` (RFC 6750 section 2.1): letters, digits, `-._~+/`, then any number of `=`. The admission checks
//!    this for bytes that it has not verified before; a location need not.
//! 5. Before the inner service gets the request, [`TokenLocation::strip`] removes the credential from places that are logged or sent
//!    back, and marks HTTP headers as sensitive, so that their `Debug` does not show them.
//!
//! # Example
//!
//! ```
//! use http::Request;
//! use portcullis::location::{AuthorizationHeader, Found, RequestHead, TokenLocation};
//!
//! let request = Request::get("/").header("authorization", "bearer a.b.c").body(())?;
//! assert!(matches!(AuthorizationHeader::new().find(RequestHead::from(&request)), Found::Token(token) if *token == *b"a.b.c"));
//!
//! let request = Request::get("/").header("authorization", "Bearer:a.b.c").body(())?;
//! assert!(matches!(AuthorizationHeader::new().find(RequestHead::from(&request)), Found::Malformed(_)));
//! # Ok::<(), http::Error>(())
//! ```

mod authorization_header;
mod cookie;
mod folded;
#[cfg(feature = "form")]
pub mod form;
mod http_header;
mod info;
mod peer;
mod query_parameter;
mod request_head;
mod request_view;
pub(crate) mod urlencoded;
mod web_socket_subprotocol;

use std::{borrow::Cow, fmt};

use portcullis_core::authenticator::Scheme;

pub use authorization_header::AuthorizationHeader;
pub use cookie::Cookie;
#[cfg(feature = "form")]
pub use form::{FormBody, FormBodyLayer};
pub use http_header::HttpHeader;
pub use info::{BearerMethod, LocationInfo, ResponseCaching};
pub use peer::Peer;
pub use query_parameter::QueryParameter;
pub use request_head::{RequestHead, RequestHeadMut};
pub(crate) use request_view::{OriginalUriHook, View};
pub use web_socket_subprotocol::WebSocketSubprotocol;

/// A location in a request that may contain a credential.
///
/// See the [module docs](self) for the rules that an implementation has to follow. To remove the credential from the request that the
/// inner service gets, implement [`strip`](Self::strip) too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a place where a credential may be",
    note = "use `AuthorizationHeader`, `HttpHeader`, `Cookie`, `WebSocketSubprotocol`, `QueryParameter`, or implement `TokenLocation`"
)]
pub trait TokenLocation: fmt::Debug + Send + Sync + 'static {
    /// Looks for the credential. It must not allocate for a plain credential, because it runs for every request, and must have no side effects, because
    /// it may run twice.
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r>;

    /// Looks for the credential and, in the same look-up, does what [`strip`](Self::strip) does, which is not called afterwards. A credential
    /// that was verified before is usually admitted by this alone. The request is read by [`find`](Self::find) in all other cases, also if
    /// this finds nothing.
    ///
    /// For HTTP headers, whose value is only marked. Do not remove anything: the request may be read again. Defaults to
    /// [`Found::Absent`].
    fn find_and_mark<'r>(&self, request: &'r mut RequestHeadMut<'_>) -> Found<'r> {
        let _ = request;
        Found::Absent
    }

    /// Removes the credential from the request, or hides it, before the inner service gets the request.
    ///
    /// Called after the credential has been accepted. Defaults to leaving the request as it is.
    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        let _ = request;
    }

    /// Tells this location for which schemes the admission accepts credentials. Called once, when the layer is built. A location whose
    /// credentials have no scheme does not need to implement it.
    fn take_schemes(&mut self, schemes: &[Scheme]) {
        let _ = schemes;
    }

    /// Returns a hint for the operator's log about a request without a credential at this location, for example that it has something
    /// similar. Called only for requests that are refused because they have no credential.
    ///
    /// Defaults to `None`. The text must not contain any part of the request.
    fn hint(&self, head: RequestHead<'_>) -> Option<&'static str> {
        let _ = head;
        None
    }

    /// Describes this location for programs and people. Called once, when the layer is built.
    ///
    /// Defaults to the type's name, no registered method, and responses that are for the caller only.
    fn info(&self) -> LocationInfo {
        LocationInfo::new(std::any::type_name::<Self>())
    }
}

impl<T: TokenLocation + ?Sized> TokenLocation for Box<T> {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        (**self).find(head)
    }

    fn find_and_mark<'r>(&self, request: &'r mut RequestHeadMut<'_>) -> Found<'r> {
        (**self).find_and_mark(request)
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        (**self).strip(request);
    }

    fn take_schemes(&mut self, schemes: &[Scheme]) {
        (**self).take_schemes(schemes);
    }

    fn hint(&self, head: RequestHead<'_>) -> Option<&'static str> {
        (**self).hint(head)
    }

    fn info(&self) -> LocationInfo {
        (**self).info()
    }
}

/// What a [`TokenLocation`] found. `Debug` does not show the token.
#[non_exhaustive]
pub enum Found<'r> {
    /// There is no credential. An optional layer lets only this outcome through.
    Absent,
    /// The bytes of the credential, not checked any further. They are borrowed from the request, unless they had to be decoded.
    Token(Cow<'r, [u8]>),
    /// A credential under another scheme than `Bearer`.
    Under(Scheme, Cow<'r, [u8]>),
    /// There is a credential, but with the wrong syntax. The text says what is wrong, for the log; it never contains any part of the
    /// request.
    Malformed(&'static str),
    /// The same for a credential under another scheme than `Bearer`.
    MalformedUnder(Scheme, &'static str),
    /// More than one credential.
    Several,
    /// The location cannot be read because the service is built wrongly: a developer's mistake, answered with 500. The text says what to
    /// change.
    Misconfigured(&'static str),
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Token(_) => f.write_str("Token(REDACTED)"),
            Self::Under(scheme, _) => write!(f, "Under({scheme}, REDACTED)"),
            Self::Malformed(reason) => f.debug_tuple("Malformed").field(reason).finish(),
            Self::MalformedUnder(scheme, reason) => {
                f.debug_tuple("MalformedUnder").field(scheme).field(reason).finish()
            }
            Self::Several => f.write_str("Several"),
            Self::Misconfigured(reason) => f.debug_tuple("Misconfigured").field(reason).finish(),
        }
    }
}
