//! Appends to the file.

use std::time::Duration;

use portcullis_core::{
    UnixTime,
    revocation::{LogError, RevocationEntry},
};
use redb::{Database, ReadableTable, StorageError};

use super::{
    error::{OF_REVOCATIONS, failed},
    layout::{ENTRIES, EXPIRY, Head, LOG, POSITION},
};

/// How many old entries are deleted with each write: more than are usually added, so that they do not accumulate.
const FORGOTTEN_AT_ONCE: usize = 1000;

/// How much longer than necessary entries stay: a clock that is wrong by less than this loses none.
const SLACK: Duration = Duration::from_secs(24 * 60 * 60);

/// Appends the entries, all or none, and deletes old ones. They are on the disk when this returns. Returns the position
/// of the last one.
pub(super) fn append<'e>(
    database: &Database,
    entries: impl IntoIterator<Item = &'e RevocationEntry>,
    now: UnixTime,
) -> Result<u64, LogError> {
    try_append(database, entries, now).map_err(|error| failed(OF_REVOCATIONS, error))
}

fn try_append<'e>(
    database: &Database,
    entries: impl IntoIterator<Item = &'e RevocationEntry>,
    now: UnixTime,
) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?; // durable with its commit, by default
    let position;
    {
        let mut table = transaction.open_table(ENTRIES)?;
        let mut expiry = transaction.open_table(EXPIRY)?;
        let mut log = transaction.open_table(LOG)?;
        let mut last = Head::of(&log)?.last;
        for entry in entries {
            last += 1;
            table.insert(last, &*entry.to_json())?;
            expiry.insert((entry.until().as_secs(), last), ())?;
        }
        log.insert(POSITION, u128::from(last))?;
        let old = (0, 0)..(now.minus(SLACK).as_secs(), 0);
        let old: Vec<_> = expiry
            .range(old)?
            .take(FORGOTTEN_AT_ONCE)
            .map(|row| Ok(row?.0.value()))
            .collect::<Result<_, StorageError>>()?;
        for key in old {
            expiry.remove(key)?;
            table.remove(key.1)?;
        }
        position = last;
    }
    transaction.commit()?;
    Ok(position)
}
