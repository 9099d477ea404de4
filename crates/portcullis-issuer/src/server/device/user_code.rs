//! [`UserCode`]: what a device shows, and its user enters on another one.

use std::fmt;

use crate::StoreError;

/// Eight letters, as `BCDF-GHJK`: 20^8 of them, about 2^34. No vowels, so that no words appear, and letters that look alike are rare (RFC 8628
/// section 6.1).
#[derive(Clone, PartialEq, Eq)]
pub(in crate::server) struct UserCode([u8; LETTERS]);

const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
const LETTERS: usize = 8;

/// How long a text may be that a user has entered: with room for what stands between the letters.
const MOST_BYTES: usize = 32;

impl UserCode {
    pub(super) fn generate() -> Result<Self, StoreError> {
        let (mut letters, mut found) = ([0; LETTERS], 0);
        while found < LETTERS {
            let mut octets = [0; 16];
            aws_lc_rs::rand::fill(&mut octets)
                .map_err(|_| StoreError::new("the operating system has no randomness"))?;
            // Those above are left out, so that all letters are equally likely.
            for octet in octets.into_iter().filter(|octet| *octet < 240).take(LETTERS - found) {
                letters[found] = ALPHABET[usize::from(octet) % ALPHABET.len()];
                found += 1;
            }
        }
        Ok(Self(letters))
    }

    /// Reads what a user has entered: in any case, and with anything that is no letter between the letters. `None` if it is no code.
    pub(in crate::server) fn parse(text: &str) -> Option<Self> {
        let text = Some(text).filter(|text| text.len() <= MOST_BYTES && text.is_ascii())?;
        let letters: Vec<u8> =
            text.bytes().filter(u8::is_ascii_alphanumeric).map(|at| at.to_ascii_uppercase()).collect();
        let is_code = letters.iter().all(|letter| ALPHABET.contains(letter));
        letters.try_into().ok().filter(|_| is_code).map(Self)
    }

    /// Returns the letters, as the key of a record.
    pub(in crate::server) fn letters(&self) -> String {
        self.0.iter().copied().map(char::from).collect()
    }
}

/// Writes it as the device shows it.
impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = self.letters();
        let (first, second) = letters.split_at(LETTERS / 2);
        write!(f, "{first}-{second}")
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode")
    }
}

#[cfg(test)]
mod tests {
    use super::UserCode;

    #[test]
    fn a_code_is_read_in_any_case_and_with_anything_between() {
        let code = UserCode(*b"BCDFGHJK");
        assert_eq!(code.to_string(), "BCDF-GHJK");
        for text in ["BCDF-GHJK", "bcdfghjk", " bcdf ghjk ", "B.C.D.F.G.H.J.K"] {
            assert!(UserCode::parse(text).is_some_and(|read| read == code), "{text}");
        }
        for text in ["", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "1CDF-GHJK", "BCDF-GHJ\u{212a}", &"B-".repeat(40)] {
            assert!(UserCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn all_letters_occur() {
        let all: String = (0..100).filter_map(|_| UserCode::generate().ok()).map(|code| code.letters()).collect();
        assert_eq!(all.len(), 800);
        for letter in super::ALPHABET {
            assert!(all.contains(char::from(*letter)), "{letter}");
        }
    }
}
