//! Reads a page of the stream, and decides where a reader may continue.

use std::{collections::HashMap, time::Duration};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, Page},
};
use redis::{Value, pipe};
use tokio::time::Instant;

use super::{
    connection::Connection,
    error::Fault,
    follow::{self, WAIT},
    layout::{self, ENTRY, Layout, Marker, PAGE, Place},
    survey,
};

/// Returns what follows `after`, and waits for it until the deadline.
pub(super) async fn page(
    connection: &mut Connection,
    layout: &Layout,
    after: Option<&Cursor>,
    deadline: Instant,
) -> Result<Page, Fault> {
    loop {
        let page = page_at_once(connection, layout, after).await?;
        let patience = deadline.saturating_duration_since(Instant::now()).min(WAIT);
        // Waiting for zero milliseconds would mean forever.
        let is_to_wait = page.entries.is_empty() && page.unreadable == 0 && !page.is_restart;
        if !is_to_wait || patience < Duration::from_millis(1) {
            return Ok(page);
        }
        let found = follow::wait(connection, layout, page.cursor, patience).await?;
        if !found.is_empty() {
            // The server was not asked what follows these.
            return fill(connection, page.cursor, found, false);
        }
        if patience < WAIT {
            return Ok(page);
        }
    }
}

/// Returns what follows `after` now.
async fn page_at_once(connection: &mut Connection, layout: &Layout, after: Option<&Cursor>) -> Result<Page, Fault> {
    let from = after.map_or(Place::BEGINNING, |cursor| Place::from_position(cursor.position()));
    let mut answer = ask(connection, layout, from).await?;
    let goes_on = |answer: &Answer| {
        // If the last entry that the reader read is still there, what follows is what it has not read. It is not there
        // if the cursor is ahead of the log, before its first entry, or in a part that a promoted replica lacks.
        after.is_none_or(|cursor| {
            cursor.incarnation() == answer.incarnation && (answer.is_there || from == Place::BEGINNING)
        })
    };
    let is_restart = !goes_on(&answer);
    let from = if is_restart { Place::BEGINNING } else { from };
    if is_restart {
        answer = ask(connection, layout, from).await?;
    }
    let mut page = fill(connection, Cursor::new(answer.incarnation, from.position()), answer.entries, true)?;
    page.is_restart = is_restart;
    Ok(page)
}

/// The server's answers in one round trip.
struct Answer {
    incarnation: u128,
    /// Whether the requested entry is there.
    is_there: bool,
    /// At most one page of the entries after it.
    entries: Vec<Value>,
}

/// This is not a transaction, because a server without free memory refuses those even if they only read. Instead, the
/// checks come after the read: an entry that is there then was there before. And nothing here writes.
async fn ask(connection: &mut Connection, layout: &Layout, after: Place) -> Result<Answer, Fault> {
    let id = after.id();
    let mut pipeline = pipe();
    pipeline.cmd("XREAD").arg("COUNT").arg(PAGE).arg("STREAMS").arg(&layout.stream).arg(&id);
    pipeline.cmd("XRANGE").arg(&layout.stream).arg(&id).arg(&id);
    pipeline.add_command(layout.marker()).cmd("ROLE");
    let (entries, there, marker, role): (Value, Value, HashMap<String, String>, Value) =
        connection.ask(&pipeline).await?;
    if !survey::is_master(&role) {
        return Err(connection.is_no_master());
    }
    let incarnation = match Marker::read(&marker)?.incarnation {
        Some(incarnation) => incarnation,
        // The marker was removed while we were connected.
        None => connection.register(layout).await?.incarnation.ok_or_else(|| connection.nonsense())?,
    };
    let entries = layout::of_one_stream(entries).ok_or_else(|| connection.nonsense())?;
    Ok(Answer { incarnation, is_there: layout::first_place(&there).is_some(), entries })
}

/// Returns a page of these entries. `is_whole` says that the server was asked whether more follow, so that fewer
/// entries than a page are the last ones.
fn fill(connection: &Connection, from: Cursor, entries: Vec<Value>, is_whole: bool) -> Result<Page, Fault> {
    let mut page = Page::empty(from);
    page.is_last = is_whole && entries.len() < PAGE;
    for entry in entries {
        let place = take(entry, &mut page).ok_or_else(|| connection.nonsense())?;
        page.cursor = Cursor::new(from.incarnation(), place.position());
        page.as_of = Some(UnixTime::from_secs(place.millisecond / 1000)); // by the server's clock
    }
    Ok(page)
}

/// Adds an entry of the stream to the page, and returns its place.
fn take(entry: Value, page: &mut Page) -> Option<Place> {
    let mut parts = layout::list(entry)?.into_iter();
    let place = Place::read(&parts.next()?)?;
    // Fields and values alternate.
    let mut fields = layout::list(parts.next()?)?.into_iter();
    let mut found = None;
    while let (Some(field), Some(value)) = (fields.next(), fields.next()) {
        if layout::text(&field) == Some(ENTRY) {
            found = Some(value);
        }
    }
    match found.as_ref().and_then(layout::text) {
        Some(text) => page.take(text),
        None => page.unreadable += 1,
    }
    Some(place)
}
