//! Stores of refresh tokens: the sessions of an issuer, in the same places as the logs of revocations.

#[cfg(feature = "redb")]
mod redb;

#[cfg(feature = "redb")]
pub use self::redb::RedbRefreshStore;
