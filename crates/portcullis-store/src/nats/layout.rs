//! [`Layout`]: how the stream is created, and [`Standing`]: its state.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, RetentionPolicy, StorageType};
use portcullis_core::revocation::{LogError, RevocationEntry};

/// How much longer than the horizon a message is kept: an entry's `until` may be later by the entry's margin, and the
/// server's clock may be ahead of ours by ten minutes.
const MARGIN: Duration = RevocationEntry::MARGIN.saturating_add(Duration::from_secs(10 * 60));

/// About how many entries a page has at most. (A message is never split.)
pub(super) const PAGE: usize = 5000;

/// The name and the settings of the stream.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) stream: String,
    pub(super) subject: String,
    pub(super) horizon: Duration,
    pub(super) replicas: usize,
}

/// The state of the log when the server was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Differs between two streams of the same name.
    pub(super) incarnation: u128,
    /// The number of the first message, or of the next one if there is none.
    pub(super) first: u64,
    /// The number of the last message that was ever stored.
    pub(super) last: u64,
    /// The mean size of a stored message, in bytes.
    pub(super) mean_size: u64,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            stream: "PORTCULLIS_REVOCATIONS".to_owned(),
            subject: "portcullis.revocations".to_owned(),
            horizon: crate::DEFAULT_HORIZON,
            replicas: 1,
        }
    }
}

impl Layout {
    pub(super) fn with_stream(self, name: &str) -> Result<Self, LogError> {
        if name.is_empty() || name.contains(is_odd) || name.contains('.') {
            return Err(LogError::misconfigured(
                "the name of a NATS stream has no spaces, dots, slashes or wildcards in it",
            ));
        }
        Ok(Self { stream: name.to_owned(), ..self })
    }

    pub(super) fn with_subject(self, subject: &str) -> Result<Self, LogError> {
        if subject.contains(is_odd) || subject.split('.').any(str::is_empty) {
            return Err(LogError::misconfigured(
                "the NATS subject of the revocations is words with dots between, without spaces or wildcards",
            ));
        }
        Ok(Self { subject: subject.to_owned(), ..self })
    }

    /// Returns the configuration with which the stream is created.
    pub(super) fn config(&self) -> Config {
        let id = u128::from(fastrand::u64(..)) << 64 | u128::from(fastrand::u64(..));
        Config {
            name: self.stream.clone(),
            // Servers before 2.10 have no other place for an id.
            description: Some(format!("revocations of Portcullis; log {id:032x}")),
            subjects: vec![self.subject.clone()],
            retention: RetentionPolicy::Limits,
            max_age: self.max_age(),
            max_messages: -1,
            max_bytes: -1,
            max_messages_per_subject: -1,
            max_consumers: -1,
            // If an operator sets a limit, refuse a new revocation, which the caller notices, and do not forget an old
            // one.
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.replicas,
            ..Config::default()
        }
    }

    /// Returns how long a message is kept.
    pub(super) fn max_age(&self) -> Duration {
        self.horizon.saturating_add(MARGIN)
    }
}

impl Standing {
    pub(super) fn of(info: &Info) -> Self {
        let description = info.config.description.as_deref().unwrap_or_default();
        // A stream that was created by hand has no id. It is identified by the time of its creation alone.
        let id = description.rsplit(' ').next().and_then(|word| u128::from_str_radix(word, 16).ok()).unwrap_or(0);
        let state = &info.state;
        Self {
            // A stream that was created again with the same description is a different one.
            incarnation: id ^ u128::from(nanos(info.created)),
            first: if state.messages == 0 { state.last_sequence.saturating_add(1) } else { state.first_sequence },
            last: state.last_sequence,
            mean_size: state.bytes / state.messages.max(1),
        }
    }
}

/// Identifies a message: its number, and when it was stored in nanoseconds since 1970. The time is zero if the message
/// does not exist: before the first one, or at the end of a stream that has been emptied.
///
/// The number alone does not identify it: a stream that was rolled back uses numbers again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) sequence: u64,
    pub(super) nanos: u64,
}

impl Place {
    /// Returns it in the form that a cursor contains.
    pub(super) fn position(self) -> u128 {
        u128::from(self.nanos) << 64 | u128::from(self.sequence)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    pub(super) fn at(position: u128) -> Self {
        Self { sequence: position as u64, nanos: (position >> 64) as u64 }
    }
}

/// Whether NATS does not allow this character in names.
fn is_odd(letter: char) -> bool {
    letter.is_whitespace() || letter.is_control() || "*>/\\".contains(letter)
}

/// Returns the nanoseconds of an instant since 1970.
///
/// The client has one of two types for an instant, depending on a feature that any other crate in the build can turn
/// on. Both can be converted to `SystemTime`.
pub(super) fn nanos(time: impl Into<SystemTime>) -> u64 {
    let since = time.into().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_a_cursor() {
        let place = Place { sequence: u64::MAX - 1, nanos: u64::MAX - 2 };
        assert_eq!(Place::at(place.position()), place);
        assert_eq!(Place { sequence: 7, nanos: 0 }.position(), 7);
    }
}
