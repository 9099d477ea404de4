//! [`Shards`]: the entries of one level, in parts that grow one by one.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        OnceLock, PoisonError, RwLock, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::id_hash::IdHash;
use crate::{UnixTime, precomputed::BuildPrecomputed};

/// The number of maps. A single map would keep every request waiting while it grows: 60 ms at a million entries.
const SHARDS: usize = 256;

type Map<B> = HashMap<IdHash, Slot<B>, BuildPrecomputed>;

/// What is revoked on one level, and up to which bound.
pub(super) struct Shards<B> {
    /// Created with the first entry.
    maps: OnceLock<Box<[RwLock<Map<B>>]>>,
    len: AtomicUsize,
}

/// Four bytes besides the bound, so that a million entries need little memory.
#[derive(Clone, Copy)]
struct Slot<B> {
    bound: B,
    /// In seconds since 1970; times after 2106 are never forgotten.
    until: u32,
}

/// The value that grows when an id is revoked again: a cut-off, a version, or nothing.
pub(super) trait Bound: Copy + PartialEq {
    fn from_number(number: u64) -> Self;

    fn number(self) -> u64;
}

/// For a level without a bound.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct NoBound;

impl Bound for NoBound {
    fn from_number(_: u64) -> Self {
        Self
    }

    fn number(self) -> u64 {
        0
    }
}

/// Eight bytes without alignment.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct UpTo([u32; 2]);

impl Bound for UpTo {
    #[expect(clippy::cast_possible_truncation, reason = "the number is taken apart into two words")]
    fn from_number(number: u64) -> Self {
        Self([(number >> 32) as u32, number as u32])
    }

    fn number(self) -> u64 {
        u64::from(self.0[0]) << 32 | u64::from(self.0[1])
    }
}

impl<B: Bound> Shards<B> {
    pub(super) fn new() -> Self {
        Self { maps: OnceLock::new(), len: AtomicUsize::new(0) }
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there is nothing to look up. (An entry that is just being merged belongs to the epoch that begins with it.)
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bound up to which this id is revoked.
    pub(super) fn find(&self, id: IdHash) -> Option<u64> {
        let map = self.maps.get()?.get(id.shard(SHARDS))?.read().unwrap_or_else(PoisonError::into_inner);
        map.get(&id).map(|slot| slot.bound.number())
    }

    /// Merges an entry. Returns whether it revokes another token.
    pub(super) fn merge(&self, id: IdHash, bound: u64, until: UnixTime) -> bool {
        let until = u32::try_from(until.as_secs()).unwrap_or(u32::MAX);
        let maps = self.maps.get_or_init(|| (0..SHARDS).map(|_| RwLock::default()).collect());
        let mut map = write(&maps[id.shard(SHARDS)]);
        match map.entry(id) {
            Entry::Vacant(place) => {
                place.insert(Slot { bound: B::from_number(bound), until });
                self.len.fetch_add(1, Ordering::Relaxed);
                true
            }
            Entry::Occupied(mut place) => {
                let slot = place.get_mut();
                let before = slot.bound.number();
                slot.until = slot.until.max(until);
                slot.bound = B::from_number(before.max(bound));
                bound > before
            }
        }
    }

    /// Forgets expired entries in one of the maps at `now`. `turn` selects the map.
    pub(super) fn forget(&self, turn: usize, now: UnixTime) {
        let now = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let Some(maps) = self.maps.get() else { return };
        let mut map = write(&maps[turn % SHARDS]);
        let before = map.len();
        map.retain(|_, slot| slot.until > now || slot.until == u32::MAX);
        self.len.fetch_sub(before - map.len(), Ordering::Relaxed);
        if map.capacity() > 64 && map.len() < map.capacity() / 8 {
            map.shrink_to_fit();
        }
    }

    /// How many turns it takes to forget everywhere.
    pub(super) const TURNS: usize = SHARDS;
}

/// A map is consistent between its method calls, so a panic does not damage it.
fn write<B>(map: &RwLock<Map<B>>) -> RwLockWriteGuard<'_, Map<B>> {
    map.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::{Level, view::id_hash::IdHasher};

    const T: UnixTime = UnixTime::from_secs(1_800_000_000);

    #[test]
    fn slots_have_no_gaps() {
        assert_eq!(size_of::<(IdHash, Slot<NoBound>)>(), 20);
        assert_eq!(size_of::<(IdHash, Slot<UpTo>)>(), 28);
    }

    #[test]
    fn bounds_and_times_only_grow() {
        let (hasher, shards) = (IdHasher::new(), Shards::<UpTo>::new());
        let id = hasher.id(Level::Version, hasher.issuer("i"), "alice");
        assert!(shards.merge(id, 7, T) && shards.find(id) == Some(7));
        assert!(!shards.merge(id, 7, T), "the same again");
        assert!(!shards.merge(id, 3, T.minus(std::time::Duration::from_secs(9))), "older");
        (0..Shards::<UpTo>::TURNS).for_each(|turn| shards.forget(turn, T.minus(std::time::Duration::from_secs(1))));
        assert_eq!(shards.find(id), Some(7), "and nothing is forgotten for it: its time has not come");
        assert!(shards.merge(id, u64::MAX, T) && shards.find(id) == Some(u64::MAX));
        assert_eq!(shards.len(), 1);
        (0..Shards::<UpTo>::TURNS).for_each(|turn| shards.forget(turn, T));
        assert!(shards.is_empty() && shards.find(id).is_none());
    }
}
