//! Parses a token without trusting it: the three parts, the header, the decoding.

mod base64url;
mod header;
mod seen_headers;
mod signature;
mod unverified;

pub(crate) use base64url::{decode_into, decode_text};
pub use header::TokenHeader;
pub(crate) use header::{TokenType, short_type};
pub(crate) use seen_headers::SeenHeaders;
pub use unverified::UnverifiedToken;
