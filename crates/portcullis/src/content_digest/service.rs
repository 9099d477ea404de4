//! [`ContentDigestService`]: checks bodies.

use std::{
    error::Error,
    future::poll_fn,
    task::{Context, Poll},
};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING},
};
use http_body::Body;
use tower_service::Service;

use super::{ContentDigest, ContentDigestError, ContentDigestErrorKind, ContentDigestLayer, layer::Demand};
use crate::{
    read_body::{ReadBody, ReadBodyFuture},
    rejection::{ServiceCode, status_problem},
    whole_body::{self, Unread},
};

/// The service of [`ContentDigestLayer`].
#[derive(Clone, Debug)]
pub struct ContentDigestService<S> {
    pub(super) inner: S,
    pub(super) layer: ContentDigestLayer,
}

impl<S, B, R> Service<Request<B>> for ContentDigestService<S>
where
    S: Service<Request<ReadBody<B>>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: From<Vec<u8>> + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = ReadBodyFuture<Response<R>, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let check = match self.layer.decide(request.method(), request.headers(), request.body().is_end_stream()) {
            Ok(Check::Nothing) => {
                return ReadBodyFuture::new(self.inner.call(request.map(ReadBody::untouched)));
            }
            Ok(check) => check,
            Err(refusal) => return ReadBodyFuture::new(async move { Ok(refusal.response()) }),
        };
        // The service that was polled is dropped, with anything it reserved, so that a slow body does not block other requests. One clone
        // is polled before it is called here, the other before its own next call.
        let mut inner = self.inner.clone();
        self.inner = inner.clone();
        let limit = self.layer.limit;
        ReadBodyFuture::new(async move {
            match check.read(request, limit).await {
                Ok(request) => {
                    poll_fn(|context| inner.poll_ready(context)).await?;
                    inner.call(request).await
                }
                Err(refusal) => Ok(refusal.response()),
            }
        })
    }
}

/// What has to be checked before a request is passed on.
#[derive(Clone, Copy)]
enum Check {
    Nothing,
    /// The body is empty, although its length is not known yet.
    Empty,
    Digest(ContentDigest),
}

#[derive(Clone, Copy)]
enum Refusal {
    Missing,
    Unusable(ContentDigestError),
    Several,
    Mismatch,
    TooLong(usize),
    Unreadable,
}

impl ContentDigestLayer {
    /// Decides what has to be checked, by the head of the request, and by whether the body is known to be empty.
    fn decide(&self, method: &Method, headers: &HeaderMap, is_empty: bool) -> Result<Check, Refusal> {
        let mut fields = headers.get_all(&CONTENT_DIGEST).iter();
        match (fields.next(), fields.next()) {
            (Some(_), Some(_)) => Err(Refusal::Several),
            (Some(field), None) => {
                // Other characters than visible ASCII are in no dictionary.
                let digest = field.to_str().unwrap_or_default().parse().map_err(Refusal::Unusable)?;
                Ok(Check::Digest(digest))
            }
            _ if self.demand == Demand::IfPresent => Ok(Check::Nothing),
            _ if matches!(*method, Method::POST | Method::PUT | Method::PATCH) => Err(Refusal::Missing),
            _ if is_empty => Ok(Check::Nothing),
            _ => Ok(Check::Empty),
        }
    }
}

impl Check {
    /// Reads the body, and returns the request if the body is the right one.
    async fn read<B>(self, request: Request<B>, limit: usize) -> Result<Request<ReadBody<B>>, Refusal>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (mut parts, body) = request.into_parts();
        let bytes = match self {
            Self::Nothing => return Ok(Request::from_parts(parts, ReadBody::untouched(body))),
            Self::Empty => whole_body::read(body, 0).await.map_err(Refusal::of_body_without_digest)?,
            Self::Digest(digest) => {
                let bytes = whole_body::read(body, limit).await.map_err(|unread| Refusal::unread(unread, limit))?;
                if !digest.matches(&bytes) {
                    return Err(Refusal::Mismatch);
                }
                bytes
            }
        };
        parts.headers.remove(TRANSFER_ENCODING);
        parts.headers.remove(TRAILER);
        parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        Ok(Request::from_parts(parts, ReadBody::read(bytes)))
    }
}

impl Refusal {
    fn unread(unread: Unread, limit: usize) -> Self {
        match unread {
            Unread::TooLong => Self::TooLong(limit),
            Unread::BrokenOff => Self::Unreadable,
        }
    }

    /// Returns the refusal of a body that should have been empty.
    fn of_body_without_digest(unread: Unread) -> Self {
        match unread {
            Unread::TooLong => Self::Missing,
            Unread::BrokenOff => Self::Unreadable,
        }
    }

    fn response<R: From<String>>(self) -> Response<R> {
        let (code, detail) = match self {
            Self::Missing => (
                ServiceCode::ContentDigestMissing,
                "the body has no digest: send `Content-Digest` with `sha-256`".into(),
            ),
            Self::Unusable(error) if error.kind() == ContentDigestErrorKind::Unsupported => {
                (ServiceCode::ContentDigestMissing, error.to_string())
            }
            Self::Unusable(error) => (ServiceCode::ContentDigestMalformed, error.to_string()),
            Self::Several => {
                (ServiceCode::ContentDigestMalformed, "there is more than one `Content-Digest`: send one".into())
            }
            Self::Mismatch => (
                ServiceCode::ContentDigestMismatch,
                "this is not the body for which the digest was made: send it again".into(),
            ),
            Self::TooLong(limit) => (
                ServiceCode::BodyTooLong,
                format!("the body is longer than {limit} bytes, the limit here: send a shorter one"),
            ),
            Self::Unreadable => (ServiceCode::BodyUnreadable, "the body was cut short: send it again".into()),
        };
        let mut response = status_problem(code, &detail, &[]);
        if code == ServiceCode::ContentDigestMissing {
            response.headers_mut().insert(WANT_CONTENT_DIGEST, HeaderValue::from_static("sha-256=10"));
        }
        response.map(R::from)
    }
}

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// RFC 9530 section 4. Ten is the highest preference.
const WANT_CONTENT_DIGEST: HeaderName = HeaderName::from_static("want-content-digest");
