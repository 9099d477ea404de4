//! Explains failures to operators.

use std::{error::Error, io, sync::Arc};

use portcullis_core::revocation::LogError;
use redis::{ErrorKind, RedisError};

/// An error, and whether it only means that an idle connection was closed.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) error: LogError,
    pub(crate) is_closed: bool,
}

impl Fault {
    /// There was no answer in time.
    pub(crate) fn silence(place: &str) -> Self {
        LogError::unavailable(format!("the Redis server {place} does not answer")).into()
    }

    /// The answer makes no sense.
    pub(crate) fn nonsense(place: &str) -> Self {
        nonsense(place).into()
    }

    /// An error of the client. (Neither servers nor the client repeat passwords in errors.)
    pub(crate) fn of(error: RedisError, place: &str) -> Self {
        let is_closed = error.is_connection_dropped();
        let what = code(&error).map_or_else(|| by_kind(&error, place), |code| by_code(&code, place));
        Self { error: what.with_source(error), is_closed }
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self { error, is_closed: false }
    }
}

impl From<Fault> for LogError {
    fn from(fault: Fault) -> Self {
        fault.error
    }
}

/// Returns the code at the beginning of the server's answer; of several answers, the first one's.
fn code(error: &RedisError) -> Option<String> {
    let errors = error.clone().into_server_errors()?;
    let (_, first) = errors.first()?;
    // If a whole transaction was refused, the reason is behind this text.
    let reason = first.details().and_then(|details| details.split_once("because of: ")?.1.split(' ').next());
    Some(reason.unwrap_or(first.code()).to_owned())
}

fn by_code(code: &str, place: &str) -> LogError {
    match code {
        "NOPERM" => LogError::misconfigured(format!(
            "the user at the Redis server {place} lacks a permission: the documentation of the log, or of the store of refresh tokens, lists those that it needs"
        )),
        "WRONGPASS" | "NOAUTH" => refused(place),
        "WRONGTYPE" => LogError::misconfigured(format!(
            "the Redis server {place} has something else under our keys: choose another name, or remove it"
        )),
        "OOM" => LogError::unavailable(format!(
            "the Redis server {place} has no memory left (maxmemory) and refuses to write; what is there stays there"
        )),
        "MISCONF" => {
            LogError::unavailable(format!("the Redis server {place} cannot write to its disk, and refuses writes"))
        }
        "NOREPLICAS" => LogError::unavailable(format!(
            "the Redis server {place} has fewer replicas than its min-replicas-to-write, and refuses writes"
        )),
        "LOADING" => LogError::unavailable(format!("the Redis server {place} is still loading its data")),
        "READONLY" | "UNBLOCKED" | "MASTERDOWN" => {
            LogError::unavailable(format!("the Redis server {place} has become a replica"))
        }
        "MOVED" | "ASK" | "TRYAGAIN" | "CLUSTERDOWN" => {
            LogError::unavailable(format!("the cluster of the Redis server {place} is moving our keys, or is down"))
        }
        _ => LogError::unavailable(format!("the Redis server {place} refuses a command")),
    }
}

fn by_kind(error: &RedisError, place: &str) -> LogError {
    match error.kind() {
        ErrorKind::AuthenticationFailed => refused(place),
        // Other answers have a code. Without a code, the client reports the error that it got when it selected the
        // database.
        ErrorKind::Server(_) => LogError::misconfigured(format!(
            "the Redis server {place} refuses the database that the URL names (a cluster has only 0)"
        )),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => nonsense(place),
        _ if is_of_tls(error) => LogError::misconfigured(format!(
            "no TLS with the Redis server {place}: its certificate is not trusted or does not name it, or it wants one of ours; see \
             `root_certificates` and `client_certificate`"
        )),
        _ => LogError::unavailable(format!("the Redis server {place} cannot be reached")),
    }
}

fn nonsense(place: &str) -> LogError {
    LogError::unavailable(format!("the server {place} gives an answer that Redis does not give"))
}

fn refused(place: &str) -> LogError {
    LogError::misconfigured(format!("the Redis server {place} refuses the user or the password, or wants one"))
}

/// The client reports TLS errors as the cause of an I/O error, behind a pointer.
fn is_of_tls(error: &RedisError) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<Arc<dyn Error + Send + Sync>>());
    let cause = cause.and_then(|cause| cause.downcast_ref::<io::Error>()).and_then(io::Error::get_ref);
    cause.is_some_and(<dyn Error + Send + Sync>::is::<rustls::Error>)
}
