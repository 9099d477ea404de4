//! The text of a token: made, and recognised again.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use portcullis_core::Code;
use zeroize::Zeroizing;

use super::{ApiTokenFormat, base62};
use crate::{
    StoreError,
    api_tokens::{ApiTokenDigest, ApiTokenId, ApiTokenKind, ApiTokenSecret, PepperId, Peppers, peppers::Pepper},
};

const SECRET: usize = 27;
const TAG: usize = 7;
const CHECKSUM: usize = 6;

/// What the text of a token says, after its checksum and its tag were found to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api_tokens) struct Recognised {
    pub(in crate::api_tokens) kind: ApiTokenKind,
    pub(in crate::api_tokens) pepper: PepperId,
    pub(in crate::api_tokens) digest: ApiTokenDigest,
}

/// Why a text is not a token of this issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api_tokens) enum Unrecognised {
    /// Its form, or its checksum.
    Form,
    /// Its pepper is not in use here.
    Pepper,
    /// Its tag: another made it.
    Tag,
}

impl Unrecognised {
    pub(in crate::api_tokens) const fn code(self) -> Code {
        match self {
            Self::Form => Code::TokenMalformed,
            Self::Pepper => Code::KeyUnknown,
            Self::Tag => Code::SignatureInvalid,
        }
    }
}

/// From what the text of a successor follows.
#[derive(Clone, Copy)]
pub(in crate::api_tokens) struct RotationSeed<'a> {
    pub(in crate::api_tokens) predecessor: ApiTokenId,
    pub(in crate::api_tokens) request: &'a [u8],
}

impl RotationSeed<'_> {
    fn octets(&self) -> Zeroizing<Vec<u8>> {
        let mut octets = Zeroizing::new(self.predecessor.as_bytes().to_vec());
        octets.extend(self.request);
        octets
    }
}

impl ApiTokenFormat {
    /// Returns a new random token of this kind.
    pub(in crate::api_tokens) fn draw(
        &self,
        kind: ApiTokenKind,
        pepper: &Pepper,
    ) -> Result<ApiTokenSecret, StoreError> {
        let mut text = self.begin(kind, pepper);
        base62::draw(SECRET, &mut text)?;
        Ok(Self::complete(text, pepper))
    }

    /// Returns the token that takes the place of another by this request: always the same.
    pub(in crate::api_tokens) fn derive(
        &self,
        kind: ApiTokenKind,
        pepper: &Pepper,
        seed: RotationSeed<'_>,
    ) -> Result<ApiTokenSecret, StoreError> {
        let mut text = self.begin(kind, pepper);
        base62::derive(SECRET, pepper.rotation_key(), &seed.octets(), &mut text)?;
        Ok(Self::complete(text, pepper))
    }

    fn begin(&self, kind: ApiTokenKind, pepper: &Pepper) -> Zeroizing<String> {
        // All of it at once: a text that grows leaves its beginning in memory.
        let mut text = Zeroizing::new(String::with_capacity(self.token_len()));
        text.push_str(&self.beginning_of(kind));
        text.push(pepper.id().as_char());
        text
    }

    fn complete(mut text: Zeroizing<String>, pepper: &Pepper) -> ApiTokenSecret {
        let tag = pepper.tag(&text);
        base62::write(tag, TAG, &mut text);
        let checksum = crc32fast::hash(text.as_bytes());
        base62::write(checksum.into(), CHECKSUM, &mut text);
        ApiTokenSecret::new(text)
    }

    /// Reads a text, and checks its form, its checksum and its tag. This asks no store, so junk costs nothing else.
    pub(in crate::api_tokens) fn recognise(&self, text: &str, peppers: &Peppers) -> Result<Recognised, Unrecognised> {
        let (kind, pepper) = self.read(text).ok_or(Unrecognised::Form)?;
        let pepper = peppers.find(pepper).ok_or(Unrecognised::Pepper)?;
        let (tagged, tag) = text[..text.len() - CHECKSUM].split_at(text.len() - CHECKSUM - TAG);
        let mut expected = Zeroizing::new(String::with_capacity(TAG));
        base62::write(pepper.tag(tagged), TAG, &mut expected);
        // In constant time, or the tag could be guessed character by character.
        verify_slices_are_equal(expected.as_bytes(), tag.as_bytes()).map_err(|_| Unrecognised::Tag)?;
        Ok(Recognised { kind, pepper: pepper.id(), digest: pepper.digest(text) })
    }

    /// Whether form and checksum are right.
    pub(super) fn has_form(&self, text: &str) -> bool {
        self.read(text).is_some()
    }

    /// Returns the kind and the pepper if form and checksum are right.
    fn read(&self, text: &str) -> Option<(ApiTokenKind, PepperId)> {
        if text.len() != self.token_len() || !text.is_ascii() {
            return None;
        }
        let rest = text.strip_prefix(self.prefix())?.strip_prefix('_')?;
        let (kind, body) = rest.split_once('_')?;
        let kind = ApiTokenKind::ALL.into_iter().find(|known| kind.chars().eq([known.letter()]))?;
        let pepper = PepperId::new(body.chars().next()?)?;
        let (summed, checksum) = text.split_at(text.len() - CHECKSUM);
        let mut expected = String::with_capacity(CHECKSUM);
        base62::write(crc32fast::hash(summed.as_bytes()).into(), CHECKSUM, &mut expected);
        (base62::is_base62(body) && expected == checksum).then_some((kind, pepper))
    }
}

#[cfg(test)]
mod tests;
