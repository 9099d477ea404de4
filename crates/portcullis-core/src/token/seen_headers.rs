//! [`SeenHeaders`]: headers of verified tokens, so that the next token with the same header need not be parsed again.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::TokenHeader;

/// How many headers are remembered. An issuer uses one per signing key, so this covers many issuers during a rotation. When it is full,
/// it is cleared, so that headers that never come again cost little.
const CAPACITY: usize = 32;

/// The longest encoded header that is remembered. A longer one is unusual, and may differ each time.
const MAX_LEN: usize = 512;

/// The headers of verified tokens, by their encoded text.
///
/// Only a header with a valid signature gets in, so outsiders cannot fill it. The result is the same as that of parsing: the text is
/// compared in full, and parsing depends on nothing else.
#[derive(Debug, Default)]
pub(crate) struct SeenHeaders {
    entries: ArcSwap<Vec<SeenHeader>>,
}

#[derive(Clone, Debug)]
struct SeenHeader {
    encoded: Arc<str>,
    header: Arc<TokenHeader>,
}

impl SeenHeaders {
    /// Returns the header with that encoded text, if it was seen.
    pub(crate) fn find(&self, encoded: &str) -> Option<Arc<TokenHeader>> {
        let entries = self.entries.load();
        entries.iter().find(|seen| *seen.encoded == *encoded).map(|seen| Arc::clone(&seen.header))
    }

    /// Remembers the header of a token with a valid signature.
    ///
    /// If two writers run at once, one entry may be lost; it is then added with its next token.
    pub(crate) fn remember(&self, encoded: &str, header: &Arc<TokenHeader>) {
        let entries = self.entries.load();
        if encoded.len() > MAX_LEN || entries.iter().any(|seen| *seen.encoded == *encoded) {
            return;
        }
        let kept: &[SeenHeader] = if entries.len() < CAPACITY { &entries } else { &[] };
        let newest = SeenHeader { encoded: encoded.into(), header: Arc::clone(header) };
        let updated = std::iter::once(newest).chain(kept.iter().cloned()).collect();
        self.entries.store(Arc::new(updated));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(id: &str) -> Arc<TokenHeader> {
        Arc::new(TokenHeader::parse(&format!(r#"{{"alg":"ES256","kid":"{id}"}}"#)).unwrap())
    }

    #[test]
    fn the_same_text_gives_the_same_header_and_another_none() {
        let seen = SeenHeaders::default();
        seen.remember("one", &header("1"));
        assert_eq!(seen.find("one").unwrap().key_id(), Some("1"));
        assert!(seen.find("onE").is_none());
        assert!(seen.find("one.").is_none());
    }

    #[test]
    fn when_it_is_full_it_begins_anew() {
        let seen = SeenHeaders::default();
        for n in 0..=CAPACITY {
            seen.remember(&n.to_string(), &header("k"));
        }
        assert!((0..CAPACITY).all(|n| seen.find(&n.to_string()).is_none()));
        assert!(seen.find(&CAPACITY.to_string()).is_some());
    }

    #[test]
    fn a_long_header_is_not_remembered() {
        let seen = SeenHeaders::default();
        let (long, longer) = ("h".repeat(MAX_LEN), "h".repeat(MAX_LEN + 1));
        seen.remember(&long, &header("k"));
        seen.remember(&longer, &header("k"));
        assert!(seen.find(&long).is_some() && seen.find(&longer).is_none());
    }
}
