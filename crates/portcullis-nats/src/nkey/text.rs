//! The text form of nkeys.

use crc::{CRC_16_XMODEM, Crc, Table};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::{NkeyError, NkeyErrorKind, Role};

/// The length of an Ed25519 key, public or private (RFC 8032 section 5.1.5).
pub(super) const KEY_LEN: usize = 32;

/// The length of the text of a public key.
pub(super) const PUBLIC_LEN: usize = 56;

/// The length of the text of a seed.
pub(super) const SEED_LEN: usize = 58;

/// The upper five bits of the first byte of a seed: the letter `S`.
const SEED_PREFIX: u8 = 18 << 3;

const CHECKSUM_LEN: usize = 2;
static CHECKSUM: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_XMODEM);

/// Returns the role and the key of a public key's text.
pub(super) fn read_public(text: &str) -> Result<(Role, [u8; KEY_LEN]), NkeyError> {
    if text.len() == SEED_LEN && text.starts_with('S') {
        return Err(NkeyErrorKind::Seed.into());
    }
    let bytes = checked::<{ 1 + KEY_LEN + CHECKSUM_LEN }>(text, PUBLIC_LEN)?;
    let Some((prefix, key)) = bytes.split_first() else { return Err(NkeyErrorKind::Length.into()) };
    let role = Role::of_prefix(*prefix).ok_or(NkeyErrorKind::UnknownRole)?;
    Ok((role, <[u8; KEY_LEN]>::try_from(key).map_err(|_| NkeyErrorKind::Length)?))
}

/// Returns the text of a public key.
pub(super) fn write_public(role: Role, key: &[u8; KEY_LEN]) -> [u8; PUBLIC_LEN] {
    let mut bytes = [0; 1 + KEY_LEN + CHECKSUM_LEN];
    bytes[0] = role.prefix();
    bytes[1..=KEY_LEN].copy_from_slice(key);
    write_checksum(&mut bytes);
    let mut text = [0; PUBLIC_LEN];
    BASE32_NOPAD.encode_mut(&bytes, &mut text);
    text
}

/// Returns the role and the private key of a seed.
pub(super) fn read_seed(text: &str) -> Result<(Role, Zeroizing<[u8; KEY_LEN]>), NkeyError> {
    if text.len() == PUBLIC_LEN && !text.starts_with('S') {
        return Err(NkeyErrorKind::NoSeed.into());
    }
    let bytes = checked::<{ 2 + KEY_LEN + CHECKSUM_LEN }>(text, SEED_LEN)?;
    let [first, second, key @ ..] = &bytes[..] else { return Err(NkeyErrorKind::Length.into()) };
    if first & 0b1111_1000 != SEED_PREFIX {
        return Err(NkeyErrorKind::NoSeed.into());
    }
    // The role's byte lies across the two: its upper three bits, then its lower five. Nothing else may be set.
    let role = Role::of_prefix((first & 0b111) << 5 | second >> 3).filter(|_| second.trailing_zeros() >= 3);
    let role = role.ok_or(NkeyErrorKind::UnknownRole)?;
    let mut private = Zeroizing::new([0; KEY_LEN]);
    private.copy_from_slice(key);
    Ok((role, private))
}

/// Returns the text of a seed.
pub(super) fn write_seed(role: Role, private: &[u8; KEY_LEN]) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 2 + KEY_LEN + CHECKSUM_LEN]);
    bytes[0] = SEED_PREFIX | role.prefix() >> 5;
    bytes[1] = role.prefix() << 3;
    bytes[2..2 + KEY_LEN].copy_from_slice(private);
    write_checksum(&mut *bytes);
    Zeroizing::new(BASE32_NOPAD.encode(&*bytes))
}

/// Returns the bytes of a text of this length whose checksum is right, without the checksum.
fn checked<const BYTES: usize>(text: &str, len: usize) -> Result<Zeroizing<Vec<u8>>, NkeyError> {
    if text.len() != len {
        return Err(NkeyErrorKind::Length.into());
    }
    let mut bytes = Zeroizing::new(vec![0; BYTES]);
    // Refuses lower case, padding, white space, and unused bits that are set.
    match BASE32_NOPAD.decode_mut(text.as_bytes(), &mut bytes) {
        Ok(read) if read == BYTES => {}
        _ => return Err(NkeyErrorKind::Encoding.into()),
    }
    let checksum = bytes.split_off(BYTES - CHECKSUM_LEN);
    if checksum != CHECKSUM.checksum(&bytes).to_le_bytes() {
        return Err(NkeyErrorKind::Checksum.into());
    }
    Ok(bytes)
}

fn write_checksum(bytes: &mut [u8]) {
    let (content, checksum) = bytes.split_at_mut(bytes.len() - CHECKSUM_LEN);
    checksum.copy_from_slice(&CHECKSUM.checksum(content).to_le_bytes());
}
