//! `Shared`: the state that a source's handles, waiting requests and task share.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::{ArcSwap, Guard};
use portcullis_core::{UnixTime, keys::TokenHashKey};
use tokio::sync::{Notify, watch};

use super::now;
use crate::{
    machine::{Action, Event, Machine, Published},
    telemetry,
};

#[derive(Debug)]
pub(crate) struct Shared {
    /// The source's name in logs.
    name: String,
    /// The keys that readers see, without a lock.
    published: ArcSwap<Published>,
    /// The edition of the keys if they can be used, otherwise zero: a single load for a token that was seen before. It is stored with
    /// release after the keys and loaded with acquire, so a reader that reads the edition and then the keys gets keys that are no older.
    /// (Newer keys do no harm: a token that was cached with an older edition is verified again.)
    edition: AtomicU64,
    /// Until when the edition is valid, in seconds of the wall clock.
    edition_ends: AtomicU64,
    /// Locked only if a key is missing or a signature is invalid, and by the task.
    machine: Mutex<Machine>,
    /// For tokens that name no key.
    pub(super) token_hash_key: TokenHashKey,
    /// Tells the task that an attempt is needed.
    pub(super) wake: Notify,
    /// The number of the last finished attempt.
    pub(crate) finished: watch::Sender<u64>,
    /// How many attempts succeeded, and how many failed.
    succeeded: AtomicU64,
    failed: AtomicU64,
}

impl Shared {
    pub(crate) fn new(name: String, machine: Machine) -> Self {
        let published = machine.published().clone();
        let shared = Self {
            name,
            published: ArcSwap::from_pointee(published.clone()),
            edition: AtomicU64::new(0),
            edition_ends: AtomicU64::new(0),
            machine: Mutex::new(machine),
            token_hash_key: TokenHashKey::random(),
            wake: Notify::new(),
            finished: watch::Sender::new(0),
            succeeded: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        };
        shared.publish(published);
        shared
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn published(&self) -> Guard<Arc<Published>> {
        self.published.load()
    }

    /// Locks the machine. The guard is never held across an await.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        // Poison means that a thread panicked in a few lines of bookkeeping; the state is still usable.
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reports an event to the machine, and carries out the resulting actions.
    pub(super) fn tell(&self, event: Event) {
        if let Event::AttemptOver { outcome, .. } = &event {
            let count = if outcome.is_ok() { &self.succeeded } else { &self.failed };
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut machine = self.machine();
        let actions = machine.on(event, now());
        // Under the lock, so that readers see changes in the order in which they were decided.
        for action in &actions {
            if let Action::Publish(published) = action {
                self.publish(published.clone());
            }
        }
        drop(machine);
        for action in actions {
            match action {
                Action::Publish(_) => {} // done above
                Action::Tell(notice) => telemetry::tell(&self.name, &notice),
                Action::Wake(number) => drop(self.finished.send_replace(number)),
            }
        }
    }

    /// Returns a number for the current keys, if they can be used at `now`. If the wall clock is wrong, cached tokens are verified again,
    /// but no decision changes.
    pub(crate) fn edition(&self, now: UnixTime) -> Option<u64> {
        let edition = self.edition.load(Ordering::Acquire);
        (edition != 0 && now.as_secs() < self.edition_ends.load(Ordering::Acquire)).then_some(edition)
    }

    /// Starts the first attempt of a lazy source.
    pub(crate) fn begin_if_idle(&self) {
        self.tell(Event::KeysWanted);
        self.wake.notify_one();
    }

    /// Returns how many attempts succeeded, and how many failed.
    pub(crate) fn fetches(&self) -> (u64, u64) {
        (self.succeeded.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    fn publish(&self, published: Published) {
        let (edition, ends) = published.edition();
        self.published.store(Arc::new(published));
        self.edition_ends.store(ends, Ordering::Release);
        self.edition.store(edition, Ordering::Release);
    }
}
