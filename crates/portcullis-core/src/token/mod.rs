//! From text to structure, no trust involved: the three parts, the header, the decoding.

mod base64url;
mod header;
mod seen_headers;
mod signature;
mod unverified;

pub(crate) use base64url::decode_text;
pub(crate) use header::TokenType;
pub use header::Header;
pub(crate) use seen_headers::SeenHeaders;
pub(crate) use signature::Signature;
pub use unverified::UnverifiedToken;
