//! Reads a page of the file, and decides where a reader may continue.

use portcullis_core::revocation::{Cursor, LogError, Page};
use redb::{Database, ReadableDatabase};

use super::{
    error::{OF_REVOCATIONS, failed},
    layout::{ENTRIES, Head, LOG, PAGE},
};

/// Returns what follows the cursor now.
pub(super) fn page(database: &Database, after: Option<&Cursor>) -> Result<Page, LogError> {
    try_page(database, after).map_err(|error| failed(OF_REVOCATIONS, error))
}

fn try_page(database: &Database, after: Option<&Cursor>) -> Result<Page, redb::Error> {
    let transaction = database.begin_read()?;
    let head = Head::of(&transaction.open_table(LOG)?)?;
    let from = after.and_then(|cursor| head.position(cursor));

    let mut page = Page::empty(head.cursor(head.last));
    page.is_restart = after.is_some() && from.is_none();
    let table = transaction.open_table(ENTRIES)?;
    let mut rows = table.range(from.map_or(0, |from| from + 1)..)?;
    for row in rows.by_ref().take(PAGE) {
        let (position, entry) = row?;
        page.take(entry.value());
        page.cursor = head.cursor(position.value());
    }
    page.is_last = rows.next().is_none();
    if page.is_last {
        page.cursor = head.cursor(head.last);
    }
    Ok(page)
}
