//! The seam to where revocations are kept.

use std::{error::Error, fmt, future::Future, sync::Arc, time::Duration};

use super::{Revocation, RevocationEntry};
use crate::UnixTime;

/// A durable, ordered log of revocations, shared by all instances of a service.
///
/// Implement it for another place to keep them, and run the contract tests of `portcullis-test` on it. The rules:
///
/// - What [`append`](Self::append) has accepted survives whatever the place promises to survive, and is read by every reader that
///   reads from a cursor that it had before, in whatever order entries of several writers come.
/// - Entries may come twice, and late: they merge. But there are no **gaps**: a reader that cannot go on from where it was (the log
///   is another one, was rolled back, or no longer has what followed) starts anew, and the page says so.
/// - An entry may be forgotten from its `until` on, not before.
/// - A call succeeds or fails within a few seconds beyond its patience; the caller times out after five seconds and retries; do not retry
///   inside. If an answer is a second late, the reader asks again, with no patience, while it still waits for the first answer.
/// - Futures are dropped at whatever await they are; the next call has to be right all the same.
///
/// Requests never see a log; one task per process follows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no revocations",
    note = "the crate `portcullis-store` has logs: in memory, in a file, in Redis, NATS or PostgreSQL"
)]
pub trait RevocationLog: fmt::Debug + Send + Sync + 'static {
    /// Adds entries, which are durable when it returns. On an error some of them may be in the log. To add one again changes nothing.
    fn append(&self, entries: &[RevocationEntry]) -> impl Future<Output = Result<(), LogError>> + Send;

    /// What follows `after`, or all there is; a page at a time. If nothing follows, it waits for up to `patience` for something to
    /// come, and then says that nothing did. Called by one reader at a time, but for lists, and for a question that is asked again because
    /// its answer is late.
    fn read(&self, after: Option<&Cursor>, patience: Duration) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// The longest life of a token for which this log remembers revocations; see the module's rules.
    fn horizon(&self) -> Duration;

    /// What an operator should know about how durable it is, as far as is known by now: sentences. Defaults to none.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Takes revocations to where all instances of a service see them: what log-out handlers, administration and issuers revoke through.
///
/// `Revocations` of the crate `portcullis-store` is the one; a closure or a double in tests may be another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` revokes nothing",
    note = "give it `Revocations` of the crate `portcullis-store`"
)]
pub trait Revoker: fmt::Debug + Send + Sync + 'static {
    /// Revokes all of it. Durable when it returns; to revoke the same again changes nothing.
    fn revoke_all(&self, revocations: Vec<Revocation>) -> impl Future<Output = Result<(), LogError>> + Send;

    /// What is revoked, a page at a time: from the beginning, or after the page that ended at that cursor, until a page
    /// [is the last](Page::is_last).
    fn list(&self, after: Option<&Cursor>) -> impl Future<Output = Result<Page, LogError>> + Send;
}

/// How far a reader of a log has come: in which incarnation of it, and behind which entry. Means something to that log alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    incarnation: u128,
    position: u128,
}

impl Cursor {
    /// Behind the entry at `position` in the log that calls itself `incarnation`: a random number that was drawn when it was created.
    pub const fn new(incarnation: u128, position: u128) -> Self {
        Self { incarnation, position }
    }

    /// Which log it is of.
    pub const fn incarnation(&self) -> u128 {
        self.incarnation
    }

    /// Behind which entry it stands.
    pub const fn position(&self) -> u128 {
        self.position
    }
}

/// What a log answers to a reader.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// What was read.
    pub entries: Vec<RevocationEntry>,
    /// How many things were there that are no entries: written by somebody else, or by a later version.
    pub unreadable: usize,
    /// How many of them a later version has written. If it is not zero, the view must not be treated as complete.
    pub of_later_version: usize,
    /// Until when the longest-lived of those has to be remembered; `None` if one of them does not say so in a way that this version reads.
    pub later_until: Option<UnixTime>,
    /// From where to read on.
    pub cursor: Cursor,
    /// Whether it begins with the first entry of the log, although the reader wanted to go on from a cursor.
    pub is_restart: bool,
    /// Whether nothing followed when the log was asked: whoever has read this knows all that it knew then.
    pub is_last: bool,
    /// What the log's own calendar showed when it was asked, or when the newest entry on this page was written. `None` if it keeps no times. An
    /// instance whose calendar is far behind notices by it.
    pub as_of: Option<UnixTime>,
}

impl Page {
    /// A page without entries that ends at `cursor`, with nothing behind it.
    pub const fn empty(cursor: Cursor) -> Self {
        Self {
            entries: Vec::new(),
            unreadable: 0,
            of_later_version: 0,
            later_until: None,
            cursor,
            is_restart: false,
            is_last: true,
            as_of: None,
        }
    }

    /// A page with these entries, with more to follow.
    pub fn of(entries: Vec<RevocationEntry>, cursor: Cursor) -> Self {
        Self { entries, is_last: false, ..Self::empty(cursor) }
    }

    /// Reads an entry as it stands in a log, and counts it if it is none.
    pub fn take(&mut self, text: &str) {
        match RevocationEntry::from_json(text) {
            Ok(entry) => self.entries.push(entry),
            Err(error) => {
                self.unreadable += 1;
                if error.is_of_later_version() {
                    let latest = error.until().map(|until| self.later_until.map_or(until, |before| before.max(until)));
                    // One that does not say until when stands for all.
                    let is_known = self.of_later_version == 0 || self.later_until.is_some();
                    self.later_until = latest.filter(|_| is_known);
                    self.of_later_version += 1;
                }
            }
        }
    }
}

/// A log could not be read or written. For the operator; never shown to a client.
#[derive(Clone, Debug)]
pub struct LogError {
    kind: LogErrorKind,
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl LogError {
    fn new(kind: LogErrorKind, detail: impl Into<Arc<str>>) -> Self {
        Self { kind, detail: detail.into(), source: None }
    }

    /// It cannot be reached, or takes too long, or failed for now.
    pub fn unavailable(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Unavailable, detail)
    }

    /// It must not be used as it is set up: the sentence says what to change.
    pub fn misconfigured(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Misconfigured, detail)
    }

    /// The revocation cannot have the effect that it is meant to have, so nothing was written. The sentence says what to do.
    pub fn refused(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Refused, detail)
    }

    /// It holds something that cannot be: it was damaged, or is not ours.
    pub fn corrupt(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Corrupt, detail)
    }

    /// The same error, with what led to it.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// What went wrong, to branch on.
    pub fn kind(&self) -> LogErrorKind {
        self.kind
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for LogError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// The kinds of [`LogError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogErrorKind {
    /// It cannot be reached, takes too long, or failed for now. To try again may help.
    Unavailable,
    /// It would lose revocations as it is set up, or we may not do there what we have to. Somebody has to change that.
    Misconfigured,
    /// It holds what cannot be.
    Corrupt,
    /// The revocation itself cannot have the effect that it is meant to have: the log is as it was. Trying the same again does
    /// not help.
    Refused,
}
