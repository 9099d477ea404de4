//! The tables in the file.

use portcullis_core::revocation::Cursor;
use redb::{ReadableTable, StorageError, TableDefinition};

/// Entries by position, as lines of JSON.
pub(super) const ENTRIES: TableDefinition<'_, u64, &str> = TableDefinition::new("revocations");

/// When entries can be deleted: `until`, position.
pub(super) const EXPIRY: TableDefinition<'_, (u64, u64), ()> = TableDefinition::new("expiry");

/// [`INCARNATION`], and the last [`POSITION`].
pub(super) const LOG: TableDefinition<'_, &str, u128> = TableDefinition::new("log");

pub(super) const INCARNATION: &str = "incarnation";
pub(super) const POSITION: &str = "position";

/// How many entries a page has at most.
pub(super) const PAGE: usize = 5000;

/// Identifies the log, and has its length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) incarnation: u128,
    /// The position of the last entry that was ever written.
    pub(super) last: u64,
}

impl Head {
    pub(super) fn of(log: &impl ReadableTable<&'static str, u128>) -> Result<Self, StorageError> {
        let number = |name| Ok::<_, StorageError>(log.get(name)?.map_or(0, |value| value.value()));
        Ok(Self { incarnation: number(INCARNATION)?, last: u64::try_from(number(POSITION)?).unwrap_or(u64::MAX) })
    }

    /// Returns a cursor after that position.
    pub(super) fn cursor(self, position: u64) -> Cursor {
        Cursor::new(self.incarnation, position.into())
    }

    /// Returns the cursor's position, if it is in this log.
    pub(super) fn position(self, cursor: &Cursor) -> Option<u64> {
        let position = u64::try_from(cursor.position()).ok().filter(|position| *position <= self.last);
        position.filter(|_| cursor.incarnation() == self.incarnation)
    }
}
