//! Stores of signing keys: the document of an issuer's key ring, beside its sessions.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redb")]
mod redb;
#[cfg(feature = "redis")]
mod redis;

#[cfg(feature = "postgres")]
pub use self::postgres::PostgresSigningKeys;
#[cfg(feature = "redb")]
pub use self::redb::RedbSigningKeys;
#[cfg(feature = "redis")]
pub use self::redis::RedisSigningKeys;

/// Returns a number that no version of a document or of a record had before. It is drawn, and not counted, so that what was restored from a backup
/// does not get the number of another one.
#[cfg(any(feature = "nats", feature = "postgres", feature = "redb", feature = "redis"))]
pub(crate) fn new_version() -> u64 {
    // Databases have signed numbers, and scripts have numbers of 53 bits.
    fastrand::u64(1..1 << 53)
}
