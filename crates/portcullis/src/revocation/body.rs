//! Reads a request's body.

use std::error::Error;

use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use http_body::Body;
use zeroize::Zeroizing;

use crate::whole_body;
pub(super) use crate::whole_body::Unread;

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
    whole_body::read(body, limit).await.map(Zeroizing::new)
}
