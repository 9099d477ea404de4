//! Headers of tokens that were verified, so that the next token with the same one need not be parsed again.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Header;

/// How many headers are remembered. An issuer uses one per signing key, so this covers a few issuers in the midst of
/// rotation; beyond it, the oldest goes.
const CAPACITY: usize = 8;

/// The headers of verified tokens, by their encoded text.
///
/// Only a header whose signature was right gets in, so nobody from outside can fill it. What comes out is the same as
/// parsing would give: the text is compared in full, and parsing depends on nothing else.
#[derive(Debug, Default)]
pub(crate) struct SeenHeaders {
    entries: ArcSwap<Vec<SeenHeader>>,
}

#[derive(Clone, Debug)]
struct SeenHeader {
    encoded: Box<str>,
    header: Arc<Header>,
}

impl SeenHeaders {
    /// The header of that encoded text, if it was seen.
    pub(crate) fn find(&self, encoded: &str) -> Option<Arc<Header>> {
        let entries = self.entries.load();
        entries.iter().find(|seen| *seen.encoded == *encoded).map(|seen| Arc::clone(&seen.header))
    }

    /// Remembers the header of a token whose signature was right.
    ///
    /// Two writers at once may lose one entry to the other; it then comes in with its next token.
    pub(crate) fn remember(&self, encoded: &str, header: &Arc<Header>) {
        let entries = self.entries.load();
        if entries.iter().any(|seen| *seen.encoded == *encoded) {
            return;
        }
        let keep = entries.len().min(CAPACITY - 1);
        let newest = SeenHeader { encoded: encoded.into(), header: Arc::clone(header) };
        let updated = std::iter::once(newest).chain(entries.iter().take(keep).cloned()).collect();
        self.entries.store(Arc::new(updated));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(id: &str) -> Arc<Header> {
        Arc::new(Header::parse(&format!(r#"{{"alg":"ES256","kid":"{id}"}}"#)).unwrap())
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
    fn the_oldest_goes_first() {
        let seen = SeenHeaders::default();
        for n in 0..=CAPACITY {
            seen.remember(&n.to_string(), &header("k"));
        }
        assert!(seen.find("0").is_none());
        assert!((1..=CAPACITY).all(|n| seen.find(&n.to_string()).is_some()));
    }
}
