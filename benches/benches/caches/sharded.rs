//! Nothing but the standard library and a hash: maps under locks, which evict the oldest unused entry.
//!
//! An entry that was used since it came, or since it was last spared, gets a second chance at the end of the queue.

use std::{
    collections::{HashMap, VecDeque},
    hash::BuildHasher,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use foldhash::fast::RandomState as Foldhash;

use crate::candidates::{Cache, Entry};

const SHARDS: usize = 16;

/// A lock, of either kind.
pub trait Lock<T>: Send + Sync {
    fn new(inner: T) -> Self;
    fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R;
    fn write<R>(&self, write: impl FnOnce(&mut T) -> R) -> R;
}

impl<T: Send> Lock<T> for Mutex<T> {
    fn new(inner: T) -> Self {
        Self::new(inner)
    }

    fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        write(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Send + Sync> Lock<T> for RwLock<T> {
    fn new(inner: T) -> Self {
        Self::new(inner)
    }

    fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, write: impl FnOnce(&mut T) -> R) -> R {
        write(&mut self.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The cache, of locks `L`.
pub struct Sharded<L> {
    hasher: Foldhash,
    shards: Vec<L>,
}

/// One map, and its tokens in the order in which they came.
pub struct Shard {
    map: HashMap<Arc<[u8]>, Slot, Foldhash>,
    queue: VecDeque<Arc<[u8]>>,
    capacity: usize,
}

struct Slot {
    entry: Arc<Entry>,
    used: AtomicBool,
}

impl<L: Lock<Shard>> Sharded<L> {
    pub fn new(capacity: usize) -> Self {
        let hasher = Foldhash::default();
        let shard = || Shard::new(capacity.div_ceil(SHARDS), hasher.clone());
        Self { shards: (0..SHARDS).map(|_| L::new(shard())).collect(), hasher }
    }

    /// By the token's end, which is its signature: so the whole token is hashed once, by the map.
    fn shard(&self, token: &[u8]) -> &L {
        let end = &token[token.len().saturating_sub(16)..];
        &self.shards[self.hasher.hash_one(end) as usize % SHARDS]
    }
}

impl<L: Lock<Shard>> Cache for Sharded<L> {
    fn get(&self, token: &[u8]) -> Option<Arc<Entry>> {
        self.shard(token).read(|shard| {
            let slot = shard.map.get(token)?;
            // reading first keeps the line shared between processors
            if !slot.used.load(Ordering::Relaxed) {
                slot.used.store(true, Ordering::Relaxed);
            }
            Some(Arc::clone(&slot.entry))
        })
    }

    fn insert(&self, token: &[u8], entry: Arc<Entry>) {
        let token: Arc<[u8]> = token.into();
        self.shard(&token).write(|shard| shard.insert(token.clone(), entry));
    }
}

impl Shard {
    fn new(capacity: usize, hasher: Foldhash) -> Self {
        let map = HashMap::with_capacity_and_hasher(capacity, hasher);
        Self { map, queue: VecDeque::with_capacity(capacity), capacity }
    }

    fn insert(&mut self, token: Arc<[u8]>, entry: Arc<Entry>) {
        let slot = Slot { entry, used: AtomicBool::new(false) };
        if self.map.insert(Arc::clone(&token), slot).is_some() {
            return; // it stands in the queue already
        }
        if self.queue.len() == self.capacity {
            self.forget_one();
        }
        self.queue.push_back(token);
    }

    fn forget_one(&mut self) {
        while let Some(oldest) = self.queue.pop_front() {
            let used = self.map.get(&oldest).is_some_and(|slot| slot.used.swap(false, Ordering::Relaxed));
            if !used {
                self.map.remove(&oldest);
                return;
            }
            self.queue.push_back(oldest);
        }
    }
}
