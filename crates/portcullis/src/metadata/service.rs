//! [`ResourceMetadataService`]: serves the document.

use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
    marker::PhantomData,
    task::{Context, Poll},
};

use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
};
use tower_service::Service;

use super::ResourceMetadata;

/// Answers `GET` and `HEAD` with the document, other methods with 405. Made by [`ResourceMetadata::service`].
///
/// It ignores the path; mount it at [`ResourceMetadata::path`]. Caches may keep the document for an hour: it changes only with
/// deployments, and a client with an outdated copy is refused once more and fetches it again.
pub struct ResourceMetadataService<B = String> {
    metadata: ResourceMetadata,
    body: PhantomData<fn() -> B>,
}

impl<B: From<String>> ResourceMetadataService<B> {
    pub(super) fn new(metadata: ResourceMetadata) -> Self {
        Self { metadata, body: PhantomData }
    }

    fn respond(&self, method: &Method) -> Response<B> {
        let json = self.metadata.json();
        let length = HeaderValue::from(json.len());
        let mut response = match *method {
            Method::GET => Response::new(B::from(json.to_owned())),
            Method::HEAD => Response::new(B::from(String::new())),
            _ => return method_not_allowed(),
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_LENGTH, length);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
        response
    }
}

impl<B, R> Service<Request<R>> for ResourceMetadataService<B>
where
    B: From<String>,
{
    type Response = Response<B>;
    type Error = Infallible;
    type Future = Ready<Result<Response<B>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<R>) -> Self::Future {
        ready(Ok(self.respond(request.method())))
    }
}

/// Not derived, because that would require `B: Clone`.
impl<B> Clone for ResourceMetadataService<B> {
    fn clone(&self) -> Self {
        Self { metadata: self.metadata.clone(), body: PhantomData }
    }
}

impl<B> fmt::Debug for ResourceMetadataService<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResourceMetadataService").field("metadata", &self.metadata).finish()
    }
}

fn method_not_allowed<B: From<String>>() -> Response<B> {
    let mut response = Response::new(B::from(String::new()));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
