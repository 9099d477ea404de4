//! Stores of records: what an authorization server keeps, in the same places as its sessions.

#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redb")]
pub(crate) mod redb;
#[cfg(feature = "redis")]
mod redis;
#[cfg(any(feature = "nats", feature = "redb", feature = "redis"))]
mod row;

#[cfg(feature = "nats")]
pub use self::nats::NatsRecordStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresRecordStore;
#[cfg(feature = "redb")]
pub use self::redb::RedbRecordStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisRecordStore;

/// A row is there, and this version cannot read it.
#[cfg(any(feature = "nats", feature = "postgres", feature = "redb", feature = "redis"))]
fn unreadable() -> portcullis_issuer::StoreError {
    portcullis_issuer::StoreError::new(
        "a record cannot be read: a later version of Portcullis wrote it, or it is damaged; it is left as it is",
    )
}
