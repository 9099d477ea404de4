//! [`Connection`]: a connection to the server, and the commands that are sent on it.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::revocation::LogError;
use redis::{Cmd, FromRedisValue, Pipeline, RedisResult, Value, aio::MultiplexedConnection, from_redis_value, pipe};
use tokio::time::timeout;

use super::{
    access::Access,
    error::Fault,
    layout::{Layout, Marker, Place},
    survey::{self, Eviction, Survey},
};

/// How long it may take to connect, log in and check the server: several round trips, with one lost packet.
const OPENING: Duration = Duration::from_millis(2500);

/// How long the server may take for an answer. Its disk may be slow, but a caller is told within five seconds.
const ANSWER: Duration = Duration::from_millis(2400);

/// How often a cluster may redirect us. Once is normal.
const HOPS: usize = 3;

/// What a log requires of every server that it connects to.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    pub(super) layout: Layout,
    pub(super) eviction: Eviction,
    /// How many replicas have to acknowledge an append.
    pub(super) replicas: u32,
}

/// A connection that has been checked. Clones share it; each gets the answers to its own commands.
#[derive(Clone)]
pub(super) struct Connection {
    client: MultiplexedConnection,
    place: Arc<str>,
    state: Arc<State>,
}

struct State {
    is_doubtful: AtomicBool,
    /// Entries before this millisecond may be deleted, as far as is known.
    forgettable: AtomicU64,
}

impl Connection {
    /// Connects to the server, or to the server of its cluster that has the log, and checks it. Also returns warnings.
    pub(super) async fn open(access: &Access, wishes: &Wishes) -> Result<(Self, Vec<String>), Fault> {
        let opened = timeout(OPENING, Self::open_at(access.clone(), wishes)).await;
        opened.unwrap_or_else(|_| Err(Fault::silence(&access.to_string())))
    }

    async fn open_at(mut access: Access, wishes: &Wishes) -> Result<(Self, Vec<String>), Fault> {
        for _ in 0..HOPS {
            let place = access.to_string();
            let client = access.connect().await.map_err(|error| Fault::of(error, &place))?;
            let state = State { is_doubtful: AtomicBool::new(false), forgettable: AtomicU64::new(0) };
            let mut connection = Self { client, place: place.into(), state: Arc::new(state) };
            let survey = Survey(connection.ask(&survey::questions(&wishes.layout)).await?);
            match survey::elsewhere(&survey.0) {
                Some((host, port)) => access = access.at(&host, port),
                None => return connection.settle(survey, wishes).await,
            }
        }
        Err(LogError::unavailable("the Redis cluster does not agree on where the log is").into())
    }

    /// Refuses a server that must not be used, and creates the log if there is none.
    async fn settle(mut self, survey: Survey, wishes: &Wishes) -> Result<(Self, Vec<String>), Fault> {
        let found = survey.read(&self.place)?;
        if let Some(refusal) = found.condition.refusal(wishes.eviction) {
            return Err(refusal.into());
        }
        let mut marker = found.marker;
        if !marker.is_complete_for(&wishes.layout) {
            marker = self.register(&wishes.layout).await?;
        }
        self.note(found.now, found.newest, marker);
        Ok((self, found.condition.warnings(wishes.replicas, wishes.eviction)))
    }

    /// Creates the log if there is none (any more), and returns its marker.
    pub(super) async fn register(&mut self, layout: &Layout) -> Result<Marker, Fault> {
        let mut commands = Vec::from(layout.register());
        commands.push(layout.marker());
        let fields = self.transact(commands).await?.pop();
        let fields = fields.and_then(|fields| from_redis_value(fields).ok()).ok_or_else(|| self.nonsense())?;
        Ok(Marker::read(&fields)?)
    }

    /// Returns the millisecond before which entries may be deleted; 0 if it is not known.
    pub(super) fn forgettable(&self) -> u64 {
        self.state.forgettable.load(Ordering::Relaxed)
    }

    /// Updates it from the server's clock, the newest entry, and the marker, all read at the same moment.
    ///
    /// The earlier of clock and entry counts. If only the clock counted, a clock that is set back would make us delete
    /// what is added now; if only the entry counted, an entry whose id is in the future would make us delete everything
    /// else.
    pub(super) fn note(&self, now: u64, newest: Place, marker: Marker) {
        let before = marker.forgettable(now.min(newest.millisecond));
        self.state.forgettable.fetch_max(before, Ordering::Relaxed);
    }

    /// Sends commands, and waits for the answers with a time limit.
    pub(super) async fn ask<T: FromRedisValue>(&mut self, pipeline: &Pipeline) -> Result<T, Fault> {
        let place = Arc::clone(&self.place);
        within(ANSWER, &place, pipeline.query_async(&mut self.client)).await
    }

    /// Runs commands in one transaction. Returns an answer for each command.
    pub(super) async fn transact(&mut self, commands: Vec<Cmd>) -> Result<Vec<Value>, Fault> {
        let mut pipeline = pipe();
        // By hand: the client's own transaction panics in debug builds if MULTI itself is refused.
        pipeline.ignore_errors().cmd("MULTI");
        for command in commands {
            pipeline.add_command(command);
        }
        pipeline.cmd("EXEC");
        let mut answers: Vec<RedisResult<Value>> = self.ask(&pipeline).await?;
        let outcome = answers.pop().unwrap_or(Ok(Value::Nil));
        // The error of a refused command says more than the error of the transaction that it made fail.
        let refusal = answers.into_iter().find_map(Result::err);
        match refusal.map_or(outcome, Err).and_then(Value::extract_error) {
            Ok(Value::Array(answers)) => Ok(answers),
            Ok(_) => Err(self.nonsense()),
            Err(error) => Err(Fault::of(error, &self.place)),
        }
    }

    /// Sends a command that may take the server up to `patience`.
    pub(super) async fn wait_for<T: FromRedisValue>(&mut self, command: &Cmd, patience: Duration) -> Result<T, Fault> {
        let place = Arc::clone(&self.place);
        within(patience + ANSWER, &place, command.query_async(&mut self.client)).await
    }

    pub(super) fn nonsense(&self) -> Fault {
        Fault::nonsense(&self.place)
    }

    /// Reports a server that is not a master: its answers may be old.
    pub(super) fn is_no_master(&self) -> Fault {
        survey::no_master(&self.place).into()
    }

    /// Whether an answer on this connection is missing or incomplete. It should not be used again.
    pub(super) fn is_doubtful(&self) -> bool {
        self.state.is_doubtful.load(Ordering::Relaxed)
    }

    /// Makes the connection doubtful unless the result is [settled](Doubt::settle), also if the caller is dropped.
    pub(super) fn doubt(&self) -> Doubt {
        Doubt(Some(Arc::clone(&self.state)))
    }
}

/// See [`Connection::doubt`].
#[must_use]
pub(super) struct Doubt(Option<Arc<State>>);

impl Doubt {
    /// All answers have arrived.
    pub(super) fn settle(mut self) {
        self.0 = None;
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.is_doubtful.store(true, Ordering::Relaxed);
        }
    }
}

/// Idle connections of readers. Usually one reader is active, and perhaps a call that lists the log.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<Connection>>);

/// Further connections are closed.
const MOST_IDLE: usize = 2;

impl Idle {
    pub(super) fn take(&self) -> Option<Connection> {
        self.connections().pop()
    }

    pub(super) fn put(&self, connection: Connection) {
        let mut connections = self.connections();
        if connections.len() < MOST_IDLE {
            connections.push(connection);
        }
    }

    /// Closes all of them.
    pub(super) fn clear(&self) {
        self.connections().clear();
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn within<T>(limit: Duration, place: &str, answer: impl Future<Output = RedisResult<T>>) -> Result<T, Fault> {
    match timeout(limit, answer).await {
        Ok(answer) => answer.map_err(|error| Fault::of(error, place)),
        Err(_) => Err(Fault::silence(place)),
    }
}
