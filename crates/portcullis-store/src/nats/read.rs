//! Reads a page of the stream, and decides where a reader may continue.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    UnixTime,
    revocation::{Cursor, LogError, Page},
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

use super::{
    connection::Connection,
    follow::{Feed, Heard},
    layout::{Layout, PAGE, Place, Standing},
    survey,
};

/// How long a feed may be silent although something follows, before the reason is checked.
const SILENCE: Duration = Duration::from_millis(500);

/// After this time a page is returned even if it is not full: on a slow connection a full page would take longer than a
/// call may.
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// How often a feed may end within one call. Once is normal: the server forgets feeds, or hands them over.
const ENDS: usize = 2;

/// How long to wait for the feed. A read that was just cancelled releases it; one that continues does not, and then
/// this read opens a feed of its own.
const LET_GO: Duration = Duration::from_millis(20);

/// Returns what follows `after`, and waits for it until that instant. `feed` is kept for the reader that continues at
/// its last position.
pub(super) async fn page(
    connection: &Arc<Connection>,
    layout: &Layout,
    feed: &Mutex<Option<Feed>>,
    after: Option<&Cursor>,
    until: Instant,
) -> Result<Page, LogError> {
    let mut kept = timeout(LET_GO, feed.lock()).await;
    let mut own = None;
    let slot = kept.as_deref_mut().unwrap_or(&mut own);
    // The last round comes after the waiting: the server is asked once more.
    for _ in 0..=ENDS + 1 {
        let info = connection.info().await?;
        survey::accept(layout, &info, &connection.version)?; // an operator may have changed it since we connected
        let standing = Standing::of(&info);
        let (feed, is_restart) = feed_for(slot, connection, standing, after).await?;
        let mut page = Page::empty(cursor(feed));
        page.is_restart = is_restart;
        if feed.place.sequence < standing.last {
            return read_to_end(feed, standing, page).await;
        }
        if Instant::now() >= until {
            return Ok(page);
        }
        if feed.next(until, &mut page).await? == Heard::Message {
            feed.take_what_is_here(&mut page, PAGE);
            (page.cursor, page.as_of) = (cursor(feed), time_of(feed.place));
            // When the server was asked, nothing followed. A later append does not change that.
            return Ok(page);
        }
    }
    Err(ended())
}

/// Returns a feed after the cursor, or from the beginning, and whether it starts again although the reader wanted to
/// continue.
async fn feed_for<'a>(
    slot: &'a mut Option<Feed>,
    connection: &Arc<Connection>,
    standing: Standing,
    after: Option<&Cursor>,
) -> Result<(&'a mut Feed, bool), LogError> {
    let start = Place { sequence: standing.first.saturating_sub(1), nanos: 0 };
    let goes_on = after.and_then(|cursor| place_to_go_on(cursor, standing));
    let place = goes_on.unwrap_or(start);
    if let Some(feed) = slot.take().filter(|feed| feed.is_at(connection, standing.incarnation, place)) {
        return Ok((slot.insert(feed), after.is_some() && goes_on.is_none()));
    }
    let is_there = is_still_there(connection, standing, place).await?;
    let place = if is_there { place } else { start };
    let feed = Feed::open(connection, standing, place).await?;
    Ok((slot.insert(feed), after.is_some() && (goes_on.is_none() || !is_there)))
}

/// Returns the cursor's position, if it is in this stream and the next messages have not been trimmed.
fn place_to_go_on(cursor: &Cursor, standing: Standing) -> Option<Place> {
    let place = Place::at(cursor.position());
    let is_within = place.sequence <= standing.last && place.sequence.saturating_add(1) >= standing.first;
    (cursor.incarnation() == standing.incarnation && is_within).then_some(place)
}

/// Whether the message is still the one that the reader has read. It is not in a stream that was rolled back and has
/// grown again.
async fn is_still_there(connection: &Connection, standing: Standing, place: Place) -> Result<bool, LogError> {
    if place.sequence < standing.first {
        return Ok(true); // it has expired, and nothing was between it and the first
    }
    Ok(connection.time_of(place.sequence).await? == (place.nanos != 0).then_some(place.nanos))
}

/// Reads to the end that the stream had, or until the page is full.
async fn read_to_end(feed: &mut Feed, standing: Standing, mut page: Page) -> Result<Page, LogError> {
    let started = Instant::now();
    let mut ends = 0;
    while feed.place.sequence < standing.last && page.entries.len() < PAGE {
        if started.elapsed() > LONG_ENOUGH && !page.entries.is_empty() {
            break;
        }
        if feed.next(Instant::now() + SILENCE, &mut page).await? == Heard::Message {
            feed.take_what_is_here(&mut page, PAGE);
        } else if !feed.connection.has_from(feed.place.sequence.saturating_add(1)).await? {
            // The last messages have been deleted by hand: their numbers no longer exist.
            feed.place = Place { sequence: standing.last, nanos: 0 };
        } else if ends == ENDS {
            return Err(ended());
        } else {
            ends += 1;
            let connection = Arc::clone(&feed.connection);
            if !is_still_there(&connection, standing, feed.place).await? {
                connection.give_up(); // the stream has changed meanwhile: the next call finds out how
                return Err(ended());
            }
            *feed = Feed::open(&connection, standing, feed.place).await?;
        }
    }
    page.cursor = cursor(feed);
    page.as_of = time_of(feed.place);
    page.is_last = feed.place.sequence >= standing.last;
    Ok(page)
}

fn cursor(feed: &Feed) -> Cursor {
    Cursor::new(feed.incarnation, feed.place.position())
}

/// Returns when the server stored the message, by its clock; `None` if the feed is not after a message.
fn time_of(place: Place) -> Option<UnixTime> {
    (place.nanos != 0).then(|| UnixTime::from_secs(place.nanos / 1_000_000_000))
}

fn ended() -> LogError {
    LogError::unavailable("NATS has revocations, but does not send them")
}
