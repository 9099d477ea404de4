//! [`FormRequestBody`]: the request body for the inner service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};

use crate::read_body::ReadBody;

/// Either the original body, or a form without its token.
///
/// Trailers of forms are dropped: HTTP/1 clients cannot send them, and no known service reads them.
#[derive(Debug)]
pub struct FormRequestBody<B>(ReadBody<B>);

impl<B> FormRequestBody<B> {
    pub(super) fn untouched(body: B) -> Self {
        Self(ReadBody::untouched(body))
    }

    pub(super) fn form(bytes: Vec<u8>) -> Self {
        Self(ReadBody::read(bytes))
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
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
