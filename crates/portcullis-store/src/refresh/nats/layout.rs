//! [`Layout`]: how the bucket is created, and its keys.

use std::{fmt::Write, time::Duration};

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use portcullis_core::revocation::LogError;
use portcullis_issuer::refresh::FamilyId;

/// How much longer than the longest session a key is kept: clocks may differ by ten minutes, and the key of the index is written before the
/// session's row.
const MARGIN: Duration = Duration::from_secs(20 * 60);

/// The largest subject, in bytes. (The ids of revocations have the same limit.)
pub(super) const LONGEST_SUBJECT: usize = 255;

/// What a bucket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Sessions,
    Records,
}

impl Content {
    /// Returns its name in sentences.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sessions => "sessions",
            Self::Records => "records",
        }
    }
}

/// The name and the settings of the bucket. In NATS, a bucket is a stream with a subject for each key.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) bucket: String,
    pub(super) content: Content,
    pub(super) longest_session: Duration,
    pub(super) replicas: usize,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            bucket: "portcullis_refresh".to_owned(),
            content: Content::Sessions,
            // A day more than a session lasts by default.
            longest_session: Duration::from_secs(31 * 86_400),
            replicas: 1,
        }
    }
}

impl Layout {
    /// Returns the layout of the bucket of records beside this one.
    pub(crate) fn of_records(&self) -> Self {
        Self {
            bucket: format!("{}_records", self.bucket),
            content: Content::Records,
            // They have no common end.
            longest_session: Duration::MAX,
            replicas: self.replicas,
        }
    }

    pub(super) fn with_bucket(self, name: &str) -> Result<Self, LogError> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        if name.is_empty() || !name.chars().all(is_plain) {
            return Err(LogError::misconfigured(
                "the name of a NATS bucket has only letters, digits, underscores and hyphens in it",
            ));
        }
        Ok(Self { bucket: name.to_owned(), ..self })
    }

    /// Returns the name of the bucket's stream.
    pub(super) fn stream(&self) -> String {
        format!("KV_{}", self.bucket)
    }

    /// Returns the subject of all keys.
    pub(crate) fn all_keys(&self) -> String {
        format!("$KV.{}.>", self.bucket)
    }

    /// Returns the subject of a family's row.
    pub(super) fn row(&self, family: FamilyId) -> String {
        format!("$KV.{}.f.{}", self.bucket, family.session_id())
    }

    /// Returns the subject of the key that finds a family by its subject.
    pub(super) fn index(&self, subject: &str, family: FamilyId) -> String {
        format!("{}.{}", self.index_of(subject), family.session_id())
    }

    /// Returns what all these keys of a subject begin with.
    ///
    /// NATS allows few characters in a key, and a subject may have any: its bytes are written in hexadecimal digits. They are preceded by a
    /// letter, because no part of a key may be empty.
    pub(super) fn index_of(&self, subject: &str) -> String {
        let mut key = format!("$KV.{}.s.x", self.bucket);
        for byte in subject.bytes() {
            let _ = write!(key, "{byte:02x}"); // which cannot fail
        }
        key
    }

    /// Returns how long a key has to be kept after it was written.
    pub(super) fn max_age(&self) -> Duration {
        self.longest_session.saturating_add(MARGIN)
    }

    /// Returns how long a new bucket keeps a key; zero is for ever.
    fn configured_age(&self) -> Duration {
        if self.content == Content::Records { Duration::ZERO } else { self.max_age() }
    }

    /// Returns the configuration with which the bucket is created: that of any bucket with one value for each key.
    pub(super) fn config(&self) -> Config {
        Config {
            name: self.stream(),
            description: Some(format!("{} of Portcullis", self.content.name())),
            subjects: vec![self.all_keys()],
            retention: RetentionPolicy::Limits,
            max_age: self.configured_age(),
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: 1,
            max_consumers: -1,
            // If an operator sets a limit, refuse a new session, which the caller notices, and do not forget an old one.
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.replicas,
            // As any bucket has it, for the tools of NATS.
            allow_rollup: true,
            // A replica that lags would answer.
            allow_direct: false,
            ..Config::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_subjects_do_not_mix() {
        let layout = Layout::default();
        let subjects = ["", "a", "ab", "a.b", "*", ">", "a b", "\u{0}", "línea", "61"];
        for subject in subjects {
            let key = layout.index_of(subject);
            let part = key.strip_prefix("$KV.portcullis_refresh.s.").unwrap();
            assert!(!part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric()), "{key}");
            assert_eq!(subjects.iter().filter(|other| layout.index_of(other) == key).count(), 1, "{subject:?}");
        }
        let longest = layout.index(&"x".repeat(LONGEST_SUBJECT), FamilyId::from_bytes([255; 16]));
        assert!(longest.len() < 1024, "a server takes lines of 4096 bytes");
    }

    #[test]
    fn what_is_no_name_of_a_bucket_is_refused() {
        assert_eq!(Layout::default().with_bucket("Sessions_of-2").unwrap().stream(), "KV_Sessions_of-2");
        for odd in ["", "a.b", "a b", "a*", ">", "ä", "a/b"] {
            assert!(Layout::default().with_bucket(odd).is_err(), "{odd}");
        }
    }
}
