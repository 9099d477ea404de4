//! A connection to the server, and the questions that are asked on it.

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

/// How long it may take to connect, log in and look around: several round trips, with one packet lost.
const OPENING: Duration = Duration::from_millis(2500);

/// How long the server may take for an answer. Its disk may be slow; but a caller is told within five seconds.
const ANSWER: Duration = Duration::from_millis(2400);

/// How often a cluster may send us elsewhere. Once is normal.
const HOPS: usize = 3;

/// What a log wants of every server that it connects to.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    pub(super) layout: Layout,
    pub(super) eviction: Eviction,
    /// How many replicas have to acknowledge what is appended.
    pub(super) replicas: u32,
}

/// A connection that has been checked. Clones share it; answers come to those who asked.
#[derive(Clone)]
pub(super) struct Connection {
    client: MultiplexedConnection,
    place: Arc<str>,
    state: Arc<State>,
}

struct State {
    is_doubtful: AtomicBool,
    /// Before which millisecond entries may be forgotten, as far as is known.
    forgettable: AtomicU64,
}

impl Connection {
    /// Connects to the server, or to the one of its cluster that has the log, and checks it. Returns warnings, too.
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
            match survey.elsewhere() {
                Some((host, port)) => access = access.at(&host, port),
                None => return connection.settle(survey, wishes).await,
            }
        }
        Err(LogError::unavailable("the Redis cluster does not agree on where the log is").into())
    }

    /// Refuses what must not be used, and makes the log where there is none.
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

    /// Makes the log if there is none (any more), and says which one it is.
    pub(super) async fn register(&mut self, layout: &Layout) -> Result<Marker, Fault> {
        let mut commands = Vec::from(layout.register());
        commands.push(layout.marker());
        let fields = self.transact(commands).await?.pop();
        let fields = fields.and_then(|fields| from_redis_value(fields).ok()).ok_or_else(|| self.nonsense())?;
        Ok(Marker::read(&fields)?)
    }

    /// Before which millisecond entries may be forgotten; 0 if that is not known.
    pub(super) fn forgettable(&self) -> u64 {
        self.state.forgettable.load(Ordering::Relaxed)
    }

    /// Learns the time from what was known at one moment: the server's clock, the newest entry, and the marker.
    ///
    /// The earlier of clock and entry counts. Otherwise a clock that was set back would make us forget what is added now, and an entry
    /// that somebody gave an id from the future all the rest.
    pub(super) fn note(&self, now: u64, newest: Place, marker: Marker) {
        let before = marker.forgettable(now.min(newest.millisecond));
        self.state.forgettable.fetch_max(before, Ordering::Relaxed);
    }

    /// Asks, and gives up after a while.
    pub(super) async fn ask<T: FromRedisValue>(&mut self, pipeline: &Pipeline) -> Result<T, Fault> {
        let place = Arc::clone(&self.place);
        within(ANSWER, &place, pipeline.query_async(&mut self.client)).await
    }

    /// All of it or nothing, and nothing of others in between. An answer for each command.
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
        // What refused a command tells more than that there was no transaction because of it.
        let refusal = answers.into_iter().find_map(Result::err);
        match refusal.map_or(outcome, Err).and_then(Value::extract_error) {
            Ok(Value::Array(answers)) => Ok(answers),
            Ok(_) => Err(self.nonsense()),
            Err(error) => Err(Fault::of(error, &self.place)),
        }
    }

    /// Asks for something that takes the server up to `patience`.
    pub(super) async fn wait_for<T: FromRedisValue>(&mut self, command: &Cmd, patience: Duration) -> Result<T, Fault> {
        let place = Arc::clone(&self.place);
        within(patience + ANSWER, &place, command.query_async(&mut self.client)).await
    }

    pub(super) fn nonsense(&self) -> Fault {
        Fault::nonsense(&self.place)
    }

    /// What it says may be old.
    pub(super) fn is_no_master(&self) -> Fault {
        survey::no_master(&self.place).into()
    }

    /// Whether somebody got no answer, or none in full. Nobody else should ask there.
    pub(super) fn is_doubtful(&self) -> bool {
        self.state.is_doubtful.load(Ordering::Relaxed)
    }

    /// Makes the connection doubtful unless that is [settled](Doubt::settle): also if whoever asks is dropped.
    pub(super) fn doubt(&self) -> Doubt {
        Doubt(Some(Arc::clone(&self.state)))
    }
}

/// See [`Connection::doubt`].
#[must_use]
pub(super) struct Doubt(Option<Arc<State>>);

impl Doubt {
    /// All answers have come.
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

/// Connections of readers that nobody uses now. One reader is at work at a time, and perhaps somebody who lists the log.
#[derive(Default)]
pub(super) struct Idle(Mutex<Vec<Connection>>);

/// More than that are closed.
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
