//! Reads a request's body.

use std::error::Error;

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use zeroize::Zeroizing;

/// Why the body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLong,
    BrokenOff,
}

/// Whether the body has this media type, with any parameters, and is not compressed.
pub(super) fn is_of_type(headers: &HeaderMap, media_type: &str) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else { return false };
    let essence = only.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(media_type.as_bytes()) && !headers.contains_key(CONTENT_ENCODING)
}

/// Returns the whole body, if it has no more than `limit` bytes.
pub(super) async fn read<B>(body: B, limit: usize) -> Result<Zeroizing<Vec<u8>>, Unread>
where
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLong);
    }
    match Limited::new(body, limit).collect().await {
        Ok(read) => Ok(Zeroizing::new(read.to_bytes().into())),
        Err(error) if is_about_length(&*error) => Err(Unread::TooLong),
        Err(_) => Err(Unread::BrokenOff),
    }
}

/// Whether the error is about the length: our own error, or that of an outer layer, which axum wraps.
fn is_about_length(error: &(dyn Error + 'static)) -> bool {
    error.is::<LengthLimitError>() || error.source().is_some_and(is_about_length)
}
