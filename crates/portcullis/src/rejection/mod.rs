//! Turns an [`AuthError`] into the answer for the client.
//!
//! | case | status | `WWW-Authenticate` |
//! |---|---|---|
//! | no credential | 401 | `Bearer`, no error code, and `scope` if it is [configured](BearerChallenge::scope) |
//! | malformed, or two credentials | 400 | `error="invalid_request"` |
//! | bad or expired token | 401 | `error="invalid_token"`, and `scope` if it is configured |
//! | scope or role missing | 403 | `error="insufficient_scope"`, and `scope` if it is known |
//! | login too old or too weak | 401 | `error="insufficient_user_authentication"`, `acr_values`, `max_age` (RFC 9470) |
//! | **we** cannot decide | 503, `Retry-After` | none |
//! | the service is misconfigured | 500 | none |
//!
//! If the layer accepts other schemes than `Bearer` too, there is one challenge for each ([`SchemeChallenge`]), and only that of the refused
//! credential has an error code.
//!
//! [`BearerChallenge`] answers like this, and [`GrpcStatus`] does the same in gRPC's format. Every closure from `&AuthError` to a
//! response is a [`MakeRejection`] too. The meaning of each code is on the page [`codes`](crate::codes).
//!
//! Every response that a layer, a guard or an extractor makes from an error carries the error's [`Code`](crate::Code) in its extensions,
//! even if a closure made the response. A layer further out can use it to count refusals:
//!
//! ```
//! use axum::{Router, middleware::map_response, response::Response, routing::get};
//! use portcullis::{AuthLayer, Code};
//!
//! async fn count(response: Response) -> Response {
//!     if let Some(code) = response.extensions().get::<Code>() {
//!         println!("auth_refusals_total{{code=\"{code}\"}}"); // use your metrics library here
//!     }
//!     response
//! }
//!
//! # fn app(auth: AuthLayer) -> Router {
//! Router::new().route("/orders", get(async || "orders")).layer(auth).layer(map_response(count)) // outside `auth`
//! # }
//! ```
//!
//! In a debug build (`cfg(debug_assertions)`), the `detail` of a `service_misconfigured` is its explanation, which says what to fix. In a
//! release build only the log has it, so the application needs a `tracing` subscriber.
//!
//! # Example
//!
//! ```
//! use portcullis::{AuthError, Code};
//! use portcullis::rejection::{BearerChallenge, MakeRejection};
//!
//! let challenge = BearerChallenge::new().realm("orders");
//! let response: http::Response<String> = challenge.make_rejection(&AuthError::new(Code::CredentialMissing));
//! assert_eq!(response.status(), 401);
//! assert_eq!(response.headers()["www-authenticate"], r#"Bearer realm="orders""#);
//!
//! let response: http::Response<String> = challenge.make_rejection(&AuthError::new(Code::KeysUnavailable));
//! assert_eq!(response.status(), 503);
//! assert!(!response.headers().contains_key("www-authenticate"));
//! ```

pub(crate) mod answer;
#[cfg(feature = "axum")]
mod axum;
mod bearer_challenge;
mod challenge;
mod grpc_status;
mod inherited;
mod problem;
mod scheme_challenge;
#[cfg(any(feature = "body-limit", feature = "content-digest", feature = "form", feature = "revocation"))]
mod service_code;
#[cfg(any(feature = "body-limit", feature = "content-digest", feature = "form", feature = "revocation"))]
mod status_problem;

use http::Response;
use portcullis_core::AuthError;

#[cfg(feature = "axum")]
pub use self::axum::AuthRejection;
pub use bearer_challenge::BearerChallenge;
#[cfg(feature = "revocation")]
pub(crate) use bearer_challenge::say_when_to_retry;
pub use challenge::Challenge;
pub use grpc_status::GrpcStatus;
pub use inherited::InheritedRejection;
pub use scheme_challenge::SchemeChallenge;
#[cfg(any(feature = "body-limit", feature = "content-digest", feature = "form", feature = "revocation"))]
pub use service_code::ServiceCode;
#[cfg(feature = "revocation")]
pub(crate) use status_problem::Mistake;
#[cfg(any(feature = "body-limit", feature = "content-digest", feature = "form", feature = "revocation"))]
pub(crate) use status_problem::status_problem;

use crate::{AuthContext, telemetry};

/// Makes the answer to a request that is refused or could not be decided.
///
/// Closures implement it too: `|error: &AuthError| -> http::Response<B>`. They get the error with all its details. Only
/// [`AuthError::code`], [`AuthError::description`] and what the client needs (scopes, login) may be shown to the client.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not make a rejection with the body `{B}`",
    note = "`BearerChallenge` needs `B: From<String>`, `GrpcStatus` needs `B: Default`"
)]
pub trait MakeRejection<B> {
    /// Returns the answer to `error`.
    fn make_rejection(&self, error: &AuthError) -> Response<B>;

    /// Returns the answer of an [`AuthLayer`](crate::AuthLayer) whose [`challenge`](crate::AuthLayer::challenge) is `layer`, or of a guard
    /// behind it.
    ///
    /// Defaults to [`make_rejection`](Self::make_rejection), without regard to the layer's challenge.
    fn make_inherited_rejection(&self, layer: &BearerChallenge, error: &AuthError) -> Response<B> {
        let _ = layer;
        self.make_rejection(error)
    }
}

/// Returns the answer of an extractor.
#[cfg(feature = "axum")]
pub(crate) fn respond<B>(rejection: &impl MakeRejection<B>, error: &AuthError) -> Response<B> {
    with_code(rejection.make_rejection(error), error)
}

/// Returns the answer of a layer with this challenge.
pub(crate) fn respond_as<B>(
    layer: &BearerChallenge,
    rejection: &impl MakeRejection<B>,
    error: &AuthError,
) -> Response<B> {
    with_code(rejection.make_inherited_rejection(layer, error), error)
}

/// Returns the answer of a guard, after logging and counting the refusal. `context` comes from the layer in front, if there is one.
pub(crate) fn refuse_behind<B>(
    context: Option<&AuthContext>,
    rejection: &impl MakeRejection<B>,
    error: AuthError,
) -> Response<B> {
    telemetry::request_refused(&error, None);
    match context {
        Some(context) => respond_as(context.challenge(), rejection, &context.refused_behind(error)),
        None => with_code(rejection.make_rejection(&error), &error),
    }
}

/// Adds the code to every refusal, however the response was made, for outer layers that count or log.
fn with_code<B>(mut response: Response<B>, error: &AuthError) -> Response<B> {
    response.extensions_mut().insert(error.code());
    response
}

impl<B, F> MakeRejection<B> for F
where
    F: Fn(&AuthError) -> Response<B>,
{
    fn make_rejection(&self, error: &AuthError) -> Response<B> {
        self(error)
    }
}
