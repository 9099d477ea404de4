//! Stores of API tokens, in the same places as the sessions.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redb")]
pub(crate) mod redb;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "postgres", feature = "redb", feature = "redis"))]
mod row;

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresApiTokenStore;
#[cfg(feature = "redb")]
pub use self::redb::RedbApiTokenStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisApiTokenStore;
