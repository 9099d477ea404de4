//! The stream as it has to be, and as it is.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType};
use portcullis_core::revocation::{LogError, RevocationEntry};

/// For how much longer than the horizon a message stays: for that by which an entry's `until` may lie behind it, and for the ten minutes by
/// which the server's clock may be ahead of ours.
const MARGIN: Duration = RevocationEntry::MARGIN.saturating_add(Duration::from_secs(10 * 60));

/// The least size of a message that must be allowed: one entry is at most about 4 kB (three ids of 255 bytes, each of which may take six
/// as JSON).
const LEAST_SIZE: usize = 8 * 1024;

/// What somebody has set.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) stream: String,
    pub(super) subject: String,
    pub(super) horizon: Duration,
    pub(super) replicas: usize,
}

/// How the log stood when the server was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Differs between a stream and another one of the same name.
    pub(super) incarnation: u128,
    /// The first message that is there, or would be there next.
    pub(super) first: u64,
    /// The last message that ever was.
    pub(super) last: u64,
    /// Bytes of a message, as it is stored.
    pub(super) mean_size: u64,
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), LogError> {
        let is_odd = |letter: char| letter.is_whitespace() || letter.is_control() || "*>/\\".contains(letter);
        if self.stream.is_empty() || self.stream.contains(is_odd) || self.stream.contains('.') {
            return Err(LogError::misconfigured(
                "the name of a NATS stream has no spaces, dots, slashes or wildcards in it",
            ));
        }
        if self.subject.contains(is_odd) || self.subject.split('.').any(str::is_empty) {
            return Err(LogError::misconfigured(
                "the NATS subject of the revocations is words with dots between, without spaces or wildcards",
            ));
        }
        Ok(())
    }

    /// The stream as it is created.
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
            // Should somebody set a limit: rather refuse a revocation, which is heard, than forget another.
            discard: DiscardPolicy::New,
            storage: StorageType::File,
            num_replicas: self.replicas,
            ..Config::default()
        }
    }

    fn max_age(&self) -> Duration {
        self.horizon.saturating_add(MARGIN)
    }

    /// Refuses a stream that forgets entries before their time, or is not ours. `version` is the server's.
    pub(super) fn accepts(&self, info: &Info, version: &str) -> Result<(), LogError> {
        let Config { name, max_age, subjects, .. } = &info.config;
        let edit = |what: String| Err(LogError::misconfigured(format!("the NATS stream {name} {what}")));
        if *max_age > Duration::ZERO && *max_age < self.max_age() {
            let (is, must) = (max_age.as_secs(), self.max_age().as_secs());
            return edit(format!(
                "forgets after {is} s, and revocations have to be remembered for {must} s: `nats stream edit {name} --max-age={must}s`, or \
                 lower the horizon"
            ));
        }
        if *subjects != [self.subject.as_str()] {
            return edit(format!(
                "is not of the subject {} alone: `nats stream edit {name} --subjects={}`, or set another stream",
                self.subject, self.subject
            ));
        }
        if info.config.retention != RetentionPolicy::Limits {
            return edit(
                "does not keep what was read: it needs the retention policy `limits`, which only a new stream can get"
                    .into(),
            );
        }
        if let Some(limit) = forgetful_limit(&info.config, version) {
            return edit(format!("forgets revocations by its limit {limit}: `nats stream edit {name} --{limit}=-1`"));
        }
        if info.config.no_ack || info.config.sealed || info.config.mirror.is_some() {
            return edit(
                "is a mirror, sealed, or without acknowledgements: revocations cannot be written there".into(),
            );
        }
        Ok(())
    }
}

impl Standing {
    pub(super) fn of(info: &Info) -> Self {
        let description = info.config.description.as_deref().unwrap_or_default();
        // A stream that somebody made by hand has no id: then it is the instant of its creation alone.
        let id = description.rsplit(' ').next().and_then(|word| u128::from_str_radix(word, 16).ok()).unwrap_or(0);
        let state = &info.state;
        Self {
            // A stream that was made anew with the same description is another one, too.
            incarnation: id ^ u128::from(nanos(info.created)),
            first: if state.messages == 0 { state.last_sequence.saturating_add(1) } else { state.first_sequence },
            last: state.last_sequence,
            mean_size: state.bytes / state.messages.max(1),
        }
    }
}

/// What an operator should know about how durable the stream is. `version` is the server's.
pub(super) fn warnings(info: &Info, version: &str) -> Vec<String> {
    let Config { name, storage, num_replicas, persist_mode, .. } = &info.config;
    let mut warnings = Vec::new();
    if *storage == StorageType::Memory {
        warnings.push(format!(
            "the NATS stream {name} is in memory: a restart of the server loses every revocation; make it anew with file storage"
        ));
    } else if *persist_mode == Some(PersistenceMode::Async) {
        warnings.push(format!(
            "the NATS stream {name} acknowledges before it writes (persist_mode async): `kill -9` of the server loses revocations; \
             make it anew with the default mode"
        ));
    } else if *num_replicas <= 1 {
        warnings.push(format!(
            "the NATS stream {name} has one replica: its server's disk is the only one that has the revocations; a cluster can keep three"
        ));
    }
    if *storage == StorageType::File {
        let remedy = if is_before_2_10(version) {
            "only servers from 2.10 on can do better (sync_interval: always)"
        } else {
            "unless it has `sync_interval: always` in its jetstream block"
        };
        warnings.push(format!(
            "the NATS server flushes to its disk every two minutes, so that a power failure may lose acknowledged revocations, {remedy}"
        ));
    }
    warnings
}

/// The nanoseconds of an instant since 1970.
///
/// By way of `SystemTime`, which both of the types that the client may have for an instant can become: which one it is, a feature decides that
/// any other crate of the build can turn on.
pub(super) fn nanos(time: impl Into<SystemTime>) -> u64 {
    let since = time.into().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Which limit lets old entries go for new ones. With `discard: new` it refuses new ones, and nobody is told that they are in; but servers
/// before 2.10 let old ones go even so (seen on 2.9.10).
fn forgetful_limit(config: &Config, version: &str) -> Option<&'static str> {
    let is_forgetful = config.discard != DiscardPolicy::New || is_before_2_10(version);
    if config.max_messages_per_subject > 0 && (is_forgetful || !config.discard_new_per_subject) {
        return Some("max-msgs-per-subject");
    }
    if config.max_messages > 0 && is_forgetful {
        return Some("max-msgs");
    }
    (config.max_bytes > 0 && is_forgetful).then_some("max-bytes")
}

/// How many bytes a message to the stream may have, if that is enough for an entry.
pub(super) fn largest_message(info: &Info, of_server: usize) -> Result<usize, LogError> {
    let of_stream = usize::try_from(info.config.max_message_size).ok().filter(|limit| *limit > 0);
    let largest = of_stream.map_or(of_server, |limit| limit.min(of_server));
    if largest < LEAST_SIZE {
        return Err(LogError::misconfigured(format!(
            "NATS takes messages of {largest} bytes, too few for every revocation: raise max_payload of the server, or the stream's \
             --max-msg-size, to {LEAST_SIZE} or more"
        )));
    }
    Ok(largest)
}

fn is_before_2_10(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (2, 10)
}
