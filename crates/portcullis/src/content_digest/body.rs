//! [`DigestedBody`]: the request body for the inner service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};

/// Either a body that was read to its end and checked, or the original body of a request that needs no digest.
#[derive(Debug)]
pub struct DigestedBody<B> {
    content: Content<B>,
}

#[derive(Debug)]
enum Content<B> {
    Untouched(Pin<Box<B>>),
    /// `None` once it has been read.
    Checked(Option<Vec<u8>>),
}

impl<B> DigestedBody<B> {
    pub(super) fn untouched(body: B) -> Self {
        Self { content: Content::Untouched(Box::pin(body)) }
    }

    pub(super) fn checked(bytes: Vec<u8>) -> Self {
        Self { content: Content::Checked((!bytes.is_empty()).then_some(bytes)) }
    }
}

impl<B> Body for DigestedBody<B>
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
        match &mut self.content {
            Content::Untouched(body) => body.as_mut().poll_frame(context),
            Content::Checked(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Untouched(body) => body.is_end_stream(),
            Content::Checked(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Untouched(body) => body.size_hint(),
            Content::Checked(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Vec::len) as u64),
        }
    }
}
