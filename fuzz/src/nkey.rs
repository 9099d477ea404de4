//! nkeys: octets as text, and as what the text of a public key and of a seed holds under the right checksum.

use portcullis_nats::nkey::{KeyPair, NkeyErrorKind, PublicKey, Role};

/// What the text of each role begins with, and its number in base32.
const ROLES: [(Role, char, u8); 6] = [
    (Role::Account, 'A', 0),
    (Role::Cluster, 'C', 2),
    (Role::Server, 'N', 13),
    (Role::Operator, 'O', 14),
    (Role::User, 'U', 20),
    (Role::Curve, 'X', 23),
];

const SEED: u8 = 18;

/// What is read is exactly what the oracle reads.
pub fn check(octets: &[u8]) {
    if let Ok(text) = str::from_utf8(octets) {
        check_text(text);
    }
    check_text(&written(octets));
    if let Some((first, key)) = octets.split_first().filter(|(_, key)| key.len() >= 32) {
        for (_, _, number) in ROLES {
            check_text(&written(&[&[number << 3 | (first & 0b111)], &key[..32]].concat()));
            let number = [SEED << 3 | number >> 2, number << 6 | (first & 0b11_1111)];
            check_text(&written(&[&number[..], &key[..32]].concat()));
        }
    }
}

fn check_text(text: &str) {
    let content = content(text);
    let public = content.as_deref().and_then(|content| role_of(content, 33, |content| (content[0], content[0] << 5)));
    match (text.parse::<PublicKey>(), public) {
        (Ok(key), Some((role, letter))) => {
            assert_eq!((key.role(), key.to_string().as_str()), (role, text));
            assert_eq!(key.bytes()[..], content.as_deref().unwrap()[1..], "{text}");
            assert!(text.starts_with(letter), "{text}");
        }
        (Err(error), Some(_)) => assert_eq!(error.kind(), NkeyErrorKind::Weak, "{text}"),
        (read, None) => assert!(read.is_err(), "{text}"),
    }
    let seed = content.as_deref().and_then(|content| {
        let number = |content: &[u8]| (content[0] << 5 | content[1] >> 3, content[1] << 5);
        role_of(content, 34, number).filter(|_| content[0] >> 3 == SEED)
    });
    match (KeyPair::from_seed(text), seed) {
        (Ok(key), Some((role, _))) => {
            assert_eq!((key.role(), key.seed().reveal()), (role, text));
            assert!(!format!("{key:?}").contains(text));
        }
        (Err(_), Some((role, _))) => assert_eq!(role, Role::Curve, "{text}"),
        (read, None) => assert!(read.is_err(), "{text}"),
    }
}

/// The role in front of a key of 32 bytes: its prefix, whose lower three bits are zero, and other bits that are zero.
fn role_of(content: &[u8], len: usize, prefix: fn(&[u8]) -> (u8, u8)) -> Option<(Role, char)> {
    let (prefix, rest) = Some(content).filter(|content| content.len() == len).map(prefix)?;
    let role = ROLES.into_iter().find(|(_, _, number)| number << 3 == prefix && rest == 0)?;
    Some((role.0, role.1))
}

/// What is in front of the checksum, if the text is base32 and the checksum is right.
fn content(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    // No letter too many, and no bit that belongs to nothing.
    if count >= 5 || bits & ((1 << count) - 1) != 0 {
        return None;
    }
    let checksum = bytes.split_off(bytes.len().checked_sub(2)?);
    (checksum == crc(&bytes)).then_some(bytes)
}

fn written(content: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bytes = [content, &crc(content)].concat();
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let letter = |at: usize| LETTERS[(0..5).fold(0, |value, bit_at| value << 1 | usize::from(bit(at * 5 + bit_at)))];
    (0..(bytes.len() * 8).div_ceil(5)).map(|at| char::from(letter(at))).collect()
}

/// CRC-16/XMODEM, bit by bit, in little endian order.
fn crc(bytes: &[u8]) -> [u8; 2] {
    let mut crc = 0_u16;
    for byte in bytes {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
        }
    }
    crc.to_le_bytes()
}
