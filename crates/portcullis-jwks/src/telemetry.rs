//! The one place that writes events: everything else calls these functions, with or without the feature `tracing`.
//!
//! What an operator has to look at comes at `warn` and `error`; nothing comes for a token.

#[cfg(feature = "tracing")]
use enabled::{exposed_keys_dropped, fetch_failed, fetched, keys_swapped, keys_too_old};
#[cfg(feature = "tracing")]
pub(crate) use enabled::{metadata_not_read, snapshot_not_restored, task_ended};

#[cfg(not(feature = "tracing"))]
use disabled::{exposed_keys_dropped, fetch_failed, fetched, keys_swapped, keys_too_old};
#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{metadata_not_read, snapshot_not_restored, task_ended};

use crate::machine::Notice;

/// Tells the operator what the machine has to say.
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

    /// What filters name: the crate, and not where in it the event is written.
    const TARGET: &str = "portcullis_jwks";

    /// The issuer's keys are others than before. Two lines at most, however many keys there are.
    pub(crate) fn keys_swapped(source: &str, keys: &KeySet, skipped: &[SkippedKey]) {
        tracing::info!(target: TARGET, source, keys = keys.len(), skipped = skipped.len(), "key set swapped");
        if let Some(first) = skipped.first() {
            let (key, more) = (LogText::new(first), skipped.len() - 1);
            tracing::warn!(target: TARGET, source, %key, more, "a key of the set is not used");
        }
    }

    /// An attempt succeeded, after so many that did not.
    pub(crate) fn fetched(source: &str, failures: u32) {
        tracing::info!(target: TARGET, source, failures, "keys could be fetched again");
    }

    /// An attempt came to nothing.
    pub(crate) fn fetch_failed(source: &str, error: &FetchError, failures: u32, usable: bool) {
        let error = LogText::of_error(error);
        if usable {
            tracing::warn!(target: TARGET, source, %error, failures, "keys could not be fetched, those from before stay");
        } else {
            tracing::error!(target: TARGET, source, %error, failures, "keys could not be fetched, and none can be used");
        }
    }

    /// The metadata were asked for because a key was missing, in vain.
    pub(crate) fn metadata_not_read(source: &str, error: &FetchError) {
        let error = LogText::of_error(error);
        tracing::warn!(target: TARGET, source, %error, "the issuer's metadata could not be read again, its keys are fetched from where they were");
    }

    /// Keys in use turned out to be published with their private halves.
    pub(crate) fn exposed_keys_dropped(source: &str, dropped: &[VerifyingKey]) {
        if let Some(first) = dropped.first() {
            let (key, more) = (cut_for_log(first.id().unwrap_or("without an id"), 60), dropped.len() - 1);
            tracing::error!(
                target: TARGET, source, key, more,
                "the issuer published this key's private half: it verifies nothing from now on"
            );
        }
    }

    /// An outage has lasted too long.
    pub(crate) fn keys_too_old(source: &str) {
        tracing::error!(target: TARGET, source, "the keys are too old to be used: tokens cannot be verified until they can be fetched");
    }

    /// The task that refreshes the keys has ended, and there are handles left.
    pub(crate) fn task_ended(source: &str) {
        tracing::error!(target: TARGET, source, "the task that keeps the keys fresh has ended: tokens cannot be verified");
    }

    /// A snapshot is of no use.
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
