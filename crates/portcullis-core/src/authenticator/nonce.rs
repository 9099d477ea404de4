//! [`Nonce`]: a value that a client has to put into its proof.

use std::{borrow::Cow, fmt};

use base64_simd::URL_SAFE_NO_PAD;

use crate::{ConfigError, config_text::quoted};

/// A value that the server chooses and the client puts into its next proof, so that a proof cannot be made long before it is used (RFC 9449
/// section 8).
///
/// An authenticator sends one by [`AuthError::with_nonce`](crate::AuthError::with_nonce). A
/// [`NonceIssuer`](crate::possession::NonceIssuer) makes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nonce(Cow<'static, str>);

impl Nonce {
    /// Returns the nonce with this text: at least one character, all of them visible ASCII other than `"` and `\` (`NQCHAR` of RFC 6749
    /// appendix A).
    ///
    /// # Errors
    ///
    /// If the text is empty or has any other character.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        let text = text.into();
        let is_allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if !text.is_empty() && text.bytes().all(is_allowed) {
            return Ok(Self(text));
        }
        Err(ConfigError::new(format!(
            "a nonce is {}: use at least one character, and only visible ASCII without quotation marks and backslashes",
            quoted(&text)
        )))
    }

    /// Returns the nonce whose text is base64url of these bytes.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self(Cow::Owned(URL_SAFE_NO_PAD.encode_to_string(bytes)))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_visible_ascii_without_quotes_and_backslashes() {
        for byte in 0..=0x7f_u8 {
            let text = format!("a{}", char::from(byte));
            let is_visible = byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
            assert_eq!(Nonce::new(text).is_ok(), is_visible, "{byte:#04x}");
        }
        for refused in ["", "\u{f6}", "a\r\nSet-Cookie: b"] {
            assert!(Nonce::new(refused).is_err(), "{refused:?}");
        }
    }
}
