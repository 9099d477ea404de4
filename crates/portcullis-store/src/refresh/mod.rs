//! Stores of refresh tokens: the sessions of an issuer, in the same places as the logs of revocations.

#[cfg(feature = "nats")]
pub(crate) mod nats;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "redb")]
pub(crate) mod redb;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(any(feature = "nats", feature = "redb"))]
mod surplus;
#[cfg(any(feature = "nats", feature = "postgres", feature = "redb", feature = "redis"))]
mod unlisted;

#[cfg(feature = "nats")]
pub use self::nats::NatsRefreshStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresRefreshStore;
#[cfg(feature = "redb")]
pub use self::redb::{RedbRefreshStore, RedbRefreshStoreBuilder};
#[cfg(feature = "redis")]
pub use self::redis::RedisRefreshStore;

/// Returns the error of a setting, as it is in the errors of logs, with its cause: it is the developer's, and not of a call.
#[cfg(any(feature = "nats", feature = "postgres", feature = "redis"))]
fn configuration(error: &portcullis_core::revocation::LogError) -> portcullis_core::ConfigError {
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    portcullis_core::ConfigError::new(format!("{error}{cause}"))
}
