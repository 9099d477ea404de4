//! The grammar of every credential.

use std::str;

/// Returns the bytes as text, if they are a `token68` (RFC 9110 section 11.2), which RFC 6750 section 2.1 calls `b64token`:
///
/// ```text
/// b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
/// ```
///
/// # Errors
///
/// What is wrong with them, in a sentence that does not quote them.
pub(super) fn text(octets: &[u8]) -> Result<&str, &'static str> {
    const NOT_ONE: &str = "the credential is not a b64token";
    if octets.is_empty() {
        return Err("the credential is empty");
    }
    if !matches(octets) {
        return Err(NOT_ONE);
    }
    str::from_utf8(octets).map_err(|_| NOT_ONE)
}

fn matches(text: &[u8]) -> bool {
    is_compact(text) || is_b64token(text)
}

/// Whether all bytes are those of a compact token, or `/`.
///
/// Every request runs this, so it is written for the vectorizer: without early exit, and with the maximum of numbers instead of booleans.
fn is_compact(text: &[u8]) -> bool {
    text.iter().fold(0, |largest, &byte| strangeness(byte).max(largest)) < LETTERS
}

const LETTERS: u8 = 26;

/// Returns less than [`LETTERS`] for letters (folded to lower case), `-./0123456789` (neighbours in ASCII) and `_`.
fn strangeness(byte: u8) -> u8 {
    const NEIGHBOURS: u8 = 13;
    let letter = (byte | 0x20).wrapping_sub(b'a');
    let neighbour = byte.wrapping_sub(b'-').saturating_add(LETTERS - NEIGHBOURS);
    let underscore = byte.wrapping_sub(b'_').saturating_add(LETTERS - 1);
    letter.min(neighbour).min(underscore)
}

fn is_compact_byte(byte: u8) -> bool {
    strangeness(byte) < LETTERS
}

fn is_b64token(text: &[u8]) -> bool {
    let padding = text.iter().rev().take_while(|&&byte| byte == b'=').count();
    let (body, _) = text.split_at(text.len() - padding);
    !body.is_empty() && body.iter().all(|&byte| is_compact_byte(byte) || matches!(byte, b'~' | b'+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fast_class_is_the_grammar_without_the_rare_characters() {
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || b"-._/".contains(&byte);
            assert_eq!(is_compact_byte(byte), expected, "{byte:#04x}");
        }
    }

    #[test]
    fn every_single_byte_is_told_apart_at_every_place_of_a_block() {
        for byte in 0..=u8::MAX {
            let fits = byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
            for place in [0, 1, 31, 32, 33, 63, 64, 69] {
                let mut text = [b'a'; 70];
                text[place] = byte;
                let expected = fits || (byte == b'=' && place == 69);
                assert_eq!(matches(&text), expected, "{byte:#04x} at {place}");
            }
        }
    }

    #[test]
    fn padding_stands_at_the_end_and_after_something() {
        for (text, fits) in [("a=", true), ("a==", true), ("a~+==", true), ("=", false), ("a=a", false), ("", false)] {
            assert_eq!(super::text(text.as_bytes()).is_ok(), fits, "{text}");
        }
    }
}
