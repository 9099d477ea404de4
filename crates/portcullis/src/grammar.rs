//! The `token` of RFC 9110: names of schemes, HTTP headers, cookies and subprotocols.

use portcullis_core::ConfigError;

/// Checks a name from a configuration. `what` says in the error what it is the name of.
pub(crate) fn check_token(what: &str, text: &str) -> Result<(), ConfigError> {
    if !text.is_empty() && text.bytes().all(is_token_byte) {
        return Ok(());
    }
    Err(ConfigError::new(format!("{what} is {text:?}: use letters, digits, `-`, `_` and `.` only")))
}

/// `tchar` of RFC 9110 section 5.6.2.
#[inline]
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}
