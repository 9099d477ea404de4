//! Reads a page of the log, and decides where a reader may continue.

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, LogError, Page},
};
use tokio_postgres::{Error, Row, types::Type};

use super::{
    connection::{Connection, Work},
    error::explain,
    layout::{Layout, PAGE, Place},
};

/// The state of the log in the snapshot of a page.
struct Head {
    incarnation: u128,
    end: Place,
    /// The mark of the entry after which the reader continues, if it is still there.
    mark_behind: Option<i64>,
    as_of: Option<UnixTime>,
}

impl Head {
    /// Identifies the log: by the random number of its creation; by the server's timeline, which changes when a standby
    /// takes over or a backup is restored; and by the table's file, which TRUNCATE changes. Each of these events may
    /// have lost entries.
    fn read(row: &Row, timeline: u32) -> Result<Self, LogError> {
        let read = || -> Result<_, Error> {
            let end = Place { position: row.try_get("position")?, mark: row.try_get("mark")? };
            Ok((end, row.try_get::<_, &str>("entry")?, row.try_get::<_, i64>("file")?, row.try_get("mark_behind")?))
        };
        let (end, created_as, file, mark_behind) = read().map_err(explain)?;
        let created_as = u128::from_str_radix(created_as, 16)
            .map_err(|_| LogError::corrupt("the incarnation of the revocation log in PostgreSQL is not a UUID"))?;
        let incarnation = created_as ^ (u128::from(timeline) << 32) ^ u128::from(file.unsigned_abs());
        let as_of = row.try_get::<_, i64>("as_of").ok().and_then(|seconds| u64::try_from(seconds).ok());
        Ok(Self { incarnation, end, mark_behind, as_of: as_of.map(UnixTime::from_secs) })
    }

    /// Whether a reader can continue from this cursor. If the log was rolled back and has since overtaken the reader,
    /// the entry is a different one.
    fn has(&self, cursor: &Cursor) -> bool {
        let Some(place) = Place::of(cursor) else { return false };
        let is_there = place.position == 0 || place == self.end || self.mark_behind == Some(place.mark);
        cursor.incarnation() == self.incarnation && place.position <= self.end.position && is_there
    }
}

/// Returns what follows `after` now.
pub(super) async fn page(connection: &Connection, layout: &Layout, after: Option<&Cursor>) -> Result<Page, LogError> {
    let place = after.map_or(Some(Place::BEGINNING), Place::of);
    let (head, rows) = read(connection, layout, place.unwrap_or(Place::BEGINNING)).await?;
    if after.is_none_or(|cursor| head.has(cursor)) {
        return fill(&head, &rows);
    }
    let (head, rows) = read(connection, layout, Place::BEGINNING).await?;
    let mut page = fill(&head, &rows)?;
    page.is_restart = true;
    Ok(page)
}

async fn read(connection: &Connection, layout: &Layout, place: Place) -> Result<(Head, Vec<Row>), LogError> {
    let mut rows = connection.ask(Work::Reads, &layout.read(), &[(&place.position, Type::INT8)]).await?;
    let head = rows.iter().position(|row| row.try_get("is_head").unwrap_or(false));
    let Some(head) = head.map(|at| rows.remove(at)) else {
        connection.give_up();
        return Err(LogError::unavailable(
            "the row of `revocation_log` in PostgreSQL is gone; the next call makes a new one",
        ));
    };
    // Behind PgBouncer, a session outlives the server that it was opened on.
    if head.try_get("is_standby").unwrap_or(true) {
        connection.give_up();
        return Err(LogError::unavailable("the PostgreSQL server is a standby: it may lack what was revoked"));
    }
    Ok((Head::read(&head, connection.timeline())?, rows))
}

fn fill(head: &Head, rows: &[Row]) -> Result<Page, LogError> {
    let mut page = Page::empty(head.end.cursor(head.incarnation));
    page.as_of = head.as_of;
    let mut last = Place::BEGINNING;
    for row in rows {
        let place = || -> Result<_, Error> {
            let place = Place { position: row.try_get("position")?, mark: row.try_get("mark")? };
            Ok((place, row.try_get::<_, &str>("entry")?))
        };
        let (place, text) = place().map_err(explain)?;
        page.take(text);
        if place.position > last.position {
            last = place;
        }
    }
    // A page that is not full contains everything up to the end; missing entries have expired.
    if rows.len() >= PAGE && last.position < head.end.position {
        page.is_last = false;
        page.cursor = last.cursor(head.incarnation);
    }
    Ok(page)
}
