//! The only place that emits events: all other code calls these functions, with or without the feature `tracing`.
//!
//! Conditions that an operator has to check have the levels `warn` and `error`. There are no events about tokens, and
//! no event names a person.

#[cfg(feature = "tracing")]
pub(crate) use enabled::{
    appended, appending_again, log_failed, log_read, not_kept, restarted, revoked, task_ended, unreadable,
    view_changed, warning,
};

#[cfg(not(feature = "tracing"))]
pub(crate) use disabled::{
    appended, appending_again, log_failed, log_read, not_kept, restarted, revoked, task_ended, unreadable,
    view_changed, warning,
};

/// With the feature `issuer`, and a place for its sessions.
#[cfg(all(feature = "issuer", any(feature = "nats", feature = "postgres", feature = "redb", feature = "redis")))]
pub(crate) fn sessions_unreadable(count: usize) {
    #[cfg(feature = "tracing")]
    tracing::warn!(
        target: "portcullis_store", count,
        "sessions cannot be read, and are missing in a user's list: a later version of Portcullis wrote them, or they are damaged; update this \
         instance, or delete them"
    );
    #[cfg(not(feature = "tracing"))]
    let _ = count;
}

#[cfg(feature = "tracing")]
mod enabled {
    use portcullis_core::{
        revocation::{LogError, LogErrorKind, RevocationEntry},
        text::LogText,
    };

    /// The target for filters: the crate, independent of the module.
    const TARGET: &str = "portcullis_store";

    /// A caller has revoked something on this instance.
    pub(crate) fn revoked(entries: &[RevocationEntry], outcome: Result<(), &LogError>) {
        let (count, level) = (entries.len(), entries.first().map(|entry| entry.revocation().level().as_str()));
        match outcome {
            Ok(()) => tracing::info!(target: TARGET, count, level, "revoked"),
            Err(error) => tracing::error!(
                target: TARGET, count, level, error = %LogText::of_error(error),
                "revoked on this instance only: the log could not be written, which is tried again"
            ),
        }
    }

    /// A caller has revoked more than can wait for the log.
    pub(crate) fn not_kept(entries: &[RevocationEntry], error: &LogError) {
        let (count, level) = (entries.len(), entries.first().map(|entry| entry.revocation().level().as_str()));
        tracing::error!(
            target: TARGET, count, level, error = %LogText::of_error(error),
            "revoked on this instance only, and some of these are not kept for the log: too many wait for it; revoke them again"
        );
    }

    /// The log answers again, after so many failed attempts.
    pub(crate) fn log_read(failures: u32) {
        if failures > 0 {
            tracing::info!(target: TARGET, failures, "the log of revocations can be read again");
        }
    }

    /// The log could not be read.
    pub(crate) fn log_failed(error: &LogError, failures: u32) {
        let kind = error.kind();
        let error = LogText::of_error(error);
        if kind == LogErrorKind::Unavailable {
            tracing::warn!(target: TARGET, %error, failures, "the log of revocations cannot be read");
        } else {
            tracing::error!(target: TARGET, %error, failures, "the log of revocations cannot be used");
        }
    }

    /// The log is not the one that was read before, or was rolled back or trimmed.
    pub(crate) fn restarted() {
        tracing::warn!(
            target: TARGET,
            "the log of revocations is another one, or has lost entries: it is read again from its beginning, and all known \
             revocations stay in force"
        );
    }

    /// The log has lost entries of this instance, which are appended again.
    pub(crate) fn appending_again(count: usize) {
        if count > 0 {
            tracing::warn!(target: TARGET, count, "the log of revocations has lost entries of this instance, which appends them again");
        }
    }

    /// Waiting or renewed entries were written.
    pub(crate) fn appended(count: usize) {
        if count > 0 {
            tracing::info!(target: TARGET, count, "revocations that waited, were lost or had to be renewed are in the log");
        }
    }

    /// The view has become stale, or is fresh again.
    pub(crate) fn view_changed(is_stale: bool) {
        if is_stale {
            tracing::warn!(
                target: TARGET,
                "the view of revocations is stale: the log has not confirmed it for too long, and requests are answered as each route's \
                 `WhenStale` says (503 by default)"
            );
        } else {
            tracing::info!(target: TARGET, "the view of revocations is fresh again");
        }
    }

    /// The log contains items that cannot be read.
    pub(crate) fn unreadable(count: usize) {
        tracing::error!(
            target: TARGET, count,
            "the log of revocations contains an unreadable record: what it should revoke is not revoked here; check whether a later version \
             or another program writes to the log"
        );
    }

    /// A warning about the log's durability.
    pub(crate) fn warning(warning: &str) {
        tracing::warn!(target: TARGET, warning = %LogText::new(&warning), "the log of revocations may lose what it has acknowledged");
    }

    /// The log is no longer followed.
    pub(crate) fn task_ended() {
        tracing::error!(target: TARGET, "the task that follows the log of revocations has ended: the view grows stale");
    }
}

#[cfg(not(feature = "tracing"))]
mod disabled {
    use portcullis_core::revocation::{LogError, RevocationEntry};

    pub(crate) fn revoked(_: &[RevocationEntry], _: Result<(), &LogError>) {}

    pub(crate) fn not_kept(_: &[RevocationEntry], _: &LogError) {}

    pub(crate) fn log_read(_: u32) {}

    pub(crate) fn log_failed(_: &LogError, _: u32) {}

    pub(crate) fn restarted() {}

    pub(crate) fn appending_again(_: usize) {}

    pub(crate) fn appended(_: usize) {}

    pub(crate) fn view_changed(_: bool) {}

    pub(crate) fn unreadable(_: usize) {}

    pub(crate) fn warning(_: &str) {}

    pub(crate) fn task_ended() {}
}
