//! A parameter of a form in the body (feature `form`).
//!
//! Everything else here looks at a request's head. A form is in the body, therefore a layer of its own,
//! [`FormBodyLayer`], reads it first, takes the token out and leaves it where [`FormBody`] finds it:
//!
//! ```
//! use portcullis::{FormBody, FormBodyLayer};
//! # let auth_layer = |_location: FormBody| ();
//! // outermost first: FormBodyLayer, then the AuthLayer with `.location(FormBody::new())`
//! let layers = (FormBodyLayer::new(), auth_layer(FormBody::new()));
//! ```
//!
//! RFC 6750 section 2.2 sets the conditions: `Content-Type: application/x-www-form-urlencoded`, not compressed, and
//! a method that has a body: `POST`, `PUT`, `PATCH` or `DELETE`. Other requests pass as they are. A form longer than
//! the limit is refused with 413, whether or not it has a token: what was not read cannot be said to have none.

mod body;
mod future;
mod layer;
mod service;

use std::{fmt, sync::Arc};

pub use body::FormRequestBody;
pub use future::FormBodyFuture;
pub use layer::FormBodyLayer;
pub use service::FormBodyService;
use zeroize::Zeroizing;

use super::{BearerMethod, Caching, Found, LocationInfo, RequestHead, RequestHeadMut, TokenLocation};

/// The token that [`FormBodyLayer`] took out of a form. Without that layer outside, there is never one.
///
/// No such parameter is [`Found::Absent`], an empty or wrongly encoded one [`Found::Malformed`], two are
/// [`Found::Several`], as with [`QueryParameter`](super::QueryParameter).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FormBody;

impl FormBody {
    /// The location. What there is to configure is [`FormBodyLayer`]'s.
    pub const fn new() -> Self {
        Self
    }
}

impl TokenLocation for FormBody {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        match head.extensions.get::<FormCredential>() {
            None => Found::Absent,
            Some(FormCredential::Token(token)) => Found::Token(token.as_str().into()),
            Some(FormCredential::Malformed(reason)) => Found::Malformed(reason),
            Some(FormCredential::Several) => Found::Several,
        }
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        request.extensions_mut().remove::<FormCredential>();
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new("form parameter").with_bearer_method(BearerMethod::Body).with_caching(Caching::Untouched)
    }
}

/// What the layer leaves in the request's extensions.
#[derive(Clone)]
enum FormCredential {
    Token(Arc<Zeroizing<String>>),
    Malformed(&'static str),
    Several,
}

impl FormCredential {
    fn of(found: Found<'_>) -> Option<Self> {
        match found {
            Found::Absent => None,
            Found::Token(token) => Some(Self::Token(Arc::new(Zeroizing::new(token.into_owned())))),
            Found::Malformed(reason) => Some(Self::Malformed(reason)),
            Found::Several => Some(Self::Several),
        }
    }
}

impl fmt::Debug for FormCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormCredential(REDACTED)")
    }
}
