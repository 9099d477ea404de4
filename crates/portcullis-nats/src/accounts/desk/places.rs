//! [`Places`]: what a request with a cached verdict reads of an account, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_core::{UnixTime, authenticator::Edition};

/// One place for each account that can be kept. Times are in seconds.
pub(super) struct Places(Box<[Place]>);

#[derive(Default)]
struct Place {
    /// The number of what is there; zero if nothing is. It is stored last with release, and loaded first with acquire: who sees it also sees the
    /// times that belong to it.
    number: AtomicU64,
    /// When it cannot be used any more.
    ends_at: AtomicU64,
    /// From when on a request has to ask for it, and not only for the verdict that was cached.
    check_at: AtomicU64,
    /// When a request asked last.
    used_at: AtomicU64,
}

/// The times of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) ends_at: UnixTime,
    pub(super) check_at: UnixTime,
}

impl Places {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).map(|_| Place::default()).collect())
    }

    /// Whether what was decided with this edition holds at `now`.
    pub(super) fn is_current(&self, edition: Edition, now: UnixTime, longest: u64) -> bool {
        let place = usize::try_from(edition.part()).ok().and_then(|at| self.0.get(at));
        let Some(place) = place.filter(|_| edition.number() != 0) else { return false };
        place.number.load(Ordering::Acquire) == edition.number()
            && now.as_secs() < place.ends_at.load(Ordering::Relaxed)
            && !is_past(place.check_at.load(Ordering::Relaxed), now, longest)
            && place.mark_used(now)
    }

    /// Puts something into a place. What was there is over at once.
    pub(super) fn show(&self, at: usize, number: u64, times: Times) {
        self.prolong(at, times);
        if let Some(place) = self.0.get(at) {
            place.number.store(number, Ordering::Release);
        }
    }

    /// Sets new times for what is in a place.
    pub(super) fn prolong(&self, at: usize, times: Times) {
        let Some(place) = self.0.get(at) else { return };
        place.ends_at.store(times.ends_at.as_secs(), Ordering::Relaxed);
        place.check_at.store(times.check_at.as_secs(), Ordering::Relaxed);
    }

    pub(super) fn clear(&self, at: usize) {
        if let Some(place) = self.0.get(at) {
            place.number.store(0, Ordering::Release);
        }
    }

    /// If a check is due, makes the next one due at `next`. Only one caller gets `true`.
    pub(super) fn take_check(&self, at: usize, now: UnixTime, longest: u64, next: UnixTime) -> bool {
        let Some(place) = self.0.get(at) else { return false };
        let check_at = place.check_at.load(Ordering::Relaxed);
        let taken = || place.check_at.compare_exchange(check_at, next.as_secs(), Ordering::Relaxed, Ordering::Relaxed);
        is_past(check_at, now, longest) && taken().is_ok()
    }

    pub(super) fn check_again_at(&self, at: usize, time: UnixTime) {
        if let Some(place) = self.0.get(at) {
            place.check_at.store(time.as_secs(), Ordering::Relaxed);
        }
    }

    pub(super) fn mark_used(&self, at: usize, now: UnixTime) {
        if let Some(place) = self.0.get(at) {
            place.mark_used(now);
        }
    }

    pub(super) fn used_at(&self, at: usize) -> u64 {
        self.0.get(at).map_or(0, |place| place.used_at.load(Ordering::Relaxed))
    }
}

impl Place {
    fn mark_used(&self, now: UnixTime) -> bool {
        // Read first: a write would invalidate the cache line of other processors.
        if self.used_at.load(Ordering::Relaxed) != now.as_secs() {
            self.used_at.store(now.as_secs(), Ordering::Relaxed);
        }
        true
    }
}

/// Whether a check is due. It never lies further ahead than `longest` seconds, unless the wall clock was set back: then the account's age is not
/// known, and it is due.
fn is_past(check_at: u64, now: UnixTime, longest: u64) -> bool {
    let now = now.as_secs();
    now >= check_at || check_at - now > longest
}
