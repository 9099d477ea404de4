//! Codes: the text, and what is kept of it.
//!
//! ```text
//! family 16 | share 16
//! ```
//!
//! That is the content of its [`Envelope`]. A code is the beginning of a session: it has the session's id and share, and redeeming it opens the
//! session. Only one session of an id can be opened, so a code is redeemed once; and as long as the session is known, presenting its code again is noticed, also after the code's
//! life.

mod kept;

use aws_lc_rs::digest;
use zeroize::Zeroizing;

pub(super) use self::kept::{KeptCode, Mismatch, code_key};
use crate::refresh::{Envelope, FamilyId, RefreshKey, RefreshKeys, Share};

/// A kind of code. The kinds differ in everything, so that one is never read as another, nor as a refresh token.
#[derive(Clone, Copy)]
pub(super) struct CodeKind(Envelope);

impl CodeKind {
    /// Authorization codes.
    pub(super) const AUTHORIZATION: Self =
        Self(Envelope { prefix: "pac_", version: 2, context: b"portcullis ac 2", most_characters: CHARACTERS });
    /// Codes of devices.
    pub(super) const DEVICE: Self =
        Self(Envelope { prefix: "pdc_", version: 3, context: b"portcullis dc 3", most_characters: CHARACTERS });
}

/// How many characters the prefix and 50 bytes have.
const CHARACTERS: usize = 4 + 67;

/// What a code says: the session that it may become.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) session: FamilyId,
    pub(super) share: Share,
}

impl Code {
    /// Writes the code.
    pub(super) fn seal(&self, kind: CodeKind, key: &RefreshKey) -> Zeroizing<String> {
        let mut content = Zeroizing::new(Vec::with_capacity(32));
        content.extend(self.session.as_bytes());
        content.extend(self.share.as_bytes());
        kind.0.seal(&content, key)
    }

    /// Reads a code; `None` if this issuer has not made it. No other spelling of a code is read.
    pub(super) fn open(kind: CodeKind, text: &str, keys: &RefreshKeys) -> Option<Self> {
        let content = kind.0.open(text, |id| keys.find(id))?;
        let (session, share) = content.split_first_chunk::<16>()?;
        let share: [u8; 16] = share.try_into().ok()?;
        Some(Self { session: FamilyId::from_bytes(*session), share: Share::new(share) })
    }
}

/// What the share of a session is made for.
const SHARE: &[u8] = b"portcullis share of a code";

impl Code {
    /// Returns the share of the session that the code becomes: from the code's own, which has stood in URLs, and the verifier, which has not.
    pub(super) fn share_with(&self, verifier: &str) -> Share {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(SHARE);
        context.update(self.share.as_bytes());
        context.update(verifier.as_bytes());
        let mut share = [0; 16];
        share.copy_from_slice(&context.finish().as_ref()[..16]);
        Share::new(share)
    }
}

#[cfg(test)]
mod tests;
