//! [`EndpointForm`]: the request to an endpoint, as far as HTTP goes.

use std::error::Error;

use http::{
    HeaderMap, Method, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use zeroize::Zeroizing;

use super::{PeerAddress, answer};
use crate::server::{EndpointRequest, OAuthError, OAuthErrorCode};

/// Why a request is not for an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum Misfit {
    Method,
    Type,
    TooLong,
    Malformed(&'static str),
}

impl Misfit {
    pub(super) fn answer(self) -> Response<String> {
        let (status, why) = match self {
            Self::Method => return answer::method_not_allowed("POST"),
            Self::Type => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "the type of the body has to be application/x-www-form-urlencoded, without a content coding",
            ),
            Self::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 64 KiB"),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, why),
        };
        answer::error_with(status, &OAuthError::new(OAuthErrorCode::InvalidRequest, why))
    }
}

/// The body of a request to an endpoint, its `Authorization` header, and the network that it comes from.
pub(super) struct EndpointForm {
    body: Zeroizing<Vec<u8>>,
    authorization: Option<Zeroizing<String>>,
    network: Option<String>,
}

impl EndpointForm {
    /// Reads a request.
    pub(super) async fn read<B>(request: Request<B>) -> Result<Self, Misfit>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return Err(Misfit::Method);
        }
        if head.uri.query().is_some_and(|query| !query.is_empty()) {
            return Err(Misfit::Malformed(
                "send parameters in the body, and not in the URL, which proxies and logs keep",
            ));
        }
        if !is_form(&head.headers) {
            return Err(Misfit::Type);
        }
        let authorization = authorization(&head.headers)?;
        // Never from a header, which a client can write.
        let network = head.extensions.get::<PeerAddress>().map(|peer| peer.network());
        Ok(Self { body: read(body).await?, authorization, network })
    }

    pub(super) fn request(&self) -> EndpointRequest<'_> {
        let mut request = EndpointRequest::new(&self.body);
        if let Some(value) = &self.authorization {
            request = request.authorization(value);
        }
        if let Some(network) = &self.network {
            request = request.network(network);
        }
        request
    }
}

/// Whether the body is a form, with any parameters of the type, and is not compressed.
fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        && !headers.contains_key(CONTENT_ENCODING)
}

fn authorization(headers: &HeaderMap) -> Result<Option<Zeroizing<String>>, Misfit> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Misfit::Malformed("there are several Authorization headers"));
    }
    let Some(value) = first else { return Ok(None) };
    let text = value.to_str().map_err(|_| Misfit::Malformed("the Authorization header is not ASCII"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// Returns the whole body, if it is not too long.
async fn read<B>(body: B) -> Result<Zeroizing<Vec<u8>>, Misfit>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > EndpointRequest::MOST_BYTES as u64 {
        return Err(Misfit::TooLong);
    }
    match Limited::new(body, EndpointRequest::MOST_BYTES).collect().await {
        Ok(read) => Ok(Zeroizing::new(read.to_bytes().into())),
        Err(error) if is_about_length(&*error) => Err(Misfit::TooLong),
        Err(_) => Err(Misfit::Malformed("the body could not be read to its end")),
    }
}

/// Whether the error is about the length: our own error, or that of an outer layer, which axum wraps.
fn is_about_length(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_about_length)
}
