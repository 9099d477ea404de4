//! [`RevocationLog`]: the log that stores revocations.

use std::{error::Error, fmt, future::Future, sync::Arc, time::Duration};

use super::{Revocation, RevocationEntry, RevocationView};
use crate::UnixTime;

/// A durable, ordered log of revocations, shared by all instances of a service.
///
/// Implement it for another kind of storage, and run the contract tests of `portcullis-test` on it. The rules:
///
/// - Entries that [`append`](Self::append) has accepted survive whatever the storage promises to survive, and are read by every reader
///   that reads from an earlier cursor, in any order of entries from several writers.
/// - Entries may be read twice, and late: they merge. But there are no **gaps**: a reader that cannot continue from its position (the log
///   was replaced, was rolled back, or no longer has what followed) restarts at the beginning, and the page says so.
/// - An entry may be forgotten from its `until` on, not before.
/// - A call succeeds or fails within a few seconds beyond its patience. The caller times out after five seconds and retries; do not retry
///   inside. If an answer is a second late, the reader asks again, without patience, while it still waits for the first answer.
/// - Futures may be dropped at any await; the next call has to be correct all the same.
///
/// Requests never see a log; one task per process follows it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` keeps no revocations",
    note = "the crate `portcullis-store` has logs: in memory, in a file, in Redis, NATS or PostgreSQL"
)]
pub trait RevocationLog: fmt::Debug + Send + Sync + 'static {
    /// Appends entries, which are durable when it returns. After an error, some of them may be in the log. Appending an entry again
    /// changes nothing.
    fn append(&self, entries: &[RevocationEntry]) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns what follows `after`, or everything, one page at a time. If nothing follows, it waits for up to `patience` for something
    /// to arrive, and then says that nothing did. Called by one reader at a time, except for lists, and for a question that is repeated
    /// because its answer is late.
    fn read(&self, after: Option<&Cursor>, patience: Duration) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// Returns the longest lifetime of a token for which this log remembers revocations; see the module's rules.
    fn horizon(&self) -> Duration;

    /// Returns what an operator should know about its durability, as far as it is known by now: sentences. Defaults to none.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A shared log is the same log: code that keeps a handle, to append or to list, can pass the log on.
impl<L: RevocationLog> RevocationLog for Arc<L> {
    fn append(&self, entries: &[RevocationEntry]) -> impl Future<Output = Result<(), LogError>> + Send {
        (**self).append(entries)
    }

    fn read(&self, after: Option<&Cursor>, patience: Duration) -> impl Future<Output = Result<Page, LogError>> + Send {
        (**self).read(after, patience)
    }

    fn horizon(&self) -> Duration {
        (**self).horizon()
    }

    fn warnings(&self) -> Vec<String> {
        (**self).warnings()
    }
}

/// Revokes on behalf of logout handlers, administration and issuers, so that all instances of a service see it.
///
/// `Revocations` of the crate `portcullis-store` implements it; in tests, a closure or a double may do so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` revokes nothing",
    note = "give it `Revocations` of the crate `portcullis-store`"
)]
pub trait Revoker: fmt::Debug + Send + Sync + 'static {
    /// Revokes all of these. Durable when it returns; revoking the same again changes nothing.
    fn revoke_all(&self, revocations: Vec<Revocation>) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns what is revoked, one page at a time: from the beginning, or after the page that ended at that cursor, until a page [is the
    /// last](Page::is_last).
    fn list(&self, after: Option<&Cursor>) -> impl Future<Output = Result<Page, LogError>> + Send;

    /// Returns a view of what is revoked, if this follows the log. An issuer asks it before it prolongs a session. Defaults to none.
    fn view(&self) -> Option<RevocationView> {
        None
    }
}

/// The position of a reader in a log: the log's incarnation, and the entry before it. Meaningful only for that log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    incarnation: u128,
    position: u128,
}

impl Cursor {
    /// Returns the position after the entry at `position` in the log with this `incarnation`: a random number that was chosen when the
    /// log was created.
    pub const fn new(incarnation: u128, position: u128) -> Self {
        Self { incarnation, position }
    }

    /// Returns which log it belongs to.
    pub const fn incarnation(&self) -> u128 {
        self.incarnation
    }

    /// Returns the position of the entry before it.
    pub const fn position(&self) -> u128 {
        self.position
    }
}

/// A log's answer to a reader.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The entries that were read.
    pub entries: Vec<RevocationEntry>,
    /// How many records could not be read as entries: written by another program, or by a later version.
    pub unreadable: usize,
    /// How many of them a later version has written. If it is not zero, the view must not be treated as complete.
    pub of_later_version: usize,
    /// Until when the longest-lived of those has to be remembered; `None` if one of them does not say so in a way that this version can
    /// read.
    pub later_until: Option<UnixTime>,
    /// The position from which to continue.
    pub cursor: Cursor,
    /// Whether it begins with the first entry of the log, although the reader wanted to continue from a cursor.
    pub is_restart: bool,
    /// Whether nothing followed when the log was asked: a reader of this page then knows everything that the log contained at that time.
    pub is_last: bool,
    /// The log's own wall clock when it was asked, or when the newest entry on this page was written. `None` if it keeps no times. An
    /// instance whose wall clock is far behind notices it by this.
    pub as_of: Option<UnixTime>,
}

impl Page {
    /// Returns a page without entries that ends at `cursor`, with nothing after it.
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

    /// Returns a page with these entries, with more to follow.
    pub fn of(entries: Vec<RevocationEntry>, cursor: Cursor) -> Self {
        Self { entries, is_last: false, ..Self::empty(cursor) }
    }

    /// Reads an entry from its text in the log, and counts the text if it is unreadable.
    pub fn take(&mut self, text: &str) {
        match RevocationEntry::from_json(text) {
            Ok(entry) => self.entries.push(entry),
            Err(error) => {
                self.unreadable += 1;
                if error.is_of_later_version() {
                    let latest = error.until().map(|until| self.later_until.map_or(until, |before| before.max(until)));
                    // One without `until` makes the time unknown for all.
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

    /// The log cannot be reached, takes too long, or failed for now.
    pub fn unavailable(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Unavailable, detail)
    }

    /// The log must not be used with its current settings. The sentence says what to change.
    pub fn misconfigured(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Misconfigured, detail)
    }

    /// The revocation cannot have its intended effect, so nothing was written. The sentence says what to do.
    pub fn refused(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Refused, detail)
    }

    /// The log contains something invalid: it was damaged, or is not ours.
    pub fn corrupt(detail: impl Into<Arc<str>>) -> Self {
        Self::new(LogErrorKind::Corrupt, detail)
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }

    /// Returns the kind of the error, for branching.
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
    /// The log cannot be reached, takes too long, or failed for now. Trying again may help.
    Unavailable,
    /// The log would lose revocations with its current settings, or we lack permissions. An operator has to change that.
    Misconfigured,
    /// The log contains something invalid.
    Corrupt,
    /// The revocation itself cannot have its intended effect; the log is unchanged. Trying the same again does not help.
    Refused,
}
