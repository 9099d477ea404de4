//! [`Link`]: a connection to a nats-server.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use async_nats::{Client, Event, Subscriber};
use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

use super::access::Access;
use crate::accounts::ResolverError;

/// How long connecting may take, with all servers.
const CONNECT: Duration = Duration::from_secs(4);

/// The current connection, which look-ups share.
pub(super) struct Links {
    pub(super) access: Access,
    current: Mutex<Option<Arc<Link>>>,
}

/// A connection. Dropped after the first failure.
pub(super) struct Link {
    client: Client,
    trouble: watch::Receiver<Option<ResolverError>>,
}

impl Links {
    pub(super) fn new(access: Access) -> Self {
        Self { access, current: Mutex::default() }
    }

    /// Returns the connection, or opens one.
    pub(super) async fn open(&self) -> Result<Arc<Link>, ResolverError> {
        let mut current = self.current.lock().await;
        if let Some(link) = current.as_ref().filter(|link| link.trouble.borrow().is_none()) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(Link::open(&self.access).await?);
        *current = Some(Arc::clone(&link));
        Ok(link)
    }
}

impl Link {
    pub(super) async fn open(access: &Access) -> Result<Self, ResolverError> {
        let sender = watch::Sender::new(None);
        let trouble = sender.subscribe();
        let options = access.options().await?.name("portcullis accounts").event_callback(move |event| {
            if let Some(error) = in_words(&event) {
                sender.send_if_modified(|known| known.is_none().then(|| *known = Some(error)).is_some());
            }
            std::future::ready(())
        });
        let unreachable = |error: async_nats::ConnectError| {
            ResolverError::new("NATS cannot be reached, or refuses our credentials").with_source(Brief::of(&error))
        };
        match timeout(CONNECT, options.connect(access.servers())).await {
            Ok(connected) => Ok(Self { client: connected.map_err(unreachable)?, trouble }),
            Err(_) => Err(ResolverError::new("NATS does not answer")),
        }
    }

    /// Waits until the connection is broken, and returns why.
    pub(super) async fn broken(&self) -> ResolverError {
        let mut trouble = self.trouble.clone();
        // An error would mean that the client has ended.
        let error = trouble.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        error.unwrap_or_else(connection_lost)
    }

    pub(super) async fn subscribe(&self, subject: String) -> Result<Subscriber, ResolverError> {
        self.client.subscribe(subject).await.map_err(|error| lost(&error))
    }

    /// Returns a subject of our own, and the messages that are sent to it.
    pub(super) async fn inbox(&self) -> Result<(String, Subscriber), ResolverError> {
        let inbox = self.client.new_inbox();
        Ok((inbox.clone(), self.subscribe(inbox).await?))
    }

    /// Sends a request without content, whose answers arrive in the inbox.
    pub(super) async fn send(&self, subject: String, inbox: String) -> Result<(), ResolverError> {
        self.client.publish_with_reply(subject, inbox, Vec::new().into()).await.map_err(|error| lost(&error))
    }
}

/// Returns what an event of the client means for the look-ups on the connection.
fn in_words(event: &Event) -> Option<ResolverError> {
    match event {
        Event::Disconnected | Event::Closed => Some(connection_lost()),
        // The text is the server's, such as that a permission is missing.
        Event::ServerError(error) => Some(ResolverError::new(format!("the NATS server refuses something: {error}"))),
        _ => None,
    }
}

pub(super) fn connection_lost() -> ResolverError {
    ResolverError::new("the connection to NATS was lost")
}

fn lost(error: &impl Error) -> ResolverError {
    connection_lost().with_source(Brief::of(error))
}

/// The message of the client's error, without its data, which may have secrets in it.
#[derive(Debug)]
pub(super) struct Brief(String);

impl Brief {
    pub(super) fn of(error: &impl Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Brief {}
