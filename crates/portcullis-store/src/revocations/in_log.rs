//! [`InLog`]: what the log is known to contain since it was last read from its beginning.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    mem,
    time::Duration,
};

use portcullis_core::{UnixTime, revocation::RevocationEntry};

/// How many entries each of the two halves has. A revocation older than the newest 50 000 is appended once more when it
/// is repeated, which only costs a line in the log.
const HALF: usize = 50_000;

/// How much earlier an entry may end and still count as the same: entries are remembered for ten minutes longer than
/// tokens live.
const NEARLY: Duration = Duration::from_secs(60);

type Map = HashMap<Id, UnixTime>;

/// The newest entries that were read from the log: appending the same one again may be skipped.
///
/// Entries are stored as 128 bits of a keyed hash (two hashes of the standard library, with secret keys), so a caller
/// that chooses ids cannot create a collision with another entry.
pub(super) struct InLog {
    keys: [RandomState; 2],
    newer: Map,
    older: Map,
}

impl InLog {
    /// Records that the log contains this entry.
    pub(super) fn read(&mut self, entry: &RevocationEntry) {
        if self.newer.len() >= HALF {
            self.older = mem::take(&mut self.newer);
        }
        let id = self.id(entry);
        let until = self.newer.entry(id).or_insert(entry.until());
        *until = (*until).max(entry.until());
    }

    /// Whether the log is known to contain this entry, with about the same end.
    pub(super) fn holds(&self, entry: &RevocationEntry) -> bool {
        let id = self.id(entry);
        let is_long_enough = |until: &UnixTime| *until >= entry.until().minus(NEARLY);
        self.newer.get(&id).is_some_and(is_long_enough) || self.older.get(&id).is_some_and(is_long_enough)
    }

    /// The log has lost entries, or is another one: forgets everything.
    pub(super) fn forget(&mut self) {
        (self.newer, self.older) = (Map::default(), Map::default());
    }

    fn id(&self, entry: &RevocationEntry) -> Id {
        let [first, second] = self.keys.each_ref().map(|key| key.hash_one(entry.revocation()));
        Id(first, second)
    }
}

impl Default for InLog {
    fn default() -> Self {
        Self { keys: [RandomState::new(), RandomState::new()], newer: Map::default(), older: Map::default() }
    }
}

impl fmt::Debug for InLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InLog").field("entries", &(self.newer.len() + self.older.len())).finish_non_exhaustive()
    }
}

/// 128 bits of a hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Id(u64, u64);
