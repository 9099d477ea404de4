//! [`Fetch`]: the HTTP client as a trait.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use http::{Request, Response};

use crate::FetchError;

/// Sends one request over HTTP, mostly to fetch a document.
///
/// The default is [`HttpClient`](crate::HttpClient) (feature `reqwest`). Implement this trait to use your own client, or to script
/// answers in a test. The rules:
///
/// - Send the request unchanged: method, URL, HTTP headers, and the body unless it is empty. Use TLS and check certificates unless the URL is `http`. (The crate has
///   already checked that the URL is allowed: see [`RemoteKeys`](crate::RemoteKeys).)
/// - Do not follow redirects: return the 3xx response.
/// - Stop reading after [`MAX_DOCUMENT_LEN`] bytes, with [`FetchError::too_large`]; after fewer if there is a [`DocumentLimit`] in the request's
///   extensions.
/// - Do not ask for a content coding. Alternatively, decode it, apply the same limit to the decoded document, and remove
///   `Content-Encoding`.
/// - Every HTTP status is a response. Everything else is a [`FetchError`]; a response that breaks off is [`FetchError::cut_short`].
///
/// The future is dropped at the time limit, five seconds after the attempt began. For keys, it runs in its own task, never in that of a
/// request, and a source never runs more than one at a time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot fetch documents",
    note = "use `HttpClient` (feature `reqwest`), or implement `Fetch` for a client of your own"
)]
pub trait Fetch: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and returns the response with its whole body.
    fn fetch(&self, request: Request<Vec<u8>>) -> impl Future<Output = Result<Response<Vec<u8>>, FetchError>> + Send;
}

/// The longest document that is read, in bytes: 512 KiB, fifty times the size of large providers' documents.
pub const MAX_DOCUMENT_LEN: usize = 512 * 1024;

/// How long the document that a request asks for may be, in bytes, if that is less than [`MAX_DOCUMENT_LEN`]. It is in the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentLimit(usize);

impl DocumentLimit {
    /// Returns the limit of this many bytes.
    pub const fn bytes(bytes: usize) -> Self {
        Self(bytes)
    }

    /// Returns how long the answer to a request may be, in bytes.
    pub fn of<T>(request: &Request<T>) -> usize {
        request.extensions().get::<Self>().map_or(MAX_DOCUMENT_LEN, |limit| limit.0.min(MAX_DOCUMENT_LEN))
    }
}

impl<T: Fetch> Fetch for Arc<T> {
    fn fetch(&self, request: Request<Vec<u8>>) -> impl Future<Output = Result<Response<Vec<u8>>, FetchError>> + Send {
        (**self).fetch(request)
    }
}

/// A [`Fetch`] with its type erased. Fetches are rare, so the cost of a boxed future does not matter.
#[derive(Clone)]
pub(crate) struct SharedFetch(Arc<dyn ErasedFetch>);

type BoxedFetch<'a> = Pin<Box<dyn Future<Output = Result<Response<Vec<u8>>, FetchError>> + Send + 'a>>;

trait ErasedFetch: fmt::Debug + Send + Sync {
    fn fetch_boxed(&self, request: Request<Vec<u8>>) -> BoxedFetch<'_>;
}

impl<T: Fetch> ErasedFetch for T {
    fn fetch_boxed(&self, request: Request<Vec<u8>>) -> BoxedFetch<'_> {
        Box::pin(self.fetch(request))
    }
}

impl SharedFetch {
    pub(crate) fn new(fetch: impl Fetch) -> Self {
        Self(Arc::new(fetch))
    }

    #[cfg(all(test, feature = "reqwest"))]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        self.0.fetch_boxed(request).await
    }
}

impl fmt::Debug for SharedFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
