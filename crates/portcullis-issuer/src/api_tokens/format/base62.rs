//! Base62: digits, upper-case and lower-case letters.

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::StoreError;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Bytes from here on are drawn again: 62 × 4, so that each character is as likely as the others.
const FAIR: u8 = 248;

/// Writes a number with so many characters, as far as it fits.
pub(super) fn write(number: u64, characters: usize, text: &mut String) {
    let start = text.len();
    let mut rest = number;
    for _ in 0..characters {
        let digit = usize::try_from(rest % 62).unwrap_or_default();
        text.insert(start, char::from(ALPHABET[digit]));
        rest /= 62;
    }
}

pub(super) fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Adds so many random characters.
pub(super) fn draw(characters: usize, text: &mut String) -> Result<(), StoreError> {
    let mut bytes = Zeroizing::new([0; 64]);
    fill(characters, text, || {
        aws_lc_rs::rand::fill(&mut *bytes).map_err(|_| StoreError::new("the operating system has no randomness"))?;
        Ok(bytes.to_vec().into())
    })
}

/// Adds so many characters that follow from the key and the seed.
pub(super) fn derive(characters: usize, key: &hmac::Key, seed: &[u8], text: &mut String) -> Result<(), StoreError> {
    let mut round = 0_u32;
    fill(characters, text, || {
        let mut mac = hmac::Context::with_key(key);
        mac.update(&round.to_be_bytes());
        mac.update(seed);
        round += 1;
        Ok(mac.sign().as_ref().to_vec().into())
    })
}

fn fill(
    characters: usize,
    text: &mut String,
    mut next: impl FnMut() -> Result<Zeroizing<Vec<u8>>, StoreError>,
) -> Result<(), StoreError> {
    let end = text.len() + characters;
    while text.len() < end {
        let bytes = next()?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR).take(end - text.len());
        text.extend(fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)])));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_always_the_same_length() {
        for (number, expected) in [(0, "000000"), (61, "00000z"), (62, "000010"), (u64::from(u32::MAX), "4gfFC3")] {
            let mut text = String::from("a_");
            write(number, 6, &mut text);
            assert_eq!(text, format!("a_{expected}"));
        }
    }

    /// 62,000 characters: each is expected a thousand times, with a standard deviation of 31.
    #[test]
    fn each_character_is_drawn_as_often_as_the_others() {
        let mut text = String::new();
        draw(62_000, &mut text).unwrap();
        assert!(is_base62(&text) && text.len() == 62_000);
        for character in ALPHABET {
            let count = text.bytes().filter(|byte| byte == character).count();
            assert!((800..1_200).contains(&count), "{}: {count}", char::from(*character));
        }
    }
}
