//! [`FetchQueue`]: how many sources of a service's tenants fetch their keys at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many sources fetch at once: as many as issuers are asked about at once. Each may hold a connection and half a mebibyte.
const AT_ONCE: usize = 64;

/// How many of these may be sources that have not verified a token yet. Their issuers may be invented, and slow on purpose: the other half is kept for
/// issuers that are in use.
const UNPROVEN_AT_ONCE: usize = AT_ONCE / 2;

/// The queue for attempts to fetch keys. First come, first served.
#[derive(Debug)]
pub(crate) struct FetchQueue {
    all: Semaphore,
    unproven: Semaphore,
}

impl FetchQueue {
    pub(crate) fn new() -> Self {
        Self { all: Semaphore::new(AT_ONCE), unproven: Semaphore::new(UNPROVEN_AT_ONCE) }
    }
}

/// One source's access to the queue.
#[derive(Clone, Debug)]
pub(crate) struct QueuedSource {
    queue: Arc<FetchQueue>,
    is_proven: Arc<AtomicBool>,
}

/// A source's turn. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    _permits: [Option<SemaphorePermit<'a>>; 2],
}

impl QueuedSource {
    pub(crate) fn new(queue: Arc<FetchQueue>) -> Self {
        Self { queue, is_proven: Arc::default() }
    }

    /// Notes that one of the source's keys has verified a token.
    pub(crate) fn note_verified(&self) {
        // Read first: a write would invalidate the cache line of other processors.
        if !self.is_proven.load(Ordering::Relaxed) {
            self.is_proven.store(true, Ordering::Relaxed);
        }
    }

    /// Waits until the source may fetch.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        // An error would mean that a semaphore was closed, which none is.
        let is_proven = self.is_proven.load(Ordering::Relaxed);
        let unproven = if is_proven { None } else { self.queue.unproven.acquire().await.ok() };
        Turn { _permits: [unproven, self.queue.all.acquire().await.ok()] }
    }
}
