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
pub(super) struct Connection {
    link: Link,
    stream: Stream<()>,
    name: String,
    /// How many bytes a value may have.
    pub(super) room: usize,
}

/// A value, and the number by which it can be replaced if no other has replaced it before.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) value: Vec<u8>,
    pub(super) revision: u64,
}

impl Connection {
    /// Connects, and creates the bucket if there is none. Also returns warnings.
    pub(super) async fn open(access: &Access, layout: &Layout) -> Result<(Self, Vec<String>), LogError> {
        let link = Link::open(access, "portcullis sessions").await?;
        survey::accept_server(&link.version())?;
        let info = link.info_or_new(layout.config()).await?;
        survey::accept(layout, &info)?;
        let room = survey::largest_value(&info, link.max_payload())?.saturating_sub(HEADER_SIZE);
        let warnings = survey::warnings(&info);
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

    /// Returns the value of a key; `None` if there is none, or it was deleted.
    ///
    /// The leader of the stream answers this request. A "direct get", which clients use for buckets by default, is answered by any replica,
    /// and a replica may not know yet that a session has ended.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Entry>, LogError> {
        let get = self.stream.raw_message_builder().last_by_subject(key).send();
        let message = match self.link.ask(get).await? {
            Ok(message) => message,
            Err(error) => {
                return match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(None),
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
        Ok((!is_deleted).then(|| Entry { value: message.payload.to_vec(), revision: message.sequence }))
    }

    /// Writes a key without a value, whatever is there.
    pub(super) async fn put(&self, key: String) -> Result<(), LogError> {
        let published = self.link.publish(key, self.message()).await?;
        published.map_err(|error| self.link.not_stored("write to the bucket", &error))
    }

    /// Replaces a value if its number is still `revision`, which is zero for one that does not exist. Returns whether it was.
    pub(super) async fn replace(&self, key: String, value: String, revision: u64) -> Result<bool, LogError> {
        let message = self.message().payload(value.into()).expected_last_subject_sequence(revision);
        match self.link.publish(key, message).await? {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(false),
            Err(error) => Err(self.link.not_stored("write to the bucket", &error)),
        }
    }

    /// Begins a message. Another stream that took over the bucket's keys would swallow it.
    fn message(&self) -> PublishMessage {
        PublishMessage::build().expected_stream(&self.name)
    }

    /// Returns the keys that a pattern matches, after it was checked that the bucket still keeps sessions long enough.
    pub(super) async fn keys(&self, layout: &Layout, pattern: &str) -> Result<Vec<String>, LogError> {
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
