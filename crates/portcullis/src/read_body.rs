//! [`ReadBody`]: the body of a request that a layer may have read.

use std::{
    error::Error,
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use http_body_util::LengthLimitError;

/// Either the bytes that a layer has read, or the original body.
#[derive(Debug)]
pub(crate) enum ReadBody<B> {
    Untouched(Pin<Box<B>>),
    /// `None` once the inner service has read them.
    Read(Option<Vec<u8>>),
}

impl<B> ReadBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self::Untouched(Box::pin(body))
    }

    pub(crate) fn read(bytes: Vec<u8>) -> Self {
        Self::Read((!bytes.is_empty()).then_some(bytes))
    }
}

impl<B> Body for ReadBody<B>
where
    B: Body,
    B::Data: From<Vec<u8>>,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        match &mut *self {
            Self::Untouched(body) => body.as_mut().poll_frame(context),
            Self::Read(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Untouched(body) => body.is_end_stream(),
            Self::Read(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Untouched(body) => body.size_hint(),
            Self::Read(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Vec::len) as u64),
        }
    }
}

/// Whether an error of a body is about its length: our own error, or that of an outer layer, which axum wraps.
pub(crate) fn is_about_length(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_about_length)
}
