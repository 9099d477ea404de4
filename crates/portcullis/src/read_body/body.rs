//! [`ReadBody`]: the body of a request that a layer may have read.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};

/// The body for the inner service: the bytes that the layer has read, or the original body if it has not read it.
///
/// Trailers of a body that was read are dropped.
#[derive(Debug)]
pub struct ReadBody<B>(Content<B>);

#[derive(Debug)]
enum Content<B> {
    Untouched(Pin<Box<B>>),
    /// `None` once the inner service has read them.
    Read(Option<Vec<u8>>),
}

impl<B> ReadBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self(Content::Untouched(Box::pin(body)))
    }

    pub(crate) fn read(bytes: Vec<u8>) -> Self {
        Self(Content::Read((!bytes.is_empty()).then_some(bytes)))
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
        match &mut self.0 {
            Content::Untouched(body) => body.as_mut().poll_frame(context),
            Content::Read(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes.into())))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Untouched(body) => body.is_end_stream(),
            Content::Read(bytes) => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Untouched(body) => body.size_hint(),
            Content::Read(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Vec::len) as u64),
        }
    }
}
