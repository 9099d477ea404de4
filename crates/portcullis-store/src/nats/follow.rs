//! [`Feed`]: receives new messages from the server, in its order.

use std::{sync::Arc, time::Duration};

use async_nats::{Message, StatusCode, Subscriber};
use futures_util::{FutureExt, StreamExt};
use portcullis_core::revocation::{LogError, Page};
use tokio::{
    select,
    time::{Instant, sleep_until},
};

use super::{
    connection::Connection,
    layout::{Place, Standing},
};

/// How many messages are requested at once at most. With a lower number, a long log takes longer to read (with 500: a
/// quarter longer).
const LARGEST_PULL: u64 = 2500;

/// About how many bytes are requested at once: this much may be buffered here.
const PULL_BYTES: u64 = 8 * 1024 * 1024;

/// How long the server remembers a request. Until then it sends new messages at once.
const PULL_LASTS: Duration = Duration::from_secs(30);

/// The server forgets a consumer that was not asked for messages for this long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// How long after its last use a consumer is trusted to still exist. (The server does not answer a request to a missing
/// one.)
const UNUSED: Duration = Duration::from_secs(20);

/// A consumer of the stream for one reader, and its position. It belongs to one connection.
///
/// Nothing is lost if its caller stops waiting, at any point: messages that have arrived stay here. But a message that
/// was taken from it is not returned again; a reader with its cursor elsewhere opens another feed.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) connection: Arc<Connection>,
    pub(super) incarnation: u128,
    /// The message after which it continues.
    pub(super) place: Place,
    consumer: String,
    inbox: String,
    messages: Subscriber,
    /// How many messages it has received since it was created. The server counts, too: a difference shows that messages
    /// were lost.
    given: u64,
    /// How many messages are requested at once.
    pull: u64,
    /// How many of them the server may still send before it has to be asked again.
    due: u64,
    asked_at: Instant,
    used_at: Instant,
    is_over: bool,
}

/// The result of waiting for a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// One message, which is now in the page; the feed continues after it.
    Message,
    /// No message arrived in time.
    Silence,
    /// A message is missing, or the server has ended the feed: a new one is needed.
    End,
}

impl Feed {
    /// Opens a feed that continues after `place`.
    pub(super) async fn open(connection: &Arc<Connection>, standing: Standing, place: Place) -> Result<Self, LogError> {
        let (inbox, messages) = connection.inbox().await?;
        let consumer = connection.consumer(place.sequence.saturating_add(1), FORGOTTEN_AFTER).await?;
        let now = Instant::now();
        let connection = Arc::clone(connection);
        Ok(Self {
            connection,
            incarnation: standing.incarnation,
            place,
            consumer,
            inbox,
            messages,
            given: 0,
            pull: (PULL_BYTES / standing.mean_size.max(1)).clamp(1, LARGEST_PULL),
            due: 0,
            asked_at: now,
            used_at: now,
            is_over: false,
        })
    }

    /// Whether the reader can continue with this feed at that place.
    pub(super) fn is_at(&self, connection: &Arc<Connection>, incarnation: u128, place: Place) -> bool {
        let is_same =
            Arc::ptr_eq(&self.connection, connection) && self.incarnation == incarnation && self.place == place;
        is_same && !self.is_over && connection.is_good() && self.used_at.elapsed() < UNUSED
    }

    /// Adds the next message to the page, if it arrives before `until`.
    pub(super) async fn next(&mut self, until: Instant, page: &mut Page) -> Result<Heard, LogError> {
        loop {
            if self.due == 0 {
                self.ask_for_more().await?;
            }
            // The server has forgotten the request by then, and should have said so.
            let is_deaf_at = self.asked_at + PULL_LASTS * 2;
            let message = select! {
                biased;
                message = self.messages.next() => message,
                () = sleep_until(until.min(is_deaf_at)) => {
                    self.used_at = Instant::now();
                    self.is_over = self.used_at >= is_deaf_at;
                    return Ok(if self.is_over { Heard::End } else { Heard::Silence });
                }
                error = self.connection.broken() => return Err(error),
            };
            if let Some(heard) = self.hear(message, page) {
                return Ok(heard);
            }
        }
    }

    /// Adds messages that have already arrived to the page, until it has `most` entries.
    pub(super) fn take_what_is_here(&mut self, page: &mut Page, most: usize) {
        while page.entries.len() < most
            && let Some(message) = self.messages.next().now_or_never()
            && self.hear(message, page) != Some(Heard::End)
        {}
    }

    async fn ask_for_more(&mut self) -> Result<(), LogError> {
        let question = format!(r#"{{"batch":{},"expires":{}}}"#, self.pull, PULL_LASTS.as_nanos());
        self.connection.send(&self.consumer, &self.inbox, question).await?;
        (self.due, self.asked_at, self.used_at) = (self.pull, Instant::now(), Instant::now());
        Ok(())
    }

    /// Returns `None` if the message only says that it is time to ask again.
    fn hear(&mut self, message: Option<Message>, page: &mut Page) -> Option<Heard> {
        match message.as_ref().map(|message| message.status) {
            Some(None | Some(StatusCode::OK)) => {}
            Some(Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND)) => {
                self.due = 0;
                return None;
            }
            Some(Some(StatusCode::IDLE_HEARTBEAT)) => return None,
            Some(Some(_)) | None => self.is_over = true,
        }
        let message = message.filter(|_| !self.is_over);
        let label = message.as_ref().and_then(|message| message.reply.as_deref()).and_then(label);
        let (Some(message), Some((place, given))) = (message, label) else {
            self.is_over = true;
            return Some(Heard::End);
        };
        if given != self.given + 1 || place.sequence <= self.place.sequence {
            self.is_over = true;
            return Some(Heard::End);
        }
        (self.given, self.place, self.used_at) = (given, place, Instant::now());
        self.due = self.due.saturating_sub(1);
        take(&message.payload, page);
        Some(Heard::Message)
    }
}

/// A message has the entries of one `append`, one per line.
fn take(payload: &[u8], page: &mut Page) {
    for line in payload.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match str::from_utf8(line) {
            Ok(line) => page.take(line),
            Err(_) => page.unreadable += 1,
        }
    }
}

/// Returns the message's number and time, and how many messages the consumer has sent so far. The server writes these
/// into the subject for acknowledgements:
/// `$JS.ACK.<stream>.<consumer>.<times>.<sequence>.<given>.<nanoseconds>.<more>`. Newer servers that use a domain and
/// an account write them before the stream.
fn label(reply: &str) -> Option<(Place, u64)> {
    let words: Vec<_> = reply.strip_prefix("$JS.ACK.")?.split('.').collect();
    let first = if words.len() >= 9 { 5 } else { 3 };
    let mut numbers = words.get(first..first + 3)?.iter().map(|word| word.parse::<u64>());
    let (sequence, given, nanos) = (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    Some((Place { sequence, nanos }, given))
}

#[cfg(test)]
mod tests {
    use portcullis_core::{
        UnixTime,
        revocation::{Cursor, Revocation, RevocationEntry},
    };

    use super::*;

    #[test]
    fn both_forms_of_the_label_are_read() {
        let expected = Some((Place { sequence: 20, nanos: 1_795_665_753_339_413_419 }, 3));
        assert_eq!(label("$JS.ACK.X.c.1.20.3.1795665753339413419.2"), expected);
        assert_eq!(label("$JS.ACK._.ACC.X.c.1.20.3.1795665753339413419.2.token"), expected);
        assert_eq!(label("$JS.ACK.X.c.1.20.3"), None);
        assert_eq!(label("_INBOX.x"), None);
    }

    #[test]
    fn a_line_that_is_no_text_is_counted_and_hides_none_behind_it() {
        let entry = RevocationEntry::new(Revocation::session("i", "s"), UnixTime::from_secs(1));
        let mut page = Page::empty(Cursor::new(1, 1));
        take(&[b"\xff\xfe\n\n", entry.to_json().as_bytes()].concat(), &mut page);
        assert_eq!((page.entries, page.unreadable), (vec![entry], 1));
    }
}
