//! [`Connection`]: a connection to the server, and the queries that are sent on it.

use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_core::revocation::LogError;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    join,
    sync::{Mutex, watch},
    task::JoinSet,
    time::timeout,
};
use tokio_postgres::{
    AsyncMessage, Client, Connection as Driver, Error, NoTls, Row, Socket,
    tls::MakeTlsConnect,
    types::{ToSql, Type},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{access::Access, error::explain, follow::News};

/// The server's own limits: shorter than ours, so that it gives up before we disconnect and leave it working.
/// (PostgreSQL does not notice that a client is gone while it waits for a lock.)
const LIMITS: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '3s'";

/// How long PostgreSQL may take to answer, including the connection. Longer than the server's own limit for a
/// statement, so that a long wait usually ends with the server's error, which says what it waited for.
const LIMIT: Duration = Duration::from_secs(4);

/// What a query does on the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Reads,
    Writes,
}

impl Work {
    fn begin(self) -> String {
        let mode = match self {
            // The planner expects few rows after the end of its last statistics, and would sort all of them for each
            // page.
            Self::Reads => "READ ONLY; SET LOCAL enable_sort = off",
            Self::Writes => "READ WRITE",
        };
        // Not the database's default: with SERIALIZABLE, writers would make each other fail.
        format!("BEGIN ISOLATION LEVEL READ COMMITTED {mode}; {LIMITS}")
    }
}

pub(crate) type Parameters<'a> = &'a [(&'a (dyn ToSql + Sync), Type)];

/// A connection to PostgreSQL, and the task that drives it, which ends with it.
///
/// The only setting of the session is `LISTEN`, and no statement is prepared: behind `PgBouncer` a session is not ours.
pub(crate) struct Connection {
    client: Client,
    /// Held while the statements of a transaction are sent and answered: two transactions must not mix.
    turn: Mutex<()>,
    /// Changes when the server notifies, and is closed with the connection.
    news: watch::Receiver<()>,
    /// Whether it must not be used for anything new.
    is_spent: AtomicBool,
    timeline: u32,
    _driver: JoinSet<()>,
}

impl Connection {
    pub(crate) async fn open(access: &Access) -> Result<Self, LogError> {
        match access.tls()? {
            Some(tls) => Self::open_by(access, MakeRustlsConnect::new(tls)).await,
            None => Self::open_by(access, NoTls).await,
        }
    }

    async fn open_by<T>(access: &Access, tls: T) -> Result<Self, LogError>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let (client, driver) = access.config().connect(tls).await.map_err(explain)?;
        let (sender, news) = watch::channel(());
        let mut task = JoinSet::new();
        task.spawn(drive(driver, sender));
        Ok(Self { client, turn: Mutex::new(()), news, is_spent: AtomicBool::new(false), timeline: 0, _driver: task })
    }

    pub(crate) fn is_usable(&self) -> bool {
        !self.is_spent.load(Ordering::Relaxed) && !self.client.is_closed()
    }

    /// Makes sure that the connection is not used again.
    pub(crate) fn give_up(&self) {
        self.is_spent.store(true, Ordering::Relaxed);
    }

    /// Returns the timeline of the server's write-ahead log, which does not change during a connection.
    pub(crate) fn timeline(&self) -> u32 {
        self.timeline
    }

    pub(crate) fn with_timeline(self, timeline: u32) -> Self {
        Self { timeline, ..self }
    }

    /// Runs a query in its own transaction. After any failure the connection is not used again.
    pub(crate) async fn ask(&self, work: Work, query: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, LogError> {
        self.try_to_ask(work, query, parameters).await.map_err(|error| {
            self.give_up();
            explain(error)
        })
    }

    /// Runs a query in its own transaction, which the server ends in any case; so the connection can still be used.
    pub(crate) async fn try_to_ask(
        &self,
        work: Work,
        query: &str,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, Error> {
        let _turn = self.turn.lock().await;
        let in_doubt = InDoubt(Some(self));
        let begin = work.begin();
        // All three are sent before the first is answered. A call that is cancelled in between leaves no transaction
        // open. It is never cancelled on the server, because a commit that waits for a standby would then count as
        // done.
        let (begun, rows, committed) = join!(
            biased;
            self.client.batch_execute(&begin),
            self.client.query_typed(query, parameters),
            self.client.batch_execute("COMMIT"),
        );
        in_doubt.settle();
        begun?;
        let rows = rows?;
        committed?;
        Ok(rows)
    }

    /// Runs statements without parameters, all or none.
    pub(crate) async fn run(&self, statements: &str) -> Result<(), LogError> {
        let _turn = self.turn.lock().await;
        let in_doubt = InDoubt(Some(self));
        let begin = Work::Writes.begin();
        let outcome = self.client.batch_execute(&format!("{begin}; {statements}; COMMIT")).await;
        if outcome.is_ok() {
            in_doubt.settle();
        }
        outcome.map_err(explain)
    }

    /// Returns a [`News`] that tells whether anything was appended after this call.
    pub(super) fn news(&self) -> News {
        News::of(&self.news)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("is_usable", &self.is_usable()).finish_non_exhaustive()
    }
}

/// Marks a connection as spent if its owner is dropped while an answer is due, because the next query would also hang.
struct InDoubt<'a>(Option<&'a Connection>);

impl InDoubt<'_> {
    fn settle(mut self) {
        self.0 = None;
    }
}

impl Drop for InDoubt<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.0 {
            connection.give_up();
        }
    }
}

async fn drive<S, T>(mut driver: Driver<S, T>, news: watch::Sender<()>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| driver.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            news.send_replace(());
        }
    }
}

/// The place for the one connection of one kind of work, which is replaced when it is not good.
#[derive(Debug, Default)]
pub(crate) struct Lane(Mutex<Option<Arc<Connection>>>);

impl Lane {
    pub(crate) async fn connection(
        &self,
        open: impl Future<Output = Result<Connection, LogError>>,
    ) -> Result<Arc<Connection>, LogError> {
        let mut place = self.0.lock().await;
        if let Some(connection) = place.as_ref().filter(|connection| connection.is_usable()) {
            return Ok(Arc::clone(connection));
        }
        *place = None;
        let connection = Arc::new(open.await?);
        *place = Some(Arc::clone(&connection));
        Ok(connection)
    }
}

/// Waits for an answer, with a time limit.
pub(crate) async fn promptly<T>(answer: impl Future<Output = Result<T, LogError>>) -> Result<T, LogError> {
    timeout(LIMIT, answer).await.unwrap_or_else(|_| {
        Err(LogError::unavailable(format!("PostgreSQL does not answer within {} seconds", LIMIT.as_secs())))
    })
}
