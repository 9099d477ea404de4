//! The seam to the network.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::{Request, Response};

use crate::FetchError;

/// Gets one document over HTTP.
///
/// The default is [`HttpClient`](crate::HttpClient) (feature `reqwest`); implement it to bring a client of your own, or
/// to answer by script in a test. The rules:
///
/// - Send the request as it is, method, URL and HTTP headers, over TLS with certificates checked unless the URL is `http`. (Which
///   URLs may be asked for is decided before: see [`RemoteKeys`](crate::RemoteKeys).)
/// - Do not follow redirects: give the 3xx as it came.
/// - Stop reading after [`MAX_DOCUMENT_LEN`] bytes, with [`FetchError::too_large`].
/// - Ask for no content coding. Or decode it, bound what it decodes to by the same limit, and remove `Content-Encoding`.
/// - What is no HTTP response is a [`FetchError`]; any status is a response. A response that begins and does not end is
///   [`FetchError::cut_short`].
///
/// The future is dropped when the time is up, five seconds after the attempt began. It runs in a task of its own, never in
/// a request's, and there is never more than one at a time for a source.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot fetch documents",
    note = "use `HttpClient` (feature `reqwest`), or implement `Fetch` for a client of your own"
)]
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and gives the response with its whole body.
    fn fetch(&self, request: Request<()>) -> impl Future<Output = Result<Response<Vec<u8>>, FetchError>> + Send;
}

/// The longest document that is read, in bytes: 512 KiB, fifty times what large providers publish.
pub const MAX_DOCUMENT_LEN: usize = 512 * 1024;

impl<T: Fetch> Fetch for Arc<T> {
    fn fetch(&self, request: Request<()>) -> impl Future<Output = Result<Response<Vec<u8>>, FetchError>> + Send {
        (**self).fetch(request)
    }
}

/// A [`Fetch`] whose type is forgotten. Fetches are rare, so a boxed future is no matter.
#[derive(Clone)]
pub(crate) struct SharedFetch(Arc<dyn ErasedFetch>);

type BoxedFetch<'a> = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, FetchError>> + Send + 'a>>;

trait ErasedFetch: fmt::Debug + Send + Sync {
    fn fetch_boxed(&self, request: Request<()>) -> BoxedFetch<'_>;
}

impl<T: Fetch> ErasedFetch for T {
    fn fetch_boxed(&self, request: Request<()>) -> BoxedFetch<'_> {
        Box::pin(self.fetch(request))
    }
}

impl SharedFetch {
    pub(crate) fn new(fetch: impl Fetch) -> Self {
        Self(Arc::new(fetch))
    }

    pub(crate) async fn fetch(&self, request: Request<()>) -> Result<Response<Vec<u8>>, FetchError> {
        self.0.fetch_boxed(request).await
    }
}

impl fmt::Debug for SharedFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
