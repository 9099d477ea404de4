//! [`Envelope`]: the form of every text that this issuer hands out and reads again.
//!
//! ```text
//! prefix + base64url( version 1 | key id 1 | content | tag 16 )
//! ```
//!
//! The tag is a MAC over everything before it, so that junk is refused before anything is looked up.

use aws_lc_rs::constant_time;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::keys::RefreshKey;

/// The form of one kind of text: refresh tokens, codes, tickets. No two kinds have the same version, nor the same context.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    /// What secret scanners recognise.
    pub(crate) prefix: &'static str,
    /// The version of the format.
    pub(crate) version: u8,
    /// What the MAC is for, so that no other MAC of the same key is one of such a text.
    pub(crate) context: &'static [u8],
    /// How many characters are read, at most.
    pub(crate) most_characters: usize,
}

const HEAD: usize = 2;
const TAG: usize = 16;

impl Envelope {
    /// Writes a content with its MAC.
    pub(crate) fn seal(&self, content: &[u8], key: &RefreshKey) -> Zeroizing<String> {
        let length = HEAD + content.len() + TAG;
        let mut octets = Zeroizing::new(Vec::with_capacity(length));
        octets.extend([self.version, key.id()]);
        octets.extend(content);
        let tag = key.tag(self.context, &octets);
        octets.extend(&tag.as_ref()[..TAG]);
        // It never grows: a copy that is left behind would not be wiped.
        let mut text = Zeroizing::new(String::with_capacity(self.prefix.len() + length.div_ceil(3) * 4));
        text.push_str(self.prefix);
        URL_SAFE_NO_PAD.encode_string(&*octets, &mut text);
        text
    }

    /// Returns the content of a text; `None` if no key that `key` finds by its id has made it. No other spelling of the text is read.
    pub(crate) fn open<'k>(
        &self,
        text: &str,
        key: impl FnOnce(u8) -> Option<&'k RefreshKey>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let encoded = text.strip_prefix(self.prefix).filter(|_| text.len() <= self.most_characters)?;
        // The decoder refuses padding and unused bits that are set.
        let mut octets = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
        let (signed, tag) = octets.split_last_chunk::<TAG>()?;
        let [version, key_id] = *signed.first_chunk::<HEAD>()?;
        if version != self.version {
            return None;
        }
        let expected = key(key_id)?.tag(self.context, signed);
        constant_time::verify_slices_are_equal(&expected.as_ref()[..TAG], tag).ok()?;
        let length = signed.len();
        octets.truncate(length);
        octets.drain(..HEAD);
        Some(octets)
    }
}
