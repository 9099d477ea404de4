//! [`LimitedBody`]: the request body for the inner service.

use std::{
    error::Error,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use http_body::{Body, Frame, SizeHint};
use http_body_util::{LengthLimitError, Limited};
use pin_project_lite::pin_project;

pin_project! {
    /// A body that cannot be read beyond the caller's limit.
    ///
    /// Reading past it fails with `http_body_util::LengthLimitError`, boxed. Axum's extractors usually answer that with 413; the layer does in any case.
    #[derive(Debug)]
    pub struct LimitedBody<B> {
        #[pin]
        body: Limited<B>,
        excess: Option<Excess>,
    }
}

/// Tells the response whether the body was longer than its limit.
#[derive(Clone, Debug)]
pub(super) struct Excess {
    pub(super) limit: usize,
    is_seen: Arc<AtomicBool>,
}

impl<B> LimitedBody<B> {
    /// Returns a body that cannot be read beyond the limit, and what it reports.
    pub(super) fn new(body: B, limit: Option<usize>) -> (Self, Option<Excess>) {
        let excess = limit.map(|limit| Excess { limit, is_seen: Arc::default() });
        (Self { body: Limited::new(body, limit.unwrap_or(usize::MAX)), excess: excess.clone() }, excess)
    }
}

impl Excess {
    pub(super) fn is_seen(&self) -> bool {
        self.is_seen.load(Ordering::Relaxed)
    }
}

impl<B> Body for LimitedBody<B>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = B::Data;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Self::Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(context));
        if let (Some(Err(error)), Some(excess)) = (&frame, this.excess)
            && error.is::<LengthLimitError>()
        {
            excess.is_seen.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.body.size_hint();
        // `Limited` says "no bytes" where it means "none that may be read". A client that forwards the body would believe that it is empty, and not read it.
        if hint.exact() == Some(0) && !self.body.is_end_stream() { SizeHint::default() } else { hint }
    }
}
