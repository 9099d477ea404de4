//! Explains failures to operators.

use std::{error::Error as _, io};

use portcullis_core::revocation::LogError;
use tokio_postgres::{
    Error,
    error::{DbError, SqlState},
};

/// Says what happened and what to do about it. The values and user names that a server writes into its messages are
/// left out.
pub(crate) fn explain(error: Error) -> LogError {
    if let Some(refusal) = error.as_db_error() {
        return refused(refusal);
    }
    if let Some(problem) = tls_problem(&error) {
        return LogError::misconfigured(problem);
    }
    LogError::unavailable("PostgreSQL cannot be reached, or the connection was lost").with_source(error)
}

fn refused(refusal: &DbError) -> LogError {
    let (code, message) = (refusal.code(), refusal.message());
    let sentence = match *code {
        SqlState::INVALID_PASSWORD => "PostgreSQL does not know this user, or the password is wrong (28P01)".to_owned(),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            "PostgreSQL does not let this user in (28000): its pg_hba.conf has no line for this user, database and address, or \
             only one that wants TLS (`sslmode=require`); or there is no such user"
                .to_owned()
        }
        SqlState::INVALID_CATALOG_NAME => "PostgreSQL has no database of this name (3D000)".to_owned(),
        SqlState::INSUFFICIENT_PRIVILEGE => format!(
            "the PostgreSQL user lacks a right (42501: {message}): an administrator can run the SQL of \
             `schema_sql`, and grant the rights in its documentation"
        ),
        SqlState::UNIQUE_VIOLATION if refusal.table() == Some("revocations") => {
            return LogError::corrupt(
                "there are revocations behind the position at which the log says that it ends: delete the row of \
                 `revocation_log`, and it is created again",
            );
        }
        _ => return LogError::unavailable(format!("PostgreSQL refuses ({}): {message}", code.code())),
    };
    LogError::misconfigured(sentence)
}

fn tls_problem(error: &Error) -> Option<String> {
    let source = error.source()?;
    if source.to_string() == "server does not support TLS" {
        return Some("PostgreSQL offers no TLS, which `sslmode=require` wants: set `ssl = on` there".to_owned());
    }
    let inner = source.downcast_ref::<io::Error>()?.get_ref()?;
    match inner.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(reason) => Some(format!(
            "the certificate of the PostgreSQL server is not trusted ({reason:?}): give the one that signed it to \
             `root_certificates`, and use the host name that it is for"
        )),
        _ => None,
    }
}
