//! [`GrpcStatus`]: the answer to a gRPC call.

use http::{HeaderValue, Response, header::CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use portcullis_core::AuthError;

use super::{BearerChallenge, MakeRejection, answer::Answer};

/// Answers in gRPC's format: HTTP 200 with the trailers in the headers, and without a body.
///
/// | case | `grpc-status` |
/// |---|---|
/// | no credential, bad token, login too old or too weak | 16 `UNAUTHENTICATED` |
/// | malformed, or two credentials | 3 `INVALID_ARGUMENT` |
/// | scope or role missing | 7 `PERMISSION_DENIED` |
/// | **we** cannot decide | 14 `UNAVAILABLE` |
/// | the service is misconfigured | 13 `INTERNAL` |
///
/// `grpc-message` is the code, a colon and the description: `token_expired: the token has expired`. The body type's `Default` must be an
/// empty body, as it is for hyper, tonic and axum.
///
/// A layer and the guards behind it answer separately, so set it on both:
///
/// ```
/// use portcullis::{AuthLayer, JwtAuthenticator, RequireLayer, TrustedIssuer};
/// use portcullis::rejection::GrpcStatus;
/// use portcullis::requirement::scope;
/// use tower_layer::Layer;
///
/// # fn main() -> Result<(), portcullis::ConfigError> {
/// # let issuer = TrustedIssuer::new("https://login.example.com", portcullis_test::MockIssuer::new().keys()).audience("orders");
/// let auth = AuthLayer::new(JwtAuthenticator::new(issuer)?).rejection(GrpcStatus::new());
/// let guard = RequireLayer::new(scope("orders:read")).rejection(GrpcStatus::new());
/// # struct OrdersServer;
/// let service = auth.layer(guard.layer(OrdersServer)); // with tonic: Server::builder().layer(auth).layer(guard)
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GrpcStatus;

impl GrpcStatus {
    /// Returns the rejection. It has no settings.
    pub const fn new() -> Self {
        Self
    }
}

impl<B: Default> MakeRejection<B> for GrpcStatus {
    fn make_rejection(&self, error: &AuthError) -> Response<B> {
        let mut response = Response::new(B::default());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert("grpc-status", HeaderValue::from_static(Answer::to(error.kind()).grpc_status));
        headers.insert("grpc-message", message(error));
        response
    }

    /// Adds the nonce for the client's next proof, in the HTTP header of its scheme.
    fn make_inherited_rejection(&self, layer: &BearerChallenge, error: &AuthError) -> Response<B> {
        let mut response = self.make_rejection(error);
        response.headers_mut().extend(layer.nonce_header(error));
        response
    }
}

/// gRPC over HTTP/2, `Status-Message`: everything but `%x20-24 / %x26-7E` is percent-encoded.
const UNSAFE_IN_MESSAGE: &AsciiSet = &CONTROLS.add(b'%');

fn message(error: &AuthError) -> HeaderValue {
    let text = format!("{}: {}", error.code(), error.description());
    let encoded = utf8_percent_encode(&text, UNSAFE_IN_MESSAGE).to_string();
    HeaderValue::try_from(encoded).unwrap_or_else(|_| HeaderValue::from_static("refused"))
}
