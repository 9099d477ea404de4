//! [`UnverifiedToken`]: a token that was parsed, but is not trusted.

use std::{fmt, sync::Arc};

use memchr::memchr;

use super::{SeenHeaders, TokenHeader, decode_text, signature::with_signature};
use crate::{AuthError, Code, keys::VerifyingKey};

/// The parts of a compact JWS (RFC 7515 section 7.1) and its parsed header.
///
/// It gives no access to claims, which are available only after the signature was verified. `Debug` shows no part of the token.
pub struct UnverifiedToken<'t> {
    text: &'t str,
    /// The positions of the dots instead of the parts, because a token is moved several times while it is verified.
    dots: [u16; 2],
    header: Arc<TokenHeader>,
    header_is_new: bool,
}

impl<'t> UnverifiedToken<'t> {
    /// The longest token that is accepted, in bytes, before any decoding: 16 KiB, unless an authenticator has [another
    /// limit](crate::JwtAuthenticator::max_token_bytes).
    ///
    /// Servers commonly limit all HTTP headers together to 8–32 KiB, so a longer token would not be reliable anyway.
    pub const MAX_LEN: usize = 16 * 1024;

    /// The highest limit that an authenticator can have: 64 KiB.
    pub const HIGHEST_MAX_LEN: usize = 64 * 1024;

    /// Splits `text` into its parts and parses the header.
    ///
    /// # Errors
    ///
    /// - [`Code::TokenTooLong`]: more than [`UnverifiedToken::MAX_LEN`] bytes;
    /// - [`Code::TokenMalformed`]: not three non-empty parts, or the header is not strict base64url;
    /// - [`Code::HeaderMalformed`], [`Code::AlgorithmNotAllowed`], [`Code::ExtensionNotUnderstood`]: see [`TokenHeader`].
    pub fn parse(text: &'t str) -> Result<Self, AuthError> {
        Self::parse_with(text, Self::MAX_LEN, |_| None)
    }

    /// Parses with another limit, and with the headers that were seen before.
    pub(crate) fn parse_seen(text: &'t str, max_len: usize, seen: &SeenHeaders) -> Result<Self, AuthError> {
        Self::parse_with(text, max_len, |encoded| seen.find(encoded))
    }

    fn parse_with(
        text: &'t str,
        max_len: usize,
        seen: impl FnOnce(&str) -> Option<Arc<TokenHeader>>,
    ) -> Result<Self, AuthError> {
        if text.len() > max_len.min(Self::HIGHEST_MAX_LEN) {
            return Err(AuthError::new(Code::TokenTooLong).with_explanation(format!(
                "it has {} bytes, at most {max_len} are looked at (JwtAuthenticator::max_token_bytes)",
                text.len()
            )));
        }
        let (header_text, rest) = split_at_dot(text).ok_or(Code::TokenMalformed)?;
        let (claims_text, signature_text) = split_at_dot(rest).ok_or(Code::TokenMalformed)?;
        // A further dot, as in a five-part JWE, is then in the signature's text.
        let further = split_at_dot(signature_text).is_some();
        if header_text.is_empty() || claims_text.is_empty() || signature_text.is_empty() || further {
            return Err(Code::TokenMalformed.into());
        }
        let dot = |at: usize| u16::try_from(at).map_err(|_| Code::TokenTooLong);
        let dots = [dot(header_text.len())?, dot(header_text.len() + 1 + claims_text.len())?];
        if let Some(header) = seen(header_text) {
            return Ok(Self { text, dots, header, header_is_new: false });
        }
        let header = TokenHeader::parse(&decode_text(header_text, Code::HeaderMalformed)?)?;
        Ok(Self { text, dots, header: Arc::new(header), header_is_new: true })
    }

    /// Returns the header, which is not verified.
    pub fn header(&self) -> &TokenHeader {
        &self.header
    }

    pub(crate) fn header_shared(&self) -> &Arc<TokenHeader> {
        &self.header
    }

    /// Whether the header was parsed just now, instead of found among those seen before.
    pub(crate) fn header_is_new(&self) -> bool {
        self.header_is_new
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    pub(crate) fn header_text(&self) -> &'t str {
        &self.text[..usize::from(self.dots[0])]
    }

    pub(crate) fn claims_text(&self) -> &'t str {
        &self.text[usize::from(self.dots[0]) + 1..usize::from(self.dots[1])]
    }

    /// Whether `key` made the signature, with the header's algorithm.
    ///
    /// Checks only this: the claims are not read, not even whether they are base64url.
    ///
    /// # Errors
    ///
    /// [`Code::TokenMalformed`] if the signature is not strict base64url; [`Code::SignatureInvalid`] if the key did not make it, or if
    /// the key is not bound to the algorithm.
    pub fn check_signature(&self, key: &VerifyingKey) -> Result<(), AuthError> {
        self.find_signer([key]).map(drop)
    }

    /// Returns the first of `keys` that made the signature.
    pub(crate) fn find_signer<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifyingKey>,
    ) -> Result<&'k VerifyingKey, AuthError> {
        let (input, signature_text) = self.text.split_at(usize::from(self.dots[1]));
        let (algorithm, input) = (self.header.algorithm(), input.as_bytes());
        let signer = with_signature(&signature_text[1..], |signature| {
            keys.into_iter().find(|key| key.check_signature(algorithm, input, signature))
        })?;
        signer.ok_or_else(|| Code::SignatureInvalid.into())
    }
}

/// Returns the text before and after the first dot. Not `split_once`, which takes four times as long.
fn split_at_dot(text: &str) -> Option<(&str, &str)> {
    let dot = memchr(b'.', text.as_bytes())?;
    Some((&text[..dot], &text[dot + 1..]))
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<Code> {
        UnverifiedToken::parse(text).err().map(|error| error.code())
    }

    const HEADER: &str = "eyJhbGciOiJFUzI1NiJ9";

    #[test]
    fn three_parts_pass() {
        assert_eq!(code(&format!("{HEADER}.e30.AA")), None);
    }

    #[test]
    fn another_number_of_parts_or_an_empty_one_is_refused() {
        for text in [
            String::new(),
            "..".into(),
            HEADER.into(),
            format!("{HEADER}.e30"),
            format!("{HEADER}.e30."),
            format!("{HEADER}..AA"),
            format!(".{HEADER}.AA"),
            format!(".{HEADER}.e30.AA"),
            format!("{HEADER}.e30.AA.AA"),
            format!("{HEADER}.e30.AA.AA.AA"),
        ] {
            assert_eq!(code(&text), Some(Code::TokenMalformed), "{text}");
        }
    }

    #[test]
    fn the_length_is_bounded_before_anything_is_decoded() {
        let fill = |len: usize| format!("{HEADER}.{}.AA", "A".repeat(len - HEADER.len() - 4));
        assert_eq!(code(&fill(UnverifiedToken::MAX_LEN)), None);
        assert_eq!(code(&fill(UnverifiedToken::MAX_LEN + 1)), Some(Code::TokenTooLong));
    }

    #[test]
    fn debug_shows_no_part_of_the_token() {
        let text = format!("{HEADER}.e30.c2VjcmV0");
        let shown = format!("{:?}", UnverifiedToken::parse(&text).unwrap());
        assert!(!shown.contains("e30") && !shown.contains("c2VjcmV0") && !shown.contains(HEADER));
    }
}
