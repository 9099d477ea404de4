//! The MAC of a document: only an instance with the sealing key can have written it.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// The last member of a text. It covers all that stands before it, so that nothing has to be brought into a canonical form.
const BEGIN: &str = ",\"mac\":\"";
const END: &str = "\"}";
/// 32 bytes in Base64.
const ENCODED: usize = 43;

/// The key of the MAC, which follows from a sealing key.
pub(super) struct MacKey(hmac::Key);

impl MacKey {
    pub(super) fn derive(sealing_key: &[u8]) -> Self {
        let from = hmac::Key::new(hmac::HMAC_SHA256, sealing_key);
        let derived = hmac::sign(&from, b"portcullis key ring 1: MAC of documents");
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    /// Returns the text with its MAC, for the ring of this name.
    pub(super) fn append(&self, ring: &str, text: &str) -> String {
        let covered = text.strip_suffix('}').unwrap_or(text);
        let mac = STANDARD_NO_PAD.encode(hmac::sign(&self.0, &message(ring, covered)));
        format!("{covered}{BEGIN}{mac}{END}")
    }

    /// Whether the MAC is that of this text and ring.
    pub(super) fn verifies(&self, ring: &str, (covered, mac): (&str, &str)) -> bool {
        let Ok(mac) = STANDARD_NO_PAD.decode(mac) else { return false };
        hmac::verify(&self.0, &message(ring, covered), &mac).is_ok()
    }
}

/// Splits a text into what its MAC covers, and the MAC; `None` if it has none.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_suffix(END)?;
    let (covered, mac) = text.split_at_checked(text.len().checked_sub(ENCODED)?)?;
    Some((covered.strip_suffix(BEGIN)?, mac))
}

/// The length in front keeps a name and a text apart.
fn message(ring: &str, covered: &str) -> Vec<u8> {
    let length = u64::try_from(ring.len()).unwrap_or(u64::MAX).to_be_bytes();
    [&length, ring.as_bytes(), covered.as_bytes()].concat()
}
