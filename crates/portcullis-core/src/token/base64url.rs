//! base64url as RFC 7515 section 2 defines it: no padding, no white space, no other alphabet, no stray bits.

use std::mem::MaybeUninit;

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

use crate::{AuthError, Code};

/// Decodes to UTF-8 text in its own allocation. If the text is not valid, the error has the given code.
///
/// The decoder itself is strict. Each value has only one text, because a second spelling of the same token would defeat caches and
/// denylists (RFC 4648 section 3.5).
pub(crate) fn decode_text(encoded: &str, otherwise: Code) -> Result<String, AuthError> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(encoded).map_err(|_| AuthError::new(Code::TokenMalformed))?;
    String::from_utf8(bytes).map_err(|_| AuthError::new(otherwise).with_explanation("not UTF-8"))
}

/// Decodes into `buffer`; returns `None` if the text is not strict base64url or its value does not fit.
pub(crate) fn decode_into<'b>(encoded: &str, buffer: &'b mut [MaybeUninit<u8>]) -> Option<&'b [u8]> {
    let len = URL_SAFE_NO_PAD.decoded_length(encoded.as_bytes()).ok()?;
    let buffer = buffer.get_mut(..len)?;
    let decoded = URL_SAFE_NO_PAD.decode(encoded.as_bytes(), buffer.as_out()).ok()?;
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_spelling_is_accepted_and_every_other_refused() {
        let mut buffer = [MaybeUninit::uninit(); 64];
        assert_eq!(decode_into("YQ", &mut buffer).unwrap(), b"a");
        assert_eq!(decode_into("-_-_", &mut buffer).unwrap(), [0xfb, 0xff, 0xbf]);
        for text in ["YQ==", "YR", "YQ\n", " YQ", "Y", "+/+/", "Y%51", "YQ.", "Ỳ"] {
            assert!(decode_into(text, &mut buffer).is_none(), "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let mut buffer = [MaybeUninit::uninit(); 2];
        assert!(decode_into("YWJj", &mut buffer).is_none());
        assert!(decode_into("YWI", &mut buffer).is_some());
    }
}
