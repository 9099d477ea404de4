//! Checks, before a bucket is used and whenever sessions are listed, whether it keeps them long enough.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, Info, PersistenceMode, RetentionPolicy, StorageType};
use portcullis_core::revocation::LogError;
use portcullis_issuer::records::Record;

use super::layout::{Content, Layout};
use crate::nats::survey::{is_before_2_10, size_limit};

/// The largest value that must be allowed at least: a row with ids of 255 bytes and some thousand bytes of scopes.
const LEAST_SESSION: usize = 16 * 1024;

/// The same for records: the longest text, and headers.
const LEAST_RECORD: usize = Record::MOST_BYTES + 1024;

/// Refuses a server that deletes sessions instead of refusing new ones.
pub(super) fn accept_server(version: &str) -> Result<(), LogError> {
    if is_before_2_10(version) {
        return Err(LogError::misconfigured(format!(
            "an issuer needs nats-server 2.10 or later, and this is {version}: an older one deletes keys from a bucket that has a limit when it \
             starts again after a crash, so that users are logged out, and a log-out everywhere can miss a session; nor can it flush each \
             change to its disk (`sync_interval: always`)"
        )));
    }
    Ok(())
}

/// Refuses a bucket that forgets sessions too early, or is not ours.
pub(super) fn accept(layout: &Layout, info: &Info) -> Result<(), LogError> {
    let Config { name, max_age, subjects, .. } = &info.config;
    let edit = |what: String| Err(LogError::misconfigured(format!("the NATS stream {name} {what}")));
    if layout.content == Content::Records && *max_age > Duration::ZERO {
        return edit(format!(
            "forgets after {} s, and records stay until they are deleted: `nats stream edit {name} --max-age=0`",
            max_age.as_secs()
        ));
    }
    if *max_age > Duration::ZERO && *max_age < layout.max_age() {
        let (is, must) = (max_age.as_secs(), layout.max_age().as_secs());
        return edit(format!(
            "forgets after {is} s, and sessions have to be kept for {must} s: `nats stream edit {name} --max-age={must}s`, or lower the \
             longest session"
        ));
    }
    if *subjects != [layout.all_keys()] {
        return edit(format!("is not the one of the bucket {}: set another bucket", layout.bucket));
    }
    if info.config.retention != RetentionPolicy::Limits {
        return edit(
            "deletes what was read: it needs the retention policy `limits`, which only a new bucket can get".into(),
        );
    }
    if let Some(limit) = forgetful_limit(&info.config) {
        return edit(format!(
            "forgets {} by its limit {limit}: `nats stream edit {name} --discard=new`, which refuses new ones instead",
            layout.content.name()
        ));
    }
    if info.config.discard_new_per_subject && info.config.max_messages_per_subject > 0 {
        return edit("refuses every change of a key: `nats stream edit {name} --no-discard-per-subject`".into());
    }
    if info.config.no_ack || info.config.sealed || info.config.mirror.is_some() {
        return edit("is a mirror, sealed, or without acknowledgements: nothing can be written there".into());
    }
    Ok(())
}

/// Returns the limit that deletes old sessions in favour of new ones.
fn forgetful_limit(config: &Config) -> Option<&'static str> {
    if config.discard == DiscardPolicy::New {
        return None;
    }
    if config.max_messages > 0 {
        return Some("max-msgs");
    }
    (config.max_bytes > 0).then_some("max-bytes")
}

/// Returns how many bytes a value may have, if this is enough.
pub(super) fn largest_value(layout: &Layout, info: &Info, of_server: usize) -> Result<usize, LogError> {
    let (content, least) = match layout.content {
        Content::Sessions => ("session", LEAST_SESSION),
        Content::Records => ("record", LEAST_RECORD),
    };
    let largest = size_limit(info, of_server);
    if largest < least {
        return Err(LogError::misconfigured(format!(
            "NATS takes values of {largest} bytes, too few for every {content}: raise max_payload of the server, or the bucket's \
             --max-value-size, to {least} or more"
        )));
    }
    Ok(largest)
}

/// Returns what an operator should know about the durability of the bucket.
pub(super) fn warnings(layout: &Layout, info: &Info) -> Vec<String> {
    let Config { name, storage, num_replicas, persist_mode, .. } = &info.config;
    let content = layout.content.name();
    let mut warnings = Vec::new();
    if *storage == StorageType::Memory {
        warnings.push(format!(
            "the NATS stream {name} is in memory: a restart of the server loses all {content}; create the bucket again with file storage"
        ));
    } else if *persist_mode == Some(PersistenceMode::Async) {
        warnings.push(format!(
            "the NATS stream {name} acknowledges before it writes (persist_mode async): `kill -9` of the server may bring back {content} \
             that had ended; create the bucket again with the default mode"
        ));
    } else if *num_replicas <= 1 {
        warnings.push(format!(
            "the NATS stream {name} has one replica: its server's disk is the only one that has the {content}; a cluster can keep three"
        ));
    }
    if *storage == StorageType::File {
        warnings.push(format!(
            "the NATS server flushes to its disk every two minutes, so that a power failure may undo acknowledged changes of {content}, unless it \
             has `sync_interval: always` in its jetstream block"
        ));
    }
    if info.config.max_age == Duration::ZERO && layout.content == Content::Sessions {
        warnings.push(format!(
            "the NATS stream {name} has no maximum age: it keeps every session for ever, and grows with each log-in"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_from_2_10_on_are_accepted() {
        for version in ["2.10.0", "2.15.1", "3.0.0", "2.11.0-beta.1"] {
            assert!(accept_server(version).is_ok(), "{version}");
        }
        for version in ["2.9.25", "1.99.0", "", "junk"] {
            assert!(accept_server(version).is_err(), "{version}");
        }
    }
}
