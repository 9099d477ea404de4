//! Reading the stream.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, Page},
};
use redis::{Value, cmd, pipe};
use tokio::time::Instant;

use super::{
    connection::Link,
    error::Fault,
    layout::{Layout, Marker},
    reply::{self, Place},
};

/// How many entries to ask for at once: about 100 kB. The task that follows the log asks again when an answer takes 0.9 s, and gives up after
/// a while, so a page has to be far quicker than that on a slow machine. Pages of 5000 take about twice as long, and a million entries are
/// read no sooner with them (BENCHMARKS.md).
const PAGE: usize = 1000;

/// How long the server is asked to wait at once. After that it is asked again whether it is still the one to ask; and one that hangs is
/// noticed, however patient the reader is.
const WAIT: Duration = Duration::from_secs(2);

/// Connections of readers that nobody uses now. One reader is at work at a time, and perhaps somebody who lists the log.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<Link>>);

/// More than that are closed.
const MOST_IDLE: usize = 2;

impl Idle {
    pub(super) fn take(&self) -> Option<Link> {
        self.links().pop()
    }

    pub(super) fn put(&self, link: Link) {
        let mut links = self.links();
        if links.len() < MOST_IDLE {
            links.push(link);
        }
    }

    /// Closes all of them.
    pub(super) fn clear(&self) {
        self.links().clear();
    }

    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What follows `after`; waits for it until the deadline.
pub(super) async fn page(
    link: &mut Link,
    layout: &Layout,
    after: Option<&Cursor>,
    deadline: Instant,
) -> Result<Page, Fault> {
    loop {
        let page = page_at_once(link, layout, after).await?;
        let patience = deadline.saturating_duration_since(Instant::now()).min(WAIT);
        // To wait for zero milliseconds means for ever.
        let is_to_wait = page.entries.is_empty() && page.unreadable == 0 && !page.is_restart;
        if !is_to_wait || patience < Duration::from_millis(1) {
            return Ok(page);
        }
        let found = wait(link, layout, page.cursor, patience).await?;
        if !found.is_empty() {
            // What follows these nobody has asked.
            return fill(link, page.cursor, found, false);
        }
        if patience < WAIT {
            return Ok(page);
        }
    }
}

/// What follows `after` now.
async fn page_at_once(link: &mut Link, layout: &Layout, after: Option<&Cursor>) -> Result<Page, Fault> {
    let from = after.map_or(Place::BEGINNING, |cursor| Place::from_position(cursor.position()));
    let mut answer = ask(link, layout, from).await?;
    let goes_on = |answer: &Answer| {
        // Where the reader was, the entry that it read is still there: then what follows is what it has not read. So it is not
        // with a cursor that is ahead of the log, behind its first entry, or in a part that a promoted replica lacks.
        after.is_none_or(|cursor| {
            cursor.incarnation() == answer.incarnation && (answer.is_there || from == Place::BEGINNING)
        })
    };
    let is_restart = !goes_on(&answer);
    let from = if is_restart { Place::BEGINNING } else { from };
    if is_restart {
        answer = ask(link, layout, from).await?;
    }
    let mut page = fill(link, Cursor::new(answer.incarnation, from.position()), answer.entries, true)?;
    page.is_restart = is_restart;
    Ok(page)
}

/// What the server says in one round trip.
struct Answer {
    incarnation: u128,
    /// Whether the entry that was asked about is there.
    is_there: bool,
    /// At most a page of what follows it.
    entries: Vec<Value>,
}

/// No transaction: a server that has no memory left refuses those, even if they only read. Instead, whether to believe what was
/// read is asked after it: an entry that is there then was there before. And nothing here writes.
async fn ask(link: &mut Link, layout: &Layout, after: Place) -> Result<Answer, Fault> {
    let id = after.id();
    let mut pipeline = pipe();
    pipeline.cmd("XREAD").arg("COUNT").arg(PAGE).arg("STREAMS").arg(&layout.stream).arg(&id);
    pipeline.cmd("XRANGE").arg(&layout.stream).arg(&id).arg(&id);
    pipeline.add_command(layout.marker()).cmd("ROLE");
    let (entries, there, marker, role): (Value, Value, HashMap<String, String>, Value) = link.ask(&pipeline).await?;
    if !reply::is_master(&role) {
        return Err(link.is_no_master());
    }
    let incarnation = match Marker::read(&marker)?.incarnation {
        Some(incarnation) => incarnation,
        // Somebody removed it while we were connected.
        None => link.register(layout).await?.incarnation.ok_or_else(|| link.nonsense())?,
    };
    let entries = reply::of_one_stream(entries).ok_or_else(|| link.nonsense())?;
    Ok(Answer { incarnation, is_there: reply::first_place(&there).is_some(), entries })
}

async fn wait(link: &mut Link, layout: &Layout, after: Cursor, patience: Duration) -> Result<Vec<Value>, Fault> {
    let mut command = cmd("XREAD");
    let id = Place::from_position(after.position()).id();
    command.arg("COUNT").arg(PAGE).arg("BLOCK").arg(patience.as_millis().to_string());
    command.arg("STREAMS").arg(&layout.stream).arg(id);
    let answer = link.wait_for(&command, patience).await?;
    reply::of_one_stream(answer).ok_or_else(|| link.nonsense())
}

/// A page of these entries. `is_whole` if the server was asked whether more follow, so that fewer than a page are the last.
fn fill(link: &Link, from: Cursor, entries: Vec<Value>, is_whole: bool) -> Result<Page, Fault> {
    let mut page = Page::empty(from);
    page.is_last = is_whole && entries.len() < PAGE;
    for entry in entries {
        let place = reply::take(entry, &mut page).ok_or_else(|| link.nonsense())?;
        page.cursor = Cursor::new(from.incarnation(), place.position());
        page.as_of = Some(UnixTime::from_secs(place.millisecond / 1000)); // by the server's calendar
    }
    Ok(page)
}
