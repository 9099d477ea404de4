//! What a cache of verified tokens could be made of: maps from a token's bytes to an `Arc`, compared in full.

use std::sync::{Arc, Mutex, RwLock};

use foldhash::fast::RandomState as Foldhash;

use crate::{sets::Sets, sharded::Sharded};

/// As large as the smaller part of what a verified token keeps; the claims' text is the token's own size again.
pub struct Entry {
    pub expiry: u64,
    _rest: [u64; 15],
}

impl Entry {
    pub fn new(expiry: u64) -> Arc<Self> {
        Arc::new(Self { expiry, _rest: [0; 15] })
    }
}

/// What the measurements ask of a candidate.
pub trait Cache: Send + Sync {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>>;
    fn insert(&self, token: &[u8], entry: Arc<Entry>);
    /// Does now what it would do some time.
    fn settle(&self) {}
}

/// A candidate: its name, and how to make one for so many tokens.
pub struct Candidate {
    pub name: &'static str,
    pub make: fn(usize) -> Box<dyn Cache>,
}

const fn candidate(name: &'static str, make: fn(usize) -> Box<dyn Cache>) -> Candidate {
    Candidate { name, make }
}

pub const CANDIDATES: [Candidate; 8] = [
    candidate("quick_cache", |capacity| Box::new(quick(capacity))),
    candidate("papaya, never forgets", |capacity| {
        Box::new(Papaya::with_capacity_and_hasher(capacity, Foldhash::default()))
    }),
    candidate("scc::HashCache", |capacity| {
        Box::new(Scc::with_capacity_and_hasher(capacity, capacity, Foldhash::default()))
    }),
    candidate("moka", |capacity| Box::new(Moka::new(capacity as u64))),
    candidate("moka with foldhash", |capacity| {
        Box::new(Moka::builder().max_capacity(capacity as u64).build_with_hasher(Foldhash::default()))
    }),
    candidate("own: shards under a Mutex, second chance", |capacity| Box::new(Sharded::<Mutex<_>>::new(capacity))),
    candidate("own: shards under a RwLock, second chance", |capacity| Box::new(Sharded::<RwLock<_>>::new(capacity))),
    candidate("own: sets of eight ArcSwapOption", |capacity| Box::new(Sets::new(capacity))),
];

type Quick = quick_cache::sync::Cache<Box<[u8]>, Arc<Entry>, quick_cache::UnitWeighter, Foldhash>;
type Papaya = papaya::HashMap<Box<[u8]>, Arc<Entry>, Foldhash>;
type Scc = scc::HashCache<Box<[u8]>, Arc<Entry>, Foldhash>;
type Moka = moka::sync::Cache<Box<[u8]>, Arc<Entry>>;

fn quick(capacity: usize) -> Quick {
    let (weight, hasher) = (capacity as u64, Foldhash::default());
    Quick::with(capacity, weight, quick_cache::UnitWeighter, hasher, quick_cache::sync::DefaultLifecycle::default())
}

impl Cache for Quick {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>> {
        self.get(token)
    }

    fn insert(&self, token: &[u8], entry: Arc<Entry>) {
        self.insert(token.into(), entry);
    }
}

impl Cache for Papaya {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>> {
        self.pin().get(token).cloned()
    }

    fn insert(&self, token: &[u8], entry: Arc<Entry>) {
        self.pin().insert(token.into(), entry);
    }
}

impl Cache for Scc {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>> {
        // not `read_sync`, which does not tell the cache that the entry is in use
        self.get_sync(token).map(|entry| Arc::clone(entry.get()))
    }

    fn insert(&self, token: &[u8], entry: Arc<Entry>) {
        // it is refused where another thread was faster
        let _ = self.put_sync(token.into(), entry);
    }
}

impl<S: std::hash::BuildHasher + Clone + Send + Sync + 'static> Cache for moka::sync::Cache<Box<[u8]>, Arc<Entry>, S> {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>> {
        self.get(token)
    }

    fn insert(&self, token: &[u8], entry: Arc<Entry>) {
        self.insert(token.into(), entry);
    }

    fn settle(&self) {
        self.run_pending_tasks();
    }
}
