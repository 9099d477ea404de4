//! Checks a newly opened file, and creates the log if there is none.

use portcullis_core::revocation::LogError;
use redb::{Database, ReadableTable};

use super::{
    error::{OF_REVOCATIONS, failed},
    layout::{ENTRIES, EXPIRY, INCARNATION, LOG, POSITION},
};

/// Creates the missing tables, and a log if there is none.
pub(super) fn settle(database: &Database) -> Result<(), LogError> {
    make_tables(database).map_err(|error| failed(OF_REVOCATIONS, error))
}

fn make_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    {
        transaction.open_table(ENTRIES)?;
        transaction.open_table(EXPIRY)?;
        let mut log = transaction.open_table(LOG)?;
        if log.get(INCARNATION)?.is_none() {
            log.insert(INCARNATION, fastrand::u128(..))?;
            log.insert(POSITION, 0)?;
        }
    }
    transaction.commit()?;
    Ok(())
}
