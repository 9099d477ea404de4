//! What is asked of a server before it is used.

use std::collections::HashMap;

use portcullis_core::revocation::LogError;
use redis::{FromRedisValue, Pipeline, RedisResult, Value, pipe};

use super::{
    condition::Condition,
    error::Fault,
    layout::{Layout, Marker},
    reply::{self, Place},
};

const SETTINGS: [&str; 3] = ["maxmemory-policy", "appendonly", "appendfsync"];

/// All of it at once; an answer that is an error is one, too.
pub(super) fn questions(layout: &Layout) -> Pipeline {
    let mut pipeline = pipe();
    // In this order: whoever has added an entry that is seen here has added its horizon to the marker before.
    pipeline.ignore_errors().cmd("TIME");
    pipeline.cmd("XREVRANGE").arg(&layout.stream).arg("+").arg("-").arg("COUNT").arg(1);
    pipeline.add_command(layout.marker());
    pipeline.cmd("PTTL").arg(&layout.marker).cmd("PTTL").arg(&layout.stream);
    pipeline.cmd("ROLE").cmd("INFO");
    for setting in SETTINGS {
        pipeline.cmd("CONFIG").arg("GET").arg(setting);
    }
    pipeline
}

/// The answers, in the order of the questions.
pub(super) struct Survey(pub(super) Vec<RedisResult<Value>>);

/// What they say.
#[derive(Debug)]
pub(super) struct Found {
    /// The server's clock, in milliseconds.
    pub(super) now: u64,
    /// The newest entry of the log; the beginning if there is none.
    pub(super) newest: Place,
    pub(super) marker: Marker,
    pub(super) condition: Condition,
}

impl Survey {
    /// Where the log is if another server of a cluster has it.
    pub(super) fn elsewhere(&self) -> Option<(String, u16)> {
        let mut errors = self.0.iter().filter_map(|answer| answer.as_ref().err());
        let moved = errors.find(|error| error.code() == Some("MOVED"))?;
        let (host, port) = moved.redirect_node()?.0.rsplit_once(':')?;
        Some((host.to_owned(), port.parse().ok()?))
    }

    /// Takes the answers apart, and refuses a server that must not be used for what they say about the log's keys.
    pub(super) fn read(self, place: &str) -> Result<Found, Fault> {
        let mut answers = Answers { answers: self.0.into_iter(), place };
        let now = milliseconds(answers.next()?);
        let newest: Value = answers.next()?;
        let marker = Marker::read(&answers.next()?)?;
        let lives: [i64; 2] = [answers.next()?, answers.next()?];
        if lives.iter().any(|life| *life >= 0) {
            return Err(LogError::misconfigured(format!(
                "a key of the log at the Redis server {place} has an expiry, which would end all revocations at once: PERSIST it"
            ))
            .into());
        }
        if !reply::is_master(&answers.next()?) {
            return Err(no_master(place).into());
        }
        // What may be kept from us: the rest is about the server, and the log's rules say what follows.
        let info: String = answers.next().unwrap_or_default();
        let settings =
            SETTINGS.iter().filter_map(|_| answers.next::<HashMap<String, String>>().ok()).flatten().collect();
        let newest = reply::first_place(&newest).unwrap_or_default();
        Ok(Found { now, newest, marker, condition: Condition::new(&info, settings) })
    }
}

/// That a server is the copy of another.
pub(super) fn no_master(place: &str) -> LogError {
    LogError::misconfigured(format!(
        "the Redis server {place} is a replica, which may be behind its master: the URL has to lead to the master"
    ))
}

/// The server's clock, from seconds and microseconds.
pub(super) fn milliseconds((seconds, micros): (u64, u64)) -> u64 {
    seconds.saturating_mul(1000).saturating_add(micros / 1000)
}

struct Answers<'a> {
    answers: std::vec::IntoIter<RedisResult<Value>>,
    place: &'a str,
}

impl Answers<'_> {
    fn next<T: FromRedisValue>(&mut self) -> Result<T, Fault> {
        let answer = self.answers.next().unwrap_or(Ok(Value::Nil));
        answer.and_then(|value| Ok(T::from_redis_value(value)?)).map_err(|error| Fault::of(error, self.place))
    }
}
