//! Floors that outlive the process.

#[cfg(unix)]
mod file;
#[cfg(feature = "redb")]
mod redb;
#[cfg(any(unix, feature = "redb"))]
mod work;

#[cfg(unix)]
pub use self::file::FileFloors;
#[cfg(feature = "redb")]
pub use self::redb::RedbFloors;
