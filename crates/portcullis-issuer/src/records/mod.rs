//! Records: the small facts that an authorization server keeps, such as codes, consents and clients.
//!
//! The primary type of this module is [`RecordStore`]. A record is a text with a version and an end, and changes by compare-and-swap: of several
//! callers that have read the same version, one changes it. So a code is redeemed once, and a client that was deleted is not brought back by
//! an update that began before.

mod key;
mod memory;
mod store;

pub use key::{RecordGroup, RecordKey, RecordKind};
pub use memory::MemoryRecordStore;
pub(crate) use store::AnyRecords;
pub use store::{NewRecord, Record, RecordStore, RecordVersion, Swapped};
