//! Entries by their name.

use std::{fmt::Display, ops::Range};

use portcullis_core::{
    UnixTime,
    revocation::{Revocation, RevocationEntry},
};

/// The expiry of entries: far ahead of the clocks of real servers.
pub const LATE: UnixTime = UnixTime::from_secs(4_000_000_000);

pub fn entry(id: impl Display) -> RevocationEntry {
    entry_until(id, LATE)
}

pub fn entry_until(id: impl Display, until: UnixTime) -> RevocationEntry {
    RevocationEntry::new(Revocation::session("https://a.test", &id.to_string()), until)
}

pub fn entries(ids: Range<usize>) -> Vec<RevocationEntry> {
    ids.map(entry).collect()
}
