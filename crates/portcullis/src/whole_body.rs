//! Reads a request's body to its end.

use std::error::Error;

use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLong,
    BrokenOff,
}

/// Returns the whole body, if it has no more than `limit` bytes. Trailers are dropped.
pub(crate) async fn read<B>(body: B, limit: usize) -> Result<Vec<u8>, Unread>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLong);
    }
    match Limited::new(body, limit).collect().await {
        Ok(read) => Ok(read.to_bytes().into()),
        Err(error) if is_about_length(&*error) => Err(Unread::TooLong),
        Err(_) => Err(Unread::BrokenOff),
    }
}

/// Whether the error is about the length: our own error, or that of an outer layer, which axum wraps.
fn is_about_length(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_about_length)
}
