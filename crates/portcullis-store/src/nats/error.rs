//! Explains failures to operators.

use std::{error::Error, fmt, io};

use async_nats::{ConnectError, ConnectErrorKind, Event, ServerError, jetstream};
use portcullis_core::revocation::LogError;

pub(super) fn connection_lost() -> LogError {
    LogError::unavailable("the connection to NATS was lost")
}

/// Describes an error that the server answered with. Its text is written for operators, and contains no secrets.
pub(crate) fn refused(what: &str, error: &jetstream::Error) -> LogError {
    let detail = format!("NATS does not let us {what}: {error}");
    // The codes are like those of HTTP: either the request is wrong, or the server currently cannot answer it.
    if (400..500).contains(&error.code()) { LogError::misconfigured(detail) } else { LogError::unavailable(detail) }
}

/// Returns what an event of the client means for the requests that wait on the connection.
pub(super) fn in_words(event: &Event) -> Option<LogError> {
    match event {
        Event::Disconnected | Event::Closed => Some(connection_lost()),
        // The text is the server's, and names the subject.
        Event::ServerError(ServerError::Other(text)) if text.to_lowercase().contains("permissions violation") => {
            Some(LogError::misconfigured(format!("the NATS user lacks a permission: {text}")))
        }
        Event::ServerError(error) => {
            Some(LogError::unavailable(format!("the NATS server ends the connection: {error}")))
        }
        _ => None,
    }
}

pub(super) fn not_let_in(error: &ConnectError) -> LogError {
    let of_certificate = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .is_some_and(|error| error.kind() == io::ErrorKind::InvalidData);
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            LogError::misconfigured("the NATS server refuses our credentials").with_source(Brief::of(error))
        }
        ConnectErrorKind::Tls => LogError::misconfigured("TLS to NATS cannot be set up").with_source(Brief::of(error)),
        _ if of_certificate => LogError::misconfigured(
            "no TLS with the NATS server: its certificate is not trusted (see `root_certificates`), or one side wants TLS and the \
             other does not (`tls://` in the URL)",
        )
        .with_source(Brief::of(error)),
        _ => LogError::unavailable("NATS cannot be reached").with_source(Brief::of(error)),
    }
}

/// The message of another library's error, without its data: the client's errors can contain requests, and these
/// contain passwords.
#[derive(Debug)]
pub(crate) struct Brief(String);

impl Brief {
    pub(crate) fn of(error: &impl Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Brief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Brief {}
