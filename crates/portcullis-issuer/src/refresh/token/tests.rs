use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::refresh::RefreshKeys;

fn keys() -> RefreshKeys {
    RefreshKeys::new(7, [1; 32]).unwrap()
}

fn token(generation: u64) -> RefreshToken {
    RefreshToken { family: FamilyId::from_bytes([2; 16]), generation, share: Share::new([3; 16]) }
}

fn seal(token: &RefreshToken) -> Zeroizing<String> {
    token.seal(keys().current())
}

fn open(text: &str) -> Option<RefreshToken> {
    let keys = keys();
    RefreshToken::open(text, |id| keys.find(id))
}

#[test]
fn a_token_is_read_as_it_was_written() {
    for generation in [0, 1, 127, 128, 300, 16_383, 16_384, u64::from(u32::MAX), MOST_GENERATIONS] {
        let text = seal(&token(generation));
        assert!(text.len() <= 88 && text.starts_with("prt_"), "{generation}");
        assert_eq!(open(&text), Some(token(generation)));
    }
    assert_eq!(seal(&token(0)).len(), 75 - 3);
}

#[test]
fn a_generation_that_no_store_can_keep_is_refused() {
    assert!(open(&seal(&token(MOST_GENERATIONS))).is_some());
    assert_eq!(open(&seal(&token(MOST_GENERATIONS + 1))), None);
    assert_eq!(open(&seal(&token(u64::MAX))), None);
}

#[test]
fn the_successor_is_the_same_whoever_makes_it() {
    let (one, other) = (open(&seal(&token(4))).unwrap(), token(4));
    assert_eq!(*seal(&one.successor()), *seal(&other.successor()));
    assert_ne!(*seal(&one.successor()), *seal(&one));
}

#[test]
fn every_changed_bit_and_every_other_spelling_is_refused() {
    let text = seal(&token(300));
    let octets = URL_SAFE_NO_PAD.decode(&text[4..]).unwrap();
    for bit in 0..octets.len() * 8 {
        let mut changed = octets.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(open(&format!("prt_{}", URL_SAFE_NO_PAD.encode(&changed))), None, "bit {bit}");
    }
    for other in [
        format!("{}=", *text),
        format!(" {}", *text),
        text.replacen("prt_", "PRT_", 1),
        text[4..].to_owned(),
        text[..text.len() - 1].to_owned(),
        format!("{}A", *text),
        String::new(),
        "prt_".to_owned(),
        format!("prt_{}", "A".repeat(10_000)),
    ] {
        assert_eq!(open(&other), None, "{other}");
    }
}

#[test]
fn a_token_of_an_unknown_or_of_another_key_is_refused() {
    let other = RefreshKeys::new(7, [9; 32]).unwrap();
    assert!(RefreshToken::open(&token(1).seal(other.current()), |id| other.find(id)).is_some());
    assert_eq!(open(&token(1).seal(other.current())), None, "another key of the same id");
    let unknown = RefreshKeys::new(8, [1; 32]).unwrap();
    assert_eq!(open(&token(1).seal(unknown.current())), None);
}

#[test]
fn a_number_has_one_spelling() {
    let read = |octets: &[u8]| read_varint(octets).map(|(number, rest)| (number, rest.len()));
    assert_eq!(read(&[0, 9]), Some((0, 1)));
    assert_eq!(read(&[0x80, 0x01, 9]), Some((128, 1)));
    assert_eq!(read(&[0x80, 0x00]), None, "128 in two octets is 0x80 0x01");
    assert_eq!(read(&[0x80]), None, "it is cut off");
    let most: Vec<u8> = [[0xff; 9].as_slice(), &[0x01]].concat();
    assert_eq!(read(&most), Some((u64::MAX, 0)));
    let too_large: Vec<u8> = [[0xff; 9].as_slice(), &[0x02]].concat();
    assert_eq!(read(&too_large), None);
    assert_eq!(read(&[0xff; 11]), None);
}
