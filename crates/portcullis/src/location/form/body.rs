//! [`FormRequestBody`]: the request body for the inner service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};

/// Either the original body, or a form without its token.
///
/// Trailers of forms are dropped: HTTP/1 clients cannot send them, and no known service reads them.
#[derive(Debug)]
pub struct FormRequestBody<B> {
    content: Content<B>,
}

#[derive(Debug)]
enum Content<B> {
    Untouched(Pin<Box<B>>),
    /// `None` once it has been read.
    Form(Option<Vec<u8>>),
}

impl<B> FormRequestBody<B> {
    pub(super) fn untouched(body: B) -> Self {
        Self { content: Content::Untouched(Box::pin(body)) }
    }

    pub(super) fn form(bytes: Vec<u8>) -> Self {
        Self { content: Content::Form((!bytes.is_empty()).then_some(bytes)) }
    }
}

impl<B> Body for FormRequestBody<B>
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
            Content::Form(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Untouched(body) => body.is_end_stream(),
            Content::Form(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Untouched(body) => body.size_hint(),
            Content::Form(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Vec::len) as u64),
        }
    }
}
