//! Checks a server before it is used, and evaluates the answers.

use std::collections::HashMap;

use portcullis_core::revocation::LogError;
use redis::{FromRedisValue, Pipeline, RedisResult, Value, from_redis_value, pipe};

use super::{
    error::Fault,
    layout::{self, Layout, Marker, Place, text},
};

pub(crate) const SETTINGS: [&str; 3] = ["maxmemory-policy", "appendonly", "appendfsync"];

/// Returns all commands in one pipeline; an error is also an answer.
pub(super) fn questions(layout: &Layout) -> Pipeline {
    let mut pipeline = pipe();
    // The order matters: a writer adds its horizon to the marker before its entries, so the marker that is read last
    // covers every entry seen here.
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

/// The answers, in the order of the commands.
pub(super) struct Survey(pub(super) Vec<RedisResult<Value>>);

/// The evaluated answers.
#[derive(Debug)]
pub(super) struct Found {
    /// The server's clock, in milliseconds.
    pub(super) now: u64,
    /// The place of the newest entry; the beginning if there is none.
    pub(super) newest: Place,
    pub(super) marker: Marker,
    pub(super) condition: Condition,
}

impl Survey {
    /// Evaluates the answers, and refuses a server on which the log's keys have unsuitable settings.
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
        if !is_master(&answers.next()?) {
            return Err(no_master(place).into());
        }
        // These may be forbidden: they describe the server, and the log's rules say what follows.
        let info: String = answers.next().unwrap_or_default();
        let settings =
            SETTINGS.iter().filter_map(|_| answers.next::<HashMap<String, String>>().ok()).flatten().collect();
        let newest = layout::first_place(&newest).unwrap_or_default();
        Ok(Found { now, newest, marker, condition: Condition::new(&info, settings) })
    }
}

/// Returns where the keys are if another server of a cluster has them.
pub(crate) fn elsewhere(answers: &[RedisResult<Value>]) -> Option<(String, u16)> {
    let mut errors = answers.iter().filter_map(|answer| answer.as_ref().err());
    let moved = errors.find(|error| error.code() == Some("MOVED"))?;
    let (host, port) = moved.redirect_node()?.0.rsplit_once(':')?;
    Some((host.to_owned(), port.parse().ok()?))
}

/// Returns what is asked of a server before records are kept on it, in one pipeline; an error is also an answer. `key` is
/// any of the records' keys: in a cluster, it shows which server has them.
pub(crate) fn server_questions(key: &str) -> Pipeline {
    let mut pipeline = pipe();
    pipeline.ignore_errors().cmd("EXISTS").arg(key).cmd("ROLE").cmd("INFO");
    for setting in SETTINGS {
        pipeline.cmd("CONFIG").arg("GET").arg(setting);
    }
    pipeline
}

/// Evaluates the answers to [`server_questions`], and refuses a server that is no master.
pub(crate) fn server_condition(answers: Vec<RedisResult<Value>>, place: &str) -> Result<Condition, Fault> {
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
    next().map_err(|error| Fault::of(error, place))?;
    if !is_master(&next().map_err(|error| Fault::of(error, place))?) {
        return Err(no_master(place).into());
    }
    // These may be forbidden.
    let info: String = next().ok().and_then(|info| from_redis_value(info).ok()).unwrap_or_default();
    let settings = SETTINGS.iter().filter_map(|_| from_redis_value::<HashMap<String, String>>(next().ok()?).ok());
    Ok(Condition::new(&info, settings.flatten().collect()))
}

/// Whether the answer to `ROLE` is a master's.
pub(crate) fn is_master(role: &Value) -> bool {
    matches!(role, Value::Array(values) if values.first().and_then(text) == Some("master"))
}

/// Reports a server that is a replica.
pub(crate) fn no_master(place: &str) -> LogError {
    LogError::misconfigured(format!(
        "the Redis server {place} is a replica, which may be behind its master: the URL has to lead to the master"
    ))
}

/// Returns the server's clock, from seconds and microseconds.
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

/// The server's answers to `INFO` and `CONFIG GET`, as far as it gave any.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// From `INFO`; empty if it is not allowed.
    info: HashMap<String, String>,
    /// From `CONFIG GET`, which managed servers do not allow.
    config: HashMap<String, String>,
}

/// What to do with a server whose eviction policy cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eviction {
    /// Refuse it.
    Checked,
    /// Trust that it does not evict our keys.
    Trusted,
}

impl Condition {
    pub(crate) fn new(info: &str, config: HashMap<String, String>) -> Self {
        let pair =
            |line: &str| line.trim_end().split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self { info: info.lines().filter_map(pair).collect(), config }
    }

    /// Returns a setting by its name in `INFO`, or else in `CONFIG GET`; `None` if neither is allowed.
    pub(crate) fn setting(&self, in_info: &str, in_config: &str) -> Option<&str> {
        self.info.get(in_info).or_else(|| self.config.get(in_config)).map(String::as_str)
    }

    /// Returns why the log must not be kept on this server.
    pub(super) fn refusal(&self, eviction: Eviction) -> Option<LogError> {
        self.too_old().or_else(|| if eviction == Eviction::Checked { self.evicting() } else { None })
    }

    /// Streams can be trimmed by time since 6.2.
    fn too_old(&self) -> Option<LogError> {
        let version = self.info.get("redis_version")?;
        let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
        let numbers = (numbers.next()?, numbers.next()?);
        let sentence = || format!("the Redis server has version {version}, and the log needs 6.2 or later, or Valkey");
        (numbers < (6, 2)).then(|| LogError::misconfigured(sentence()))
    }

    fn evicting(&self) -> Option<LogError> {
        let policy = self.info.get("maxmemory_policy").or_else(|| self.config.get("maxmemory-policy"));
        let sentence = match policy.map(String::as_str) {
            // The `volatile` policies evict only keys with an expiry, and ours have none.
            Some(policy) if policy == "noeviction" || policy.starts_with("volatile-") => return None,
            Some(policy) => format!(
                "the Redis server forgets revocations when its memory is full: its maxmemory-policy is {policy}, and has to be \
                 noeviction or one of volatile-*; a server that is a cache is no place for the log"
            ),
            None => "the maxmemory-policy of the Redis server cannot be seen, so it may forget revocations when its memory is full: \
                     allow its user INFO or CONFIG GET, or see `danger_trust_eviction_policy`"
                .to_owned(),
        };
        Some(LogError::misconfigured(sentence))
    }

    /// Returns warnings about settings that lose acknowledged entries.
    pub(super) fn warnings(&self, replicas: u32, eviction: Eviction) -> Vec<String> {
        let policy = (eviction == Eviction::Trusted && self.evicting().is_some()).then(|| {
            "Redis: that the server evicts nothing of the log when its memory is full was not checked".to_owned()
        });
        [policy, self.loses_on_crash(), self.loses_on_failover(replicas)].into_iter().flatten().collect()
    }

    fn loses_on_crash(&self) -> Option<String> {
        let on = self.info.get("aof_enabled").or_else(|| self.config.get("appendonly"))?;
        if matches!(on.as_str(), "0" | "no") {
            let sentence = "Redis: appendonly is off, so a crash of the server loses all revocations since its last snapshot, if it \
                            makes any; set `appendonly yes` and `appendfsync always`";
            return Some(sentence.to_owned());
        }
        let lost = match self.config.get("appendfsync").map(String::as_str) {
            Some("always") => return None,
            Some("no") => {
                "appendfsync is no, so a power loss of the server loses the revocations of up to half a minute"
            }
            Some(_) => {
                "appendfsync is everysec, so a power loss of the server loses the revocations of a second or two"
            }
            None => {
                "whether appendfsync is always cannot be seen (CONFIG GET); if not, a power loss of the server loses revocations"
            }
        };
        Some(format!("Redis: {lost}; set `appendfsync always`"))
    }

    fn loses_on_failover(&self, replicas: u32) -> Option<String> {
        let connected = self.info.get("connected_slaves").is_some_and(|count| count != "0");
        let sentence = "Redis: the server has replicas, but acknowledges revocations before they have them, so a failover may lose \
                        some; see `RedisLog::acknowledged_by`";
        (connected && replicas == 0).then(|| sentence.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(info: &str, config: &[(&str, &str)]) -> Condition {
        Condition::new(info, config.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    #[test]
    fn only_policies_that_spare_what_never_expires_are_accepted() {
        let rows = [
            ("noeviction", true),
            ("volatile-lru", true),
            ("volatile-ttl", true),
            ("allkeys-lru", false),
            ("allkeys-random", false),
            ("something-new", false),
        ];
        for (policy, accepted) in rows {
            let by_info = condition(&format!("# Memory\r\nmaxmemory_policy:{policy}\r\n"), &[]);
            let by_config = condition("", &[("maxmemory-policy", policy)]);
            for condition in [by_info, by_config] {
                assert_eq!(condition.refusal(Eviction::Checked).is_none(), accepted, "{policy}");
                assert!(condition.refusal(Eviction::Trusted).is_none(), "{policy}");
            }
        }
    }

    #[test]
    fn a_policy_that_cannot_be_seen_is_refused_or_warned_about() {
        let silent = condition("", &[]);
        assert!(silent.refusal(Eviction::Checked).unwrap().to_string().contains("danger_trust_eviction_policy"));
        assert!(silent.warnings(0, Eviction::Checked).is_empty());
        assert_eq!(silent.warnings(0, Eviction::Trusted).len(), 1);
    }

    #[test]
    fn servers_before_6_2_are_refused() {
        let rows =
            [("5.0.14", false), ("6.0.20", false), ("6.2.0", true), ("7.2.4", true), ("10.0.0", true), ("odd", true)];
        for (version, accepted) in rows {
            let condition = condition(&format!("redis_version:{version}"), &[]);
            assert_eq!(condition.refusal(Eviction::Trusted).is_none(), accepted, "{version}");
        }
    }

    #[test]
    fn settings_that_lose_acknowledged_writes_are_warned_about() {
        let rows = [
            ("aof_enabled:1", Some("always"), None),
            ("aof_enabled:1", Some("everysec"), Some("everysec")),
            ("aof_enabled:1", Some("no"), Some("half a minute")),
            ("aof_enabled:1", None, Some("cannot be seen")),
            ("aof_enabled:0", Some("always"), Some("appendonly is off")),
            ("aof_enabled:1\r\nconnected_slaves:1", Some("always"), Some("failover")),
        ];
        for (info, fsync, warning) in rows {
            let config: Vec<_> = fsync.iter().map(|&value| ("appendfsync", value)).collect();
            let warnings = condition(info, &config).warnings(0, Eviction::Checked);
            assert_eq!(warnings.len(), usize::from(warning.is_some()), "{info} {fsync:?}: {warnings:?}");
            assert!(warning.is_none_or(|part| warnings.concat().contains(part)), "{info} {fsync:?}: {warnings:?}");
        }
        assert!(condition("connected_slaves:2", &[]).warnings(1, Eviction::Checked).is_empty());
    }
}
