//! Where a request carries its credential.
//!
//! - [`AuthorizationHeader`]: `Authorization: Bearer …` (RFC 6750 section 2.1). The default, and the best wherever it can be used.
//! - [`HttpHeader`]: any other HTTP header, where a second credential is sent with the first, or `Authorization` is taken.
//! - [`Cookie`]: a cookie, for browsers. Needs protection against CSRF.
//! - [`WebSocketSubprotocol`]: `Sec-WebSocket-Protocol: app.v1, bearer.…`, and two other forms, because browsers cannot set headers on a
//!   WebSocket.
//! - [`QueryParameter`]: `?access_token=…` (RFC 6750 section 2.3), for a link that cannot carry headers. It ends up in logs.
#![cfg_attr(
    feature = "form",
    doc = "- [`FormBody`]: `access_token` in a form (RFC 6750 section 2.2), for an HTML form that posts across origins."
)]
//!
//! The rules, the same for all of them:
//!
//! 1. A location says that there is no credential ([`Found::Absent`]) only if none was meant. A header with another
//!    scheme, or an empty one, means none.
//! 2. What was meant as a credential, but does not have its form, is [`Found::Malformed`]: answered with 400, whether
//!    or not the route would have let an anonymous request through.
//! 3. Two of a kind are [`Found::Several`], also 400, even if one of them is malformed or both are the same. Which of
//!    them counts would depend on who reads the request, and that is how requests are smuggled past a check. Two that a
//!    proxy has folded into one line (`Basic Zm9v, Bearer eyJ…`) are refused like two lines.
//! 4. Every credential is a `b64token` (RFC 6750 section 2.1): letters, digits, `-._~+/`, then any number of `=`. The admission checks that, for
//!    octets that it has not verified before; a location need not.
//! 5. Before the inner service sees the request, [`TokenLocation::strip`] takes the credential out of places that are
//!    written down or sent back, and marks HTTP headers as sensitive, so that their `Debug` does not show them.
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
pub use info::{BearerMethod, Caching, LocationInfo};
pub use peer::Peer;
pub use query_parameter::QueryParameter;
pub use request_head::{RequestHead, RequestHeadMut};
pub(crate) use request_view::{OriginalUriHook, View};
pub use web_socket_subprotocol::WebSocketSubprotocol;

/// A place in a request where a credential may be.
///
/// See the [module docs](self) for the rules that an implementation keeps. To leave the place out of the request that
/// the inner service sees, implement [`strip`](Self::strip) too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a place where a credential may be",
    note = "use `AuthorizationHeader`, `HttpHeader`, `Cookie`, `WebSocketSubprotocol`, `QueryParameter`, or implement `TokenLocation`"
)]
pub trait TokenLocation: fmt::Debug + Send + Sync + 'static {
    /// Looks for the credential. Must not allocate for a plain one: every request passes here.
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r>;

    /// Takes the credential out of the request, or hides it, before the inner service sees it.
    ///
    /// Called after the credential has been accepted. Defaults to leaving the request as it is.
    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        let _ = request;
    }

    /// Tells this place which schemes the admission takes credentials under. Called once, when the layer is built. A place where a credential stands
    /// without a scheme has no use for it, and need not implement it.
    fn take_schemes(&mut self, schemes: &[Scheme]) {
        let _ = schemes;
    }

    /// Returns what the operator's log may say about a request in which nothing was found here: that something there is
    /// nearly a credential, say. Asked about requests that are refused for want of a credential.
    ///
    /// Defaults to `None`. The text must hold nothing of the request.
    fn hint(&self, head: RequestHead<'_>) -> Option<&'static str> {
        let _ = head;
        None
    }

    /// What a program or a person may want to know about this place. Asked once, when the layer is built.
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
    /// No credential was meant. The only outcome that an optional layer lets through.
    Absent,
    /// The octets that stand where one credential belongs, not looked at any further; borrowed from the request unless they had to be decoded.
    Token(Cow<'r, [u8]>),
    /// The same under another scheme than `Bearer`.
    Under(Scheme, Cow<'r, [u8]>),
    /// A credential was meant, but this is wrong with it. For the log; never holds anything of the request.
    Malformed(&'static str),
    /// More than one credential.
    Several,
    /// The place cannot be looked at as the service is built: a mistake of its developer, answered with 500. The text says
    /// what to change.
    Misconfigured(&'static str),
}

impl fmt::Debug for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Absent"),
            Self::Token(_) => f.write_str("Token(REDACTED)"),
            Self::Under(scheme, _) => write!(f, "Under({scheme}, REDACTED)"),
            Self::Malformed(reason) => f.debug_tuple("Malformed").field(reason).finish(),
            Self::Several => f.write_str("Several"),
            Self::Misconfigured(reason) => f.debug_tuple("Misconfigured").field(reason).finish(),
        }
    }
}
