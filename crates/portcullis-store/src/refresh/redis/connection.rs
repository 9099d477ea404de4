//! [`Connection`]: a connection to the server, and the scripts that are run on it.

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_core::revocation::LogError;
use redis::{FromRedisValue, RedisResult, Script, ScriptInvocation, aio::MultiplexedConnection, cmd};
use tokio::time::timeout;

use super::{layout::Layout, survey};
use crate::redis::{
    access::Access,
    error::Fault,
    survey::{Eviction, elsewhere},
};

/// How long it may take to connect, log in and check the server.
const OPENING: Duration = Duration::from_millis(2500);

/// How long the server may take for an answer. Its disk may be slow, but a caller is told within five seconds.
const ANSWER: Duration = Duration::from_millis(2400);

/// How long replicas may take to acknowledge.
const ACKNOWLEDGEMENT: Duration = Duration::from_secs(1);

/// How often a cluster may redirect us. Once is normal.
const HOPS: usize = 3;

/// The steps of the store. Each is atomic on the server.
pub(super) static OPEN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/open.lua")));
pub(super) static FIND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/find.lua")));
pub(super) static ROTATE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/rotate.lua")));
pub(super) static END: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/end.lua")));
pub(super) static END_ALL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/end_all.lua")));
pub(super) static SURPLUS: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/surplus.lua")));
pub(super) static LIST: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/list.lua")));

/// A connection that has been checked. Clones share it; each gets the answers to its own commands.
#[derive(Clone)]
pub(super) struct Connection {
    client: MultiplexedConnection,
    place: Arc<str>,
    is_doubtful: Arc<AtomicBool>,
}

impl Connection {
    /// Connects to the server, or to the server of its cluster that has the keys, and checks it. Also returns warnings.
    pub(super) async fn open(
        access: &Access,
        layout: &Layout,
        eviction: Eviction,
    ) -> Result<(Self, Vec<String>), Fault> {
        let opened = timeout(OPENING, Self::open_at(access.clone(), layout, eviction)).await;
        opened.unwrap_or_else(|_| Err(Fault::silence(&access.to_string())))
    }

    async fn open_at(mut access: Access, layout: &Layout, eviction: Eviction) -> Result<(Self, Vec<String>), Fault> {
        for _ in 0..HOPS {
            let place = access.to_string();
            let mut client = access.connect().await.map_err(|error| Fault::of(error, &place))?;
            let answers = survey::questions(layout).query_async(&mut client).await;
            let answers: Vec<RedisResult<_>> = answers.map_err(|error| Fault::of(error, &place))?;
            if let Some((host, port)) = elsewhere(&answers) {
                access = access.at(&host, port);
                continue;
            }
            let warnings = survey::read(answers, &place, eviction)?;
            return Ok((Self { client, place: place.into(), is_doubtful: Arc::default() }, warnings));
        }
        Err(LogError::unavailable("the Redis cluster does not agree on where the sessions are").into())
    }

    /// Whether an answer on this connection is missing. It should not be used again.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful.load(Ordering::Relaxed)
    }

    /// Runs a script. After a failure the connection is not used again. (A caller that goes away is none.)
    pub(super) async fn run<T: FromRedisValue>(&mut self, script: &ScriptInvocation<'_>) -> Result<T, Fault> {
        let answer = timeout(ANSWER, script.invoke_async(&mut self.client)).await;
        let answer = answer.map_err(|_| Fault::silence(&self.place));
        let answer = answer.and_then(|answer| answer.map_err(|error| Fault::of(error, &self.place)));
        if answer.is_err() {
            self.is_doubtful.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// Waits until that many replicas have everything that was written on this connection.
    pub(super) async fn acknowledged(&mut self, replicas: u32) -> Result<(), Fault> {
        if replicas == 0 {
            return Ok(());
        }
        let mut wait = cmd("WAIT");
        wait.arg(replicas).arg(ACKNOWLEDGEMENT.as_millis().to_string());
        let answer = timeout(ACKNOWLEDGEMENT + ANSWER, wait.query_async::<u32>(&mut self.client)).await;
        let answer = answer.map_err(|_| Fault::silence(&self.place))?;
        let count = answer.map_err(|error| Fault::of(error, &self.place))?;
        if count >= replicas {
            return Ok(());
        }
        let sentence = format!(
            "Redis has written it, but {count} of {replicas} replicas have acknowledged it, so a failover may lose it"
        );
        Err(LogError::unavailable(sentence).into())
    }
}
