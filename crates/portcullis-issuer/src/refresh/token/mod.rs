//! [`RefreshToken`]: what a refresh token says.
//!
//! ```text
//! family 16 | generation, a varint | share 16
//! ```
//!
//! That is the content of its [`Envelope`]. The successor of a token has the same
//! family and the same share, and the next generation: it follows from the token and the key alone, so a retry gets the same one.
//! The store has a digest of the share, and neither the share nor a key: a copy of it mints nothing.

use std::fmt;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

use super::{Envelope, FamilyId, keys::RefreshKey};

/// What secret scanners recognise.
pub(super) const PREFIX: &str = "prt_";

/// A token has 75 characters, and some more after very many rotations.
const ENVELOPE: Envelope = Envelope { prefix: PREFIX, version: 1, context: b"portcullis rt 1", most_characters: 128 };

/// The latest generation: stores keep it as a signed number, or as one with 53 bits.
const MOST_GENERATIONS: u64 = 1 << 53;

const SHARE: usize = 16;

/// What a refresh token says. It was made by this issuer, or is about to be.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) family: FamilyId,
    pub(super) generation: u64,
    pub(super) share: Share,
}

/// Random bytes that all tokens of a family have, and that the store does not have.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Share(Zeroizing<[u8; SHARE]>);

/// A digest of a share: what the store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ShareDigest([u8; SHARE]);

impl Share {
    pub(crate) fn new(bytes: [u8; SHARE]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SHARE] {
        &self.0
    }

    pub(crate) fn digest(&self) -> ShareDigest {
        let mut short = [0; SHARE];
        short.copy_from_slice(&digest::digest(&digest::SHA256, &*self.0).as_ref()[..SHARE]);
        ShareDigest(short)
    }
}

impl ShareDigest {
    /// Returns the digest with these bytes, as a store has kept them.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for a store to keep.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl RefreshToken {
    /// Returns the token that follows.
    pub(super) fn successor(&self) -> Self {
        Self { generation: self.generation.saturating_add(1), ..self.clone() }
    }

    /// Writes the token.
    pub(super) fn seal(&self, key: &RefreshKey) -> Zeroizing<String> {
        let mut content = Zeroizing::new(Vec::with_capacity(48));
        content.extend(self.family.as_bytes());
        write_varint(self.generation, &mut content);
        content.extend(*self.share.0);
        ENVELOPE.seal(&content, key)
    }

    /// Reads a token; `None` if this issuer has not made it. No other spelling of a token is read.
    pub(super) fn open<'k>(text: &str, key: impl FnOnce(u8) -> Option<&'k RefreshKey>) -> Option<Self> {
        let content = ENVELOPE.open(text, key)?;
        let (family, rest) = content.split_first_chunk::<16>()?;
        let (generation, share) = read_varint(rest).filter(|(generation, _)| *generation <= MOST_GENERATIONS)?;
        let share: [u8; SHARE] = share.try_into().ok()?;
        Some(Self { family: FamilyId::from_bytes(*family), generation, share: Share::new(share) })
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken").field("generation", &self.generation).finish_non_exhaustive()
    }
}

/// Returns the session of a token, and the id of the key that it was made with; `None` if this issuer has not made it.
#[cfg(feature = "axum")]
pub(crate) fn session_of_token(text: &str, keys: &super::RefreshKeys) -> Option<(FamilyId, u8)> {
    let mut key_id = None;
    let token = RefreshToken::open(text, |id| keys.find(id).inspect(|key| key_id = Some(key.id())))?;
    Some((token.family, key_id?))
}

/// Writes a number in groups of seven bits, the lowest first (LEB128).
fn write_varint(mut number: u64, octets: &mut Vec<u8>) {
    while number >= 0x80 {
        octets.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    octets.push(number.to_le_bytes()[0]);
}

/// Reads a number and what follows it; `None` if it could be written shorter, or does not fit.
fn read_varint(octets: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (at, &octet) in octets.iter().enumerate().take(10) {
        let group = u64::from(octet & 0x7f);
        let shift = u32::try_from(at * 7).ok()?;
        if group != 0 && group.leading_zeros() < shift {
            return None;
        }
        number |= group << shift;
        if octet & 0x80 == 0 {
            let is_shortest = octet != 0 || at == 0;
            return is_shortest.then_some((number, &octets[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests;
