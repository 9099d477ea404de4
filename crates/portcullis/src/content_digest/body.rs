//! [`DigestedBody`]: the request body for the inner service.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};

use crate::read_body::ReadBody;

/// Either a body that was read to its end and checked, or the original body of a request that needs no digest.
#[derive(Debug)]
pub struct DigestedBody<B>(ReadBody<B>);

impl<B> DigestedBody<B> {
    pub(super) fn untouched(body: B) -> Self {
        Self(ReadBody::untouched(body))
    }

    pub(super) fn checked(bytes: Vec<u8>) -> Self {
        Self(ReadBody::read(bytes))
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
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
