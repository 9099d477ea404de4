//! Codes: the text, and what is kept of it.
//!
//! ```text
//! pac_ + base64url( version 2 | key id 1 | family 16 | share 16 | tag 16 )     authorization codes
//! pdc_ + base64url( version 3 | key id 1 | family 16 | share 16 | tag 16 )     codes of devices
//! ```
//!
//! A code is the beginning of a session: it has the session's id and share, and redeeming it opens the session. Only one session of an id can
//! be opened, so a code is redeemed once; and as long as the session is known, presenting its code again is noticed, also after the code's
//! life. The tag is a MAC, so that junk is refused before anything is looked up.

mod kept;

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

pub(super) use self::kept::{KeptCode, Mismatch};
use crate::refresh::{FamilyId, RefreshKey, RefreshKeys, Share};

/// A kind of code. The kinds differ in everything, so that one is never read as another, nor as a refresh token.
#[derive(Clone, Copy)]
pub(super) struct Form {
    /// What secret scanners recognise.
    prefix: &'static str,
    /// The version of the format.
    version: u8,
    /// What the MAC is for, so that no other MAC of the same key is one of a code.
    context: &'static [u8],
}

impl Form {
    /// Authorization codes.
    pub(super) const AUTHORIZATION: Self = Self { prefix: "pac_", version: 2, context: b"portcullis ac 2" };
    /// Codes of devices.
    pub(super) const DEVICE: Self = Self { prefix: "pdc_", version: 3, context: b"portcullis dc 3" };
}

const TAG: usize = 16;

/// How many characters of base64url 50 bytes are.
const CHARACTERS: usize = 67;

/// What a code says: the session that it may become.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) session: FamilyId,
    pub(super) share: Share,
}

impl Code {
    /// Writes the code.
    pub(super) fn seal(&self, form: Form, key: &RefreshKey) -> Zeroizing<String> {
        let mut octets = Zeroizing::new(Vec::with_capacity(2 + 16 + 16 + TAG));
        octets.extend([form.version, key.id()]);
        octets.extend(self.session.as_bytes());
        octets.extend(self.share.as_bytes());
        let tag = key.tag(form.context, &octets);
        octets.extend(&tag.as_ref()[..TAG]);
        let mut text = Zeroizing::new(String::with_capacity(80));
        text.push_str(form.prefix);
        URL_SAFE_NO_PAD.encode_string(&*octets, &mut text);
        text
    }

    /// Reads a code; `None` if this issuer has not made it. No other spelling of a code is read.
    pub(super) fn open(form: Form, text: &str, keys: &RefreshKeys) -> Option<Self> {
        let encoded = text.strip_prefix(form.prefix).filter(|encoded| encoded.len() == CHARACTERS)?;
        let octets = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        let (signed, tag) = octets.split_last_chunk::<TAG>()?;
        let (head, rest) = signed.split_first_chunk::<2>()?;
        let [version, key_id] = *head;
        if version != form.version {
            return None;
        }
        let expected = keys.find(key_id)?.tag(form.context, signed);
        constant_time::verify_slices_are_equal(&expected.as_ref()[..TAG], tag).ok()?;
        let (session, share) = rest.split_first_chunk::<16>()?;
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
