//! [`Connection`]: a connection to the server, and the commands that are sent on it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use portcullis_core::{possession::Once, revocation::LogError};
use redis::{Cmd, FromRedisValue, RedisError, RedisResult, aio::MultiplexedConnection, cmd};

use super::survey;
use crate::redis::{
    access::Access,
    error::Fault,
    survey::{Eviction, elsewhere},
};

/// How often a cluster may redirect us. Once is normal.
const HOPS: usize = 3;

/// A connection that has been checked. Clones share it; each gets the answers to its own commands.
#[derive(Clone)]
pub(super) struct Connection {
    client: MultiplexedConnection,
    place: Arc<str>,
    is_doubtful: Arc<AtomicBool>,
}

impl Connection {
    /// Connects to the server, or to the server of its cluster that has the keys, and checks it. Also returns warnings.
    pub(super) async fn open(access: &Access, prefix: &str, eviction: Eviction) -> Result<(Self, Vec<String>), Fault> {
        let mut access = access.clone();
        for _ in 0..HOPS {
            let place = access.to_string();
            let mut client = access.connect().await.map_err(|error| Fault::of(error, &place))?;
            let answers = survey::questions(prefix).query_async(&mut client).await;
            let answers: Vec<RedisResult<_>> = answers.map_err(|error| Fault::of(error, &place))?;
            if let Some((host, port)) = elsewhere(&answers) {
                access = access.at(&host, port);
                continue;
            }
            let warnings = survey::read(answers, &place, eviction)?;
            return Ok((Self { client, place: place.into(), is_doubtful: Arc::default() }, warnings));
        }
        Err(LogError::unavailable("the Redis cluster does not agree on where the used proofs are").into())
    }

    /// Whether an answer on this connection is missing. It should not be used again.
    pub(super) fn is_doubtful(&self) -> bool {
        self.is_doubtful.load(Ordering::Relaxed)
    }

    /// Writes the key, if it is not there. A key with this mark was written by an earlier attempt of the same call.
    pub(super) async fn claim(&mut self, key: &str, mark: &str, life: Duration) -> Result<Once, Fault> {
        let millis = u64::try_from(life.as_millis()).unwrap_or(u64::MAX);
        let mut set = cmd("SET");
        set.arg(key).arg(mark).arg("NX").arg("PX").arg(millis);
        if self.ask::<Option<String>>(&set).await?.is_some() {
            return Ok(Once::First);
        }
        let mut get = cmd("GET");
        let found: Option<String> = self.ask(get.arg(key)).await?;
        Ok(if found.as_deref() == Some(mark) { Once::First } else { Once::Repeated })
    }

    /// The caller has a time limit. A connection is not used again after a failure, nor after a caller that has given up: it may be one that no
    /// longer delivers answers.
    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, Fault> {
        let doubt = Doubt(Arc::clone(&self.is_doubtful));
        let answer = command.query_async(&mut self.client).await;
        // A server without memory answers on this connection as on any other.
        if answer.as_ref().err().is_none_or(|error: &RedisError| error.code() == Some("OOM")) {
            doubt.settle();
        }
        answer.map_err(|error| Fault::of(error, &self.place))
    }
}

/// Makes a connection doubtful when it is dropped.
struct Doubt(Arc<AtomicBool>);

impl Doubt {
    /// The answer has arrived.
    fn settle(mut self) {
        self.0 = Arc::default();
    }
}

impl Drop for Doubt {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
