//! [`Outdated`]: entries of a later version in the log, which this one cannot read.

use portcullis_core::{
    UnixTime,
    revocation::{LogError, Page, RevocationEntry, RevocationView},
};

/// Until when entries of a later version may revoke something. Until then this instance does not know everything that
/// is revoked, and must not claim that it does.
#[derive(Debug, Default)]
pub(super) struct Outdated {
    until: Option<UnixTime>,
}

impl Outdated {
    /// Records the page's entries of a later version.
    pub(super) fn note(&mut self, page: &Page, view: &RevocationView) {
        if page.of_later_version > 0 {
            // An entry without an end is remembered as long as one that is made now.
            let longest = view.now().plus(view.horizon()).plus(RevocationEntry::MARGIN);
            self.until = self.until.max(Some(page.later_until.unwrap_or(longest)));
        }
    }

    /// Whether all of them have expired by `now`, which is
    /// [`trusted`](portcullis_core::revocation::ViewWriter::trusted_now).
    pub(super) fn is_over(&mut self, now: UnixTime) -> bool {
        if self.until.is_some_and(|until| until <= now) {
            self.until = None;
        }
        self.until.is_none()
    }

    pub(super) fn error(&self) -> LogError {
        let until = self.until.unwrap_or(UnixTime::EPOCH);
        LogError::misconfigured(format!(
            "the log holds revocations that a later version of portcullis has written, so this one does not know what is revoked until \
             their time has passed ({until} in seconds since 1970): bring all instances to that version"
        ))
    }
}
