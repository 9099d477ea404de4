//! [`Keys`]: the keys of records in a bucket.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portcullis_issuer::records::{RecordGroup, RecordKey, RecordKind};

/// The keys in the bucket of this name.
#[derive(Debug)]
pub(super) struct Keys<'a>(pub(super) &'a str);

impl Keys<'_> {
    /// Returns the key of a record.
    ///
    /// NATS allows few characters in a key, and a name may have any: its bytes are written in base64url. (In hexadecimal digits, the longest key
    /// would not fit into a line that a server takes.) They are preceded by a letter, because no part of a key may be empty.
    pub(super) fn of(&self, key: &RecordKey) -> String {
        format!("{}.{}", self.group(key.group()), part(key.id()))
    }

    /// Returns the pattern of the keys of a group.
    pub(super) fn of_group(&self, group: &RecordGroup) -> String {
        format!("{}.*", self.group(group))
    }

    /// Returns the pattern of the keys of a kind.
    pub(super) fn of_kind(&self, kind: RecordKind) -> String {
        format!("$KV.{}.{}.>", self.0, kind.name())
    }

    /// Returns the id in a key.
    pub(super) fn id(key: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(key.rsplit('.').next()?.strip_prefix('x')?).ok()?;
        String::from_utf8(bytes).ok()
    }

    fn group(&self, group: &RecordGroup) -> String {
        format!("$KV.{}.{}.{}", self.0, group.kind().name(), part(group.name()))
    }
}

fn part(name: &str) -> String {
    format!("x{}", BASE64_URL_SAFE_NO_PAD.encode(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_records_do_not_mix() {
        let names = ["", "a", "ab", "a.b", "*", ">", "a b", "línea", "61", "x", "YQ"];
        let mut seen = std::collections::HashSet::new();
        for group in names {
            for id in names {
                let key = Keys("b").of(&RecordKey::new(RecordKind::Client, group, id).unwrap());
                let parts: Vec<_> = key.split('.').collect();
                assert_eq!((parts.len(), parts[..3].join(".")), (5, "$KV.b.client".to_owned()), "{key}");
                let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
                assert!(parts[3..].iter().all(|part| part.starts_with('x') && part.chars().all(is_plain)), "{key}");
                assert_eq!(Keys::id(&key).as_deref(), Some(id));
                assert!(seen.insert(key.clone()), "{key}");
            }
        }
    }

    #[test]
    fn the_longest_key_fits_into_a_line_of_the_protocol() {
        let longest = "x".repeat(RecordGroup::MOST_BYTES);
        let key =
            Keys("portcullis_refresh_records")
                .of(&RecordKey::new(RecordKind::UserOfClient, &*longest, &*longest).unwrap());
        assert!(key.len() < 3000, "a server takes lines of 4096 bytes: {}", key.len());
    }
}
