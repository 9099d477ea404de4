//! [`Link`]: a connection to the servers, and [`Connection`]: one to a stream of revocations, with the requests that are made on it.

use std::{
    error::Error,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, Subscriber,
    jetstream::{
        self, Context, ContextBuilder, ErrorCode,
        consumer::{AckPolicy, DeliverPolicy, pull},
        context::{PublishError, RequestError, RequestErrorKind},
        message::PublishMessage,
        response::Response,
        stream::{Config, ConsumerErrorKind, Info, RawMessageErrorKind},
    },
};
use portcullis_core::revocation::LogError;
use tokio::{select, sync::watch, time::timeout};

use super::{
    access::Access,
    error::{Brief, connection_lost, refused},
    layout::{Layout, nanos},
    survey,
};

/// How long one request may wait for its answer. A call makes several, and has to answer within about five seconds.
const ANSWER: Duration = Duration::from_secs(2);

/// The client's own limit, which must not be reached before ours.
const NEVER_MIND: Duration = Duration::from_secs(60);

/// Space for the header that names the stream.
const HEADER_SIZE: usize = 512;

/// A connection to the servers. Dropped after the first failure.
#[derive(Debug)]
pub(crate) struct Link {
    client: Client,
    pub(crate) context: Context,
    trouble: watch::Receiver<Option<LogError>>,
    is_given_up: AtomicBool,
}

impl Link {
    /// Connects under this name, which the servers show to operators.
    pub(crate) async fn open(access: &Access, name: &str) -> Result<Self, LogError> {
        let sender = Arc::new(watch::Sender::new(None));
        let trouble = sender.subscribe();
        let client = access.connect(name, sender).await?;
        let context = ContextBuilder::new().timeout(NEVER_MIND).ack_timeout(NEVER_MIND).build(client.clone());
        Ok(Self { client, context, trouble, is_given_up: AtomicBool::new(false) })
    }

    /// Whether it can be used for another call.
    pub(crate) fn is_good(&self) -> bool {
        !self.is_given_up.load(Ordering::Relaxed) && self.trouble.borrow().is_none()
    }

    /// Makes the next call open a new connection.
    pub(crate) fn give_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// Returns the server's version.
    pub(crate) fn version(&self) -> String {
        self.client.server_info().version
    }

    /// Returns how many bytes a message to the server may have.
    pub(crate) fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Returns the configuration and the state of the stream, which is created if there is none.
    pub(crate) async fn info_or_new(&self, config: Config) -> Result<Info, LogError> {
        if let Some(info) = self.find(&config.name).await? {
            return Ok(info);
        }
        let created = self.ask(self.context.request(format!("STREAM.CREATE.{}", config.name), &config)).await?;
        match created.map_err(|error| self.unanswered(&error))? {
            Response::Ok(info) => Ok(info),
            // Another instance may have been faster. The server then answers with one of several errors, such as
            // "subjects overlap".
            Response::Err { error } => {
                self.find(&config.name).await?.ok_or_else(|| refused("create the stream", &error))
            }
        }
    }

    async fn find(&self, stream: &str) -> Result<Option<Info>, LogError> {
        let found = self.ask(self.context.request(format!("STREAM.INFO.{stream}"), &())).await?;
        match found.map_err(|error| self.unanswered(&error))? {
            Response::Ok(info) => Ok(Some(info)),
            Response::Err { error } if error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(None),
            Response::Err { error } => {
                self.give_up(); // a server that temporarily does not know the stream may have lost some of it
                Err(refused("look at the stream", &error))
            }
        }
    }

    /// Returns once a stream has stored the message, or has answered that it does not.
    pub(crate) async fn publish(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> Result<Result<(), PublishError>, LogError> {
        let publish = async { self.context.send_publish(subject, message).await?.await };
        Ok(self.ask(publish).await?.map(drop))
    }

    /// Explains why a message was not stored. `what` completes "NATS does not let us".
    pub(crate) fn not_stored(&self, what: &str, error: &PublishError) -> LogError {
        let answer = error.source().and_then(|source| source.downcast_ref::<jetstream::Error>());
        if let Some(error) = answer {
            return refused(what, error);
        }
        self.give_up(); // the next connection creates the stream if it is gone
        LogError::unavailable("NATS did not store the message").with_source(Brief::of(error))
    }

    /// Waits until the connection is broken, and returns why.
    async fn broken(&self) -> LogError {
        let mut trouble = self.trouble.clone();
        let error = trouble.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        error.unwrap_or_else(connection_lost)
    }

    /// Waits for an answer, with a time limit, and not on a broken connection.
    pub(crate) async fn ask<T>(&self, question: impl Future<Output = T>) -> Result<T, LogError> {
        select! {
            answer = timeout(ANSWER, question) => answer.map_err(|_| {
                self.give_up();
                LogError::unavailable("NATS does not answer")
            }),
            error = self.broken() => Err(error),
        }
    }

    fn unanswered(&self, error: &RequestError) -> LogError {
        self.give_up();
        if error.kind() == RequestErrorKind::NoResponders && !self.client.server_info().jetstream {
            return LogError::misconfigured(
                "the NATS server has no JetStream: start it with `-js`, or with a `jetstream` block",
            );
        }
        LogError::unavailable("JetStream does not answer").with_source(Brief::of(error))
    }

    fn lost(&self, error: &impl Error) -> LogError {
        self.give_up();
        connection_lost().with_source(Brief::of(error))
    }
}

/// A connection to a stream that existed and was configured correctly.
#[derive(Debug)]
pub(super) struct Connection {
    link: Link,
    stream: String,
    subject: String,
    /// How many bytes of entries fit into a message.
    pub(super) room: usize,
    /// The server's version.
    pub(super) version: String,
}

impl Connection {
    /// Connects, and creates the stream if there is none. Also returns warnings.
    pub(super) async fn open(access: &Access, layout: &Layout) -> Result<(Self, Vec<String>), LogError> {
        let link = Link::open(access, "portcullis revocations").await?;
        let info = link.info_or_new(layout.config()).await?;
        let version = link.version();
        survey::accept(layout, &info, &version)?;
        let room = survey::largest_message(&info, link.max_payload())?.saturating_sub(HEADER_SIZE);
        let warnings = survey::warnings(&info, &version);
        Ok((Self { link, stream: layout.stream.clone(), subject: layout.subject.clone(), room, version }, warnings))
    }

    /// Whether it can be used for another call.
    pub(super) fn is_good(&self) -> bool {
        self.link.is_good()
    }

    /// Makes the next call open a new connection.
    pub(super) fn give_up(&self) {
        self.link.give_up();
    }

    /// Returns the configuration and the state of the stream.
    pub(super) async fn info(&self) -> Result<Info, LogError> {
        self.link.find(&self.stream).await?.ok_or_else(|| {
            self.give_up(); // the next connection creates it
            LogError::unavailable(format!("the NATS stream {} is gone", self.stream))
        })
    }

    /// Returns once the stream has stored it.
    pub(super) async fn publish(&self, payload: String) -> Result<(), LogError> {
        // Another stream with this subject would swallow revocations.
        let message = PublishMessage::build().payload(payload.into()).expected_stream(&self.stream);
        let published = self.link.publish(self.subject.clone(), message).await?;
        published.map_err(|error| self.link.not_stored("write to the stream", &error))
    }

    /// Returns when the message with this number was stored; `None` if there is none.
    pub(super) async fn time_of(&self, sequence: u64) -> Result<Option<u64>, LogError> {
        self.message(sequence, false).await
    }

    /// Whether there is a message with this number or a higher one. The leader of the stream answers, not the server of
    /// a consumer.
    pub(super) async fn has_from(&self, sequence: u64) -> Result<bool, LogError> {
        Ok(self.message(sequence, true).await?.is_some())
    }

    async fn message(&self, sequence: u64, or_next: bool) -> Result<Option<u64>, LogError> {
        let get = async {
            let stream = self.link.context.get_stream_no_info(&self.stream).await.map_err(|error| {
                LogError::misconfigured("the name of the NATS stream is not valid").with_source(Brief::of(&error))
            })?;
            let message = stream.raw_message_builder().sequence(sequence);
            let message = if or_next { message.next_by_subject(self.subject.as_str()) } else { message };
            match message.send().await {
                Ok(message) => Ok(Some(nanos(message.time))),
                Err(error) => match error.kind() {
                    RawMessageErrorKind::NoMessageFound => Ok(None),
                    RawMessageErrorKind::JetStream(error) => Err(refused("read the stream", &error)),
                    _ => Err(LogError::unavailable("NATS does not read the stream").with_source(Brief::of(&error))),
                },
            }
        };
        self.link.ask(get).await?
    }

    /// Creates a consumer that begins with that message. The server forgets it when it has not been asked for messages
    /// for `forgotten_after`. Returns the subject on which it is asked for messages.
    pub(super) async fn consumer(&self, start_sequence: u64, forgotten_after: Duration) -> Result<String, LogError> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            ack_policy: AckPolicy::None,
            inactive_threshold: forgotten_after,
            // It does not need to survive anything: the reader knows its own position.
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        match self.link.ask(self.link.context.create_consumer_on_stream(config, &self.stream)).await? {
            Ok(consumer) => {
                let name = &consumer.cached_info().name;
                Ok(format!("$JS.API.CONSUMER.MSG.NEXT.{}.{name}", self.stream))
            }
            Err(error) => match error.kind() {
                ConsumerErrorKind::JetStream(error) => Err(refused("follow the stream", &error)),
                _ => {
                    Err(LogError::unavailable("NATS does not let us follow the stream").with_source(Brief::of(&error)))
                }
            },
        }
    }

    /// Returns a subject of our own, and the messages that are sent to it.
    pub(super) async fn inbox(&self) -> Result<(String, Subscriber), LogError> {
        let inbox = self.link.client.new_inbox();
        let subscribed = self.link.ask(self.link.client.subscribe(inbox.clone())).await?;
        let messages = subscribed.map_err(|error| self.link.lost(&error))?;
        Ok((inbox, messages))
    }

    /// Sends a message whose answer arrives in the inbox.
    pub(super) async fn send(&self, subject: &str, inbox: &str, payload: String) -> Result<(), LogError> {
        let send = self.link.client.publish_with_reply(subject.to_owned(), inbox.to_owned(), payload.into());
        self.link.ask(send).await?.map_err(|error| self.link.lost(&error))
    }

    /// Waits until the connection is broken, and returns why.
    pub(super) async fn broken(&self) -> LogError {
        self.link.broken().await
    }
}
