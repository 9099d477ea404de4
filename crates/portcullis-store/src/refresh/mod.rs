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
