//! Checks, before a stream is used and at every read, whether it keeps revocations long enough.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType};
use portcullis_core::revocation::LogError;

use super::layout::Layout;

/// The largest message size that must be allowed at least: one entry has at most about 4 kB (three ids of 255 bytes,
/// each of which may take six bytes in JSON).
const LEAST_SIZE: usize = 8 * 1024;

/// Refuses a stream that forgets entries too early, or is not ours. `version` is the server's.
pub(super) fn accept(layout: &Layout, info: &Info, version: &str) -> Result<(), LogError> {
    let Config { name, max_age, subjects, .. } = &info.config;
    let edit = |what: String| Err(LogError::misconfigured(format!("the NATS stream {name} {what}")));
    if *max_age > Duration::ZERO && *max_age < layout.max_age() {
        let (is, must) = (max_age.as_secs(), layout.max_age().as_secs());
        return edit(format!(
            "forgets after {is} s, and revocations have to be remembered for {must} s: `nats stream edit {name} --max-age={must}s`, or \
             lower the horizon"
        ));
    }
    if *subjects != [layout.subject.as_str()] {
        return edit(format!(
            "is not of the subject {} alone: `nats stream edit {name} --subjects={}`, or set another stream",
            layout.subject, layout.subject
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
        return edit("is a mirror, sealed, or without acknowledgements: revocations cannot be written there".into());
    }
    Ok(())
}

/// Returns what an operator should know about the durability of the stream. `version` is the server's.
pub(super) fn warnings(info: &Info, version: &str) -> Vec<String> {
    let Config { name, storage, num_replicas, persist_mode, .. } = &info.config;
    let mut warnings = Vec::new();
    if *storage == StorageType::Memory {
        warnings.push(format!(
            "the NATS stream {name} is in memory: a restart of the server loses every revocation; create it again with file storage"
        ));
    } else if *persist_mode == Some(PersistenceMode::Async) {
        warnings.push(format!(
            "the NATS stream {name} acknowledges before it writes (persist_mode async): `kill -9` of the server loses revocations; \
             create it again with the default mode"
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

/// Returns the limit that deletes old entries in favour of new ones. With `discard: new` the server refuses new ones,
/// and the caller is told; but servers before 2.10 delete old ones anyway (observed with 2.9.10).
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

/// Returns how many bytes a message to the stream may have, if this is enough for an entry.
pub(super) fn largest_message(info: &Info, of_server: usize) -> Result<usize, LogError> {
    let largest = size_limit(info, of_server);
    if largest < LEAST_SIZE {
        return Err(LogError::misconfigured(format!(
            "NATS takes messages of {largest} bytes, too few for every revocation: raise max_payload of the server, or the stream's \
             --max-msg-size, to {LEAST_SIZE} or more"
        )));
    }
    Ok(largest)
}

/// Returns how many bytes a message to the stream may have.
pub(crate) fn size_limit(info: &Info, of_server: usize) -> usize {
    let of_stream = usize::try_from(info.config.max_message_size).ok().filter(|limit| *limit > 0);
    of_stream.map_or(of_server, |limit| limit.min(of_server))
}

pub(crate) fn is_before_2_10(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (2, 10)
}
