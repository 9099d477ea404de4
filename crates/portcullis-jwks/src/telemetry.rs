//! Writes all log events. The rest of the crate calls these functions, with or without the feature `tracing`.
//!
//! What an operator has to look at is logged at `warn` and `error`; tokens cause no events.

#[cfg(feature = "tracing")]
use enabled::{exposed_keys_dropped, fetch_failed, fetched, keys_swapped, keys_too_old};
#[cfg(feature = "tracing")]
pub(crate) use enabled::{metadata_not_read, snapshot_not_restored, task_ended};

#[cfg(not(feature = "tracing"))]
use disabled::{exposed_keys_dropped, fetch_failed, fetched, keys_swapped, keys_too_old};
#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{metadata_not_read, snapshot_not_restored, task_ended};

use crate::machine::Notice;

/// Logs a notice of the machine.
pub(crate) fn tell(source: &str, notice: &Notice) {
    match notice {
        Notice::Recovered { failures } => fetched(source, *failures),
        Notice::FetchFailed { error, failures, usable } => fetch_failed(source, error, *failures, *usable),
        Notice::KeysSwapped { keys, skipped } => keys_swapped(source, keys, skipped),
        Notice::ExposedKeysDropped(dropped) => exposed_keys_dropped(source, dropped),
        Notice::KeysTooOld => keys_too_old(source),
    }
}

#[cfg(feature = "tracing")]
mod enabled {
    use portcullis_core::{
        KeySet,
        keys::{SkippedKey, VerifyingKey},
        text::LogText,
    };

    use crate::error::{FetchError, cut_for_log};

    /// The name for log filters: the crate, without the module that writes the event.
    const TARGET: &str = "portcullis_jwks";

    /// Logs that the issuer's keys have changed, in at most two lines, however many keys there are.
    pub(crate) fn keys_swapped(source: &str, keys: &KeySet, skipped: &[SkippedKey]) {
        tracing::info!(target: TARGET, source, keys = keys.len(), skipped = skipped.len(), "key set swapped");
        if let Some(first) = skipped.first() {
            let (key, more) = (LogText::new(first), skipped.len() - 1);
            tracing::warn!(target: TARGET, source, %key, more, "a key of the set is not used");
        }
    }

    /// Logs that an attempt succeeded after this many failures.
    pub(crate) fn fetched(source: &str, failures: u32) {
        tracing::info!(target: TARGET, source, failures, "keys could be fetched again");
    }

    /// Logs that an attempt failed.
    pub(crate) fn fetch_failed(source: &str, error: &FetchError, failures: u32, usable: bool) {
        let error = LogText::of_error(error);
        if usable {
            tracing::warn!(target: TARGET, source, %error, failures, "keys could not be fetched; the previous keys stay in use");
        } else {
            tracing::error!(target: TARGET, source, %error, failures, "keys could not be fetched, and none can be used");
        }
    }

    /// Logs that the metadata, which were requested because a key was missing, could not be read.
    pub(crate) fn metadata_not_read(source: &str, error: &FetchError) {
        let error = LogText::of_error(error);
        tracing::warn!(target: TARGET, source, %error, "the issuer's metadata could not be read again; its keys are fetched from the known URL");
    }

    /// Logs that keys in use were published with their private halves.
    pub(crate) fn exposed_keys_dropped(source: &str, dropped: &[VerifyingKey]) {
        if let Some(first) = dropped.first() {
            let (key, more) = (cut_for_log(first.id().unwrap_or("without an id"), 60), dropped.len() - 1);
            tracing::error!(
                target: TARGET, source, key, more,
                "the issuer published this key's private half: it verifies nothing from now on"
            );
        }
    }

    /// Logs that an outage has lasted too long.
    pub(crate) fn keys_too_old(source: &str) {
        tracing::error!(target: TARGET, source, "the keys are too old to be used: tokens cannot be verified until they can be fetched");
    }

    /// Logs that the task that refreshes the keys has ended while there are handles left.
    pub(crate) fn task_ended(source: &str) {
        tracing::error!(target: TARGET, source, "the task that keeps the keys fresh has ended: tokens cannot be verified");
    }

    /// Logs that a snapshot cannot be used.
    pub(crate) fn snapshot_not_restored(source: &str, reason: &str) {
        tracing::warn!(target: TARGET, source, reason, "a snapshot of keys is not restored");
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use portcullis_core::{
        KeySet,
        keys::{SkippedKey, VerifyingKey},
    };

    use crate::error::FetchError;

    pub(crate) fn keys_swapped(_: &str, _: &KeySet, _: &[SkippedKey]) {}

    pub(crate) fn fetched(_: &str, _: u32) {}

    pub(crate) fn fetch_failed(_: &str, _: &FetchError, _: u32, _: bool) {}

    pub(crate) fn metadata_not_read(_: &str, _: &FetchError) {}

    pub(crate) fn exposed_keys_dropped(_: &str, _: &[VerifyingKey]) {}

    pub(crate) fn keys_too_old(_: &str) {}

    pub(crate) fn snapshot_not_restored(_: &str, _: &str) {}

    pub(crate) fn task_ended(_: &str) {}
}
