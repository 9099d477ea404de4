//! [`FormBody`]: a token in a form-encoded body (feature `form`).
//!
//! All other locations read a request's head. A form is in the body, so a second layer, [`FormBodyLayer`], reads it first, takes the
//! token out and stores it for [`FormBody`]. Put it *outside* the [`AuthLayer`](crate::AuthLayer): in axum, after it in the order of
//! `layer` calls. In the other order, every request is answered with 500, and the log says why.
//!
//! ```
//! use axum::{Router, body::Body, routing::post};
//! use http::Request;
//! use portcullis::{AuthLayer, Claims};
//! use portcullis::location::{FormBody, FormBodyLayer};
//! use portcullis_test::MockIssuer;
//! use tower::ServiceExt;
//!
//! async fn download(claims: Claims) -> String {
//!     format!("for {}", claims.subject().unwrap_or("unknown"))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = MockIssuer::new(); // stands in for the one that signs
//! let app = Router::new()
//!     .route("/download", post(download))
//!     .layer(AuthLayer::at(FormBody::new(), issuer.admission()))
//!     .layer(FormBodyLayer::new());
//! let form = |text: String| {
//!     let request = Request::post("/download").header("content-type", "application/x-www-form-urlencoded");
//!     request.body(Body::from(text))
//! };
//!
//! let token = issuer.token().subject("alice").sign();
//! let accepted = app.clone().oneshot(form(format!("file=7&access_token={token}"))?).await?;
//! assert_eq!(accepted.status(), 200);
//!
//! let refused = app.oneshot(form(format!("access_token={token}&access_token={token}"))?).await?;
//! assert_eq!(refused.status(), 400); // two credentials
//! # Ok(())
//! # }
//! ```
//!
//! The layer reads only requests that meet the conditions of RFC 6750 section 2.2: `Content-Type: application/x-www-form-urlencoded`, not
//! compressed, and a method with a body (`POST`, `PUT`, `PATCH` or `DELETE`). Other requests pass unchanged. A form longer than the limit
//! is refused with 413 even if no token was found, because the part that was not read may contain one.

mod layer;
mod service;

use std::{fmt, sync::Arc};

pub use layer::FormBodyLayer;
pub use service::FormBodyService;
use zeroize::Zeroizing;

use super::{BearerMethod, Found, LocationInfo, RequestHead, RequestHeadMut, ResponseCaching, TokenLocation};

/// The token that [`FormBodyLayer`] took out of a form.
///
/// If that layer is not *outside* the `AuthLayer`, every request is answered with 500 `service_misconfigured`, so that an optional layer
/// does not treat requests with a token as anonymous.
///
/// A missing parameter is [`Found::Absent`], an empty or wrongly encoded one [`Found::Malformed`], two are [`Found::Several`], as with
/// [`QueryParameter`](super::QueryParameter).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct FormBody;

impl FormBody {
    /// Returns the location. The settings are those of [`FormBodyLayer`].
    pub const fn new() -> Self {
        Self
    }
}

impl TokenLocation for FormBody {
    fn find<'r>(&self, head: RequestHead<'r>) -> Found<'r> {
        match head.extensions.get::<FormCredential>() {
            None => Found::Misconfigured(
                "FormBody finds no token without a FormBodyLayer outside: put `.layer(FormBodyLayer::new())` after the \
                 `.layer(..)` of the AuthLayer",
            ),
            Some(FormCredential::Absent) => Found::Absent,
            Some(FormCredential::Token(token)) => Found::Token(token.as_slice().into()),
            Some(FormCredential::Malformed(reason)) => Found::Malformed(reason),
            Some(FormCredential::Several) => Found::Several,
        }
    }

    fn strip(&self, request: &mut RequestHeadMut<'_>) {
        request.extensions_mut().insert(FormCredential::Absent);
    }

    fn info(&self) -> LocationInfo {
        LocationInfo::new("form parameter")
            .with_bearer_method(BearerMethod::Body)
            .with_caching(ResponseCaching::Untouched)
    }
}

/// What the layer stores in the request's extensions.
#[derive(Clone)]
enum FormCredential {
    /// The request was read, and has no credential.
    Absent,
    Token(Arc<Zeroizing<Vec<u8>>>),
    Malformed(&'static str),
    Several,
}

impl FormCredential {
    fn of(found: Found<'_>) -> Self {
        match found {
            Found::Absent => Self::Absent,
            Found::Token(token) | Found::Under(_, token) => Self::Token(Arc::new(Zeroizing::new(token.into_owned()))),
            Found::Malformed(reason) | Found::MalformedUnder(_, reason) | Found::Misconfigured(reason) => {
                Self::Malformed(reason)
            }
            Found::Several => Self::Several,
        }
    }
}

impl fmt::Debug for FormCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormCredential(REDACTED)")
    }
}
