//! An array of small sets, as processors build their caches: a hash names the set, the token stands in one of its eight
//! places. Readers take no lock; writers lock their set. Within a set, evicts entries that were not used lately.

use std::{
    hash::BuildHasher,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use foldhash::fast::RandomState as Foldhash;

use crate::candidates::{Cache, Entry};

const WAYS: usize = 8;

pub struct Sets {
    hasher: Foldhash,
    sets: Vec<Set>,
}

/// Tags beside each other, so that a look at one cache line tells which places are worth a look.
#[derive(Default)]
struct Set {
    tags: [AtomicU32; WAYS],
    places: [ArcSwapOption<Place>; WAYS],
    /// The next place to look at when one is needed.
    hand: Mutex<usize>,
}

struct Place {
    token: Box<[u8]>,
    entry: Arc<Entry>,
    used: AtomicBool,
}

impl Sets {
    pub fn new(capacity: usize) -> Self {
        let sets = (0..capacity.div_ceil(WAYS)).map(|_| Set::default()).collect();
        Self { hasher: Foldhash::default(), sets }
    }

    /// The set, by the upper half of the hash, and the tag, the lower half.
    fn find(&self, token: &[u8]) -> (&Set, u32) {
        let hash = self.hasher.hash_one(token);
        let at = ((hash >> 32) * self.sets.len() as u64) >> 32;
        (&self.sets[at as usize], hash as u32)
    }
}

impl Cache for Sets {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>> {
        let (set, tag) = self.find(token);
        for (other, place) in set.tags.iter().zip(&set.places) {
            if other.load(Ordering::Relaxed) != tag {
                continue;
            }
            let place = place.load();
            let Some(place) = place.as_ref().filter(|place| *place.token == *token) else { continue };
            // reading first keeps the line shared between processors
            if !place.used.load(Ordering::Relaxed) {
                place.used.store(true, Ordering::Relaxed);
            }
            return Some(Arc::clone(&place.entry));
        }
        None
    }

    fn insert(&self, token: &[u8], entry: Arc<Entry>) {
        let (set, tag) = self.find(token);
        let mut hand = set.hand.lock().unwrap_or_else(PoisonError::into_inner);
        let at = set.place_for(token, &mut hand);
        set.places[at].store(Some(Arc::new(Place { token: token.into(), entry, used: AtomicBool::new(false) })));
        set.tags[at].store(tag, Ordering::Relaxed);
    }
}

impl Set {
    /// Returns its place if it is there, or an empty place, or the next one that was not used since the hand last passed.
    fn place_for(&self, token: &[u8], hand: &mut usize) -> usize {
        let is_free = |place: &Place| *place.token == *token;
        if let Some(at) = self.places.iter().position(|place| place.load().as_deref().is_none_or(is_free)) {
            return at;
        }
        loop {
            let at = *hand;
            *hand = (at + 1) % WAYS;
            let spared = self.places[at].load().as_ref().is_some_and(|place| place.used.swap(false, Ordering::Relaxed));
            if !spared {
                return at;
            }
        }
    }
}
