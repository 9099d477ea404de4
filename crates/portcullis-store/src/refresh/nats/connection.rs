//! [`Connection`]: a connection to a bucket, and the requests that are made on it.

use async_nats::jetstream::{
    context::PublishErrorKind,
    message::PublishMessage,
    stream::{LastRawMessageErrorKind, Stream},
};
use futures_util::TryStreamExt;
use portcullis_core::revocation::LogError;

use super::{layout::Layout, survey};
use crate::nats::{
    access::Access,
    connection::Link,
    error::{Brief, refused},
};

/// Space for the headers of a message.
const HEADER_SIZE: usize = 512;

/// Says what was done with a key.
const OPERATION: &str = "KV-Operation";

/// Says that the server deleted a key.
const MARKER: &str = "Nats-Marker-Reason";

/// A connection to a bucket that existed and was configured correctly.
#[derive(Debug)]
pub(crate) struct Connection {
    link: Link,
    stream: Stream<()>,
    name: String,
    /// How many bytes a value may have.
    pub(super) room: usize,
}

/// What is in a key, and the number by which it can be replaced if no other has replaced it before.
#[derive(Debug)]
pub(crate) struct Entry {
    /// `None` if the value was deleted.
    pub(crate) value: Option<Vec<u8>>,
    /// Zero if there never was a value, or it was purged.
    pub(crate) revision: u64,
}

impl Connection {
    /// Connects, and creates the bucket if there is none. Also returns warnings.
    pub(super) async fn open(access: &Access, layout: &Layout) -> Result<(Self, Vec<String>), LogError> {
        let link = Link::open(access, &format!("portcullis {}", layout.content.name())).await?;
        survey::accept_server(&link.version())?;
        let info = link.info_or_new(layout.config()).await?;
        survey::accept(layout, &info)?;
        let room = survey::largest_value(layout, &info, link.max_payload())?.saturating_sub(HEADER_SIZE);
        let warnings = survey::warnings(layout, &info);
        let name = layout.stream();
        let stream = link.context.get_stream_no_info(&name).await.map_err(|error| {
            LogError::misconfigured("the name of the NATS bucket is not valid").with_source(Brief::of(&error))
        })?;
        Ok((Self { link, stream, name, room }, warnings))
    }

    /// Whether it can be used for another call.
    pub(super) fn is_good(&self) -> bool {
        self.link.is_good()
    }

    /// Makes the next call open a new connection.
    pub(super) fn give_up(&self) {
        self.link.give_up();
    }

    /// Returns the value of a key, and its number; `None` if there is none, or it was deleted.
    pub(super) async fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u64)>, LogError> {
        let Entry { value, revision } = self.entry(key).await?;
        Ok(value.map(|value| (value, revision)))
    }

    /// Returns what is in a key, even if it was deleted.
    ///
    /// The leader of the stream answers this request. A "direct get", which clients use for buckets by default, is answered by any replica,
    /// and a replica may not know yet that a session has ended.
    pub(crate) async fn entry(&self, key: &str) -> Result<Entry, LogError> {
        let get = self.stream.raw_message_builder().last_by_subject(key).send();
        let message = match self.link.ask(get).await? {
            Ok(message) => message,
            Err(error) => {
                return match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(Entry { value: None, revision: 0 }),
                    LastRawMessageErrorKind::JetStream(error) => {
                        self.give_up(); // the next connection finds out whether the bucket is gone
                        Err(refused("read the bucket", &error))
                    }
                    _ => Err(LogError::unavailable("NATS does not read the bucket").with_source(Brief::of(&error))),
                };
            }
        };
        let operation = message.headers.get(OPERATION).map_or("", |operation| operation.as_str());
        let is_deleted = matches!(operation, "DEL" | "PURGE") || message.headers.get(MARKER).is_some();
        Ok(Entry { value: (!is_deleted).then(|| message.payload.to_vec()), revision: message.sequence })
    }

    /// Writes a key without a value, whatever is there.
    pub(super) async fn put(&self, key: String) -> Result<(), LogError> {
        let published = self.link.publish(key, self.message()).await?;
        published.map_err(|error| self.link.not_stored("write to the bucket", &error))
    }

    /// Replaces a value if its number is still `revision`, which is zero for one that does not exist. Returns whether it was.
    pub(crate) async fn replace(&self, key: String, value: String, revision: u64) -> Result<bool, LogError> {
        self.swap(key, self.message().payload(value.into()), revision).await
    }

    /// Deletes a value if its number is still `revision`. Returns whether it was. What is left says that it was deleted.
    pub(crate) async fn delete(&self, key: String, revision: u64) -> Result<bool, LogError> {
        self.swap(key, self.message().header(OPERATION, "DEL"), revision).await
    }

    async fn swap(&self, key: String, message: PublishMessage, revision: u64) -> Result<bool, LogError> {
        let message = message.expected_last_subject_sequence(revision);
        match self.link.publish(key, message).await? {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(false),
            Err(error) => Err(self.link.not_stored("write to the bucket", &error)),
        }
    }

    /// Removes what is in a key, if its number is still `revision`: a later one stays.
    pub(crate) async fn purge(&self, key: &str, revision: u64) -> Result<(), LogError> {
        let purge = self.stream.purge().filter(key).sequence(revision + 1);
        let purged = self.link.ask(purge.into_future()).await?;
        purged.map(drop).map_err(|error| {
            self.give_up();
            LogError::unavailable("NATS does not purge the bucket").with_source(Brief::of(&error))
        })
    }

    /// Begins a message. Another stream that took over the bucket's keys would swallow it.
    fn message(&self) -> PublishMessage {
        PublishMessage::build().expected_stream(&self.name)
    }

    /// Returns the keys that a pattern matches, after it was checked that the bucket still keeps sessions long enough.
    pub(crate) async fn keys(&self, layout: &Layout, pattern: &str) -> Result<Vec<String>, LogError> {
        let list = async {
            let found = self.stream.info_with_subjects(pattern).await?;
            let info = found.info.clone();
            found.map_ok(|(key, _)| key).try_collect().await.map(|keys| (info, keys))
        };
        let (info, keys) = self.link.ask(list).await?.map_err(|error| {
            self.give_up();
            LogError::unavailable("NATS does not list the keys of the bucket").with_source(Brief::of(&error))
        })?;
        survey::accept(layout, &info)?;
        Ok(keys)
    }
}
