//! [`Editions`]: whether what was found about an owner's token is still true.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use portcullis_core::authenticator::Edition;

use crate::api_tokens::Owner;

/// Counts changes. An owner's edition is the number of the last change of an owner with the same hash: a change of another may make a token be looked up
/// again for nothing, but none is missed. The size is fixed, and reading takes no lock.
pub(super) struct Editions {
    hasher: RandomState,
    changes: AtomicU64,
    last_change: Box<[AtomicU64]>,
}

const SLOTS: usize = 4_096;

/// How many changes there were before something was looked up.
#[derive(Clone, Copy)]
pub(super) struct Begun(u64);

impl Default for Editions {
    fn default() -> Self {
        let last_change = (0..SLOTS).map(|_| AtomicU64::new(0)).collect();
        Self { hasher: RandomState::new(), changes: AtomicU64::new(0), last_change }
    }
}

impl Editions {
    /// Call it before anything is looked up.
    pub(super) fn begin(&self) -> Begun {
        Begun(self.changes.load(Ordering::SeqCst))
    }

    /// Returns the edition in which something was found that was looked up since then; `None` if the owner has changed meanwhile, so that it may be outdated
    /// already.
    pub(super) fn of(&self, owner: &Owner, begun: Begun) -> Option<Edition> {
        let slot = self.slot(owner);
        let last_change = self.last_change[slot].load(Ordering::SeqCst);
        let part = u64::try_from(slot).ok()?;
        (last_change <= begun.0).then(|| Edition::of_part(part, last_change))
    }

    pub(super) fn changed(&self, owner: &Owner) {
        let number = self.changes.fetch_add(1, Ordering::SeqCst) + 1;
        self.last_change[self.slot(owner)].fetch_max(number, Ordering::SeqCst);
    }

    pub(super) fn is_current(&self, edition: Edition) -> bool {
        let slot = usize::try_from(edition.part()).ok().and_then(|slot| self.last_change.get(slot));
        slot.is_some_and(|last_change| last_change.load(Ordering::SeqCst) == edition.number())
    }

    fn slot(&self, owner: &Owner) -> usize {
        let slots = u64::try_from(SLOTS).unwrap_or(1);
        usize::try_from(self.hasher.hash_one(owner) % slots).unwrap_or_default()
    }
}

impl fmt::Debug for Editions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Editions").field("changes", &self.changes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_ends_what_was_found_before_and_what_is_being_looked_up() {
        let (editions, alice) = (Editions::default(), Owner::user("alice"));
        let before = editions.begin();
        let edition = editions.of(&alice, before).unwrap();
        assert!(editions.is_current(edition));
        editions.changed(&alice);
        assert!(!editions.is_current(edition));
        assert!(editions.of(&alice, before).is_none(), "a look-up that began before the change");
        assert!(editions.is_current(editions.of(&alice, editions.begin()).unwrap()));
    }

    #[test]
    fn owners_of_different_kinds_are_different_owners() {
        let editions = Editions::default();
        let owners = (0..200).flat_map(|id| [Owner::user(format!("{id}")), Owner::organisation(format!("{id}"))]);
        let slots: std::collections::HashSet<_> = owners.map(|owner| editions.slot(&owner)).collect();
        assert!(slots.len() > 300, "{}", slots.len());
    }
}
