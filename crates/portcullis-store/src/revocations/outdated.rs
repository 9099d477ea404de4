//! `Outdated`: what a later version has written into the log, which this one cannot read.

use portcullis_core::{
    UnixTime,
    revocation::{LogError, Page, RevocationEntry, RevocationView},
};

/// Until when entries of a later version may revoke something. Until then this instance does not know what is revoked, and must not say that
/// it does.
#[derive(Debug, Default)]
pub(super) struct Outdated {
    until: Option<UnixTime>,
}

impl Outdated {
    /// Notes entries of a later version on the page.
    pub(super) fn note(&mut self, page: &Page, view: &RevocationView) {
        if page.of_later_version > 0 {
            // One that does not say until when is remembered as long as one that was made now.
            let longest = view.now().plus(view.horizon()).plus(RevocationEntry::MARGIN);
            self.until = self.until.max(Some(page.later_until.unwrap_or(longest)));
        }
    }

    /// Whether the time of all of them has passed by `now`, which is [`trusted`](portcullis_core::revocation::ViewWriter::trusted_now).
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
