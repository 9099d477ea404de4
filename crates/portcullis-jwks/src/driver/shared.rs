//! `Shared`: what the handles of a source, the requests that wait and the one task have in common.

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
    /// What the source is called in logs.
    name: String,
    /// What readers see, without a lock.
    published: ArcSwap<Published>,
    /// The edition of the keys if they can be used, else zero: one load for a token that was seen before. Released after the keys
    /// are stored, and acquired: who reads an edition and then the keys gets keys that are no older. (Newer ones do no harm: a
    /// token that is remembered with an older edition is verified again.)
    edition: AtomicU64,
    /// Until when that is so, in seconds by the calendar.
    edition_ends: AtomicU64,
    /// Locked only when a key is missing or a signature is bad, and by the task.
    machine: Mutex<Machine>,
    /// For the tokens that name no key.
    pub(super) token_hash_key: TokenHashKey,
    /// Tells the task that an attempt is asked for.
    pub(super) wake: Notify,
    /// The number of the last attempt that is over.
    pub(crate) finished: watch::Sender<u64>,
    /// How many attempts ended with an answer, and how many did not.
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

    /// The machine, for as long as the guard lives: never across an await.
    pub(crate) fn machine(&self) -> MutexGuard<'_, Machine> {
        // Poison means that a thread panicked in a few lines of bookkeeping; the books are still usable.
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the machine what happened, and does what follows from it.
    pub(super) fn tell(&self, event: Event) {
        if let Event::AttemptOver { outcome, .. } = &event {
            let count = if outcome.is_ok() { &self.succeeded } else { &self.failed };
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut machine = self.machine();
        let actions = machine.on(event, now());
        // With the lock in hand, so that readers see changes in the order in which they were decided.
        for action in &actions {
            if let Action::Publish(published) = action {
                self.publish(published.clone());
            }
        }
        drop(machine);
        for action in actions {
            match action {
                Action::Publish(_) => {} // above
                Action::Tell(notice) => telemetry::tell(&self.name, &notice),
                Action::Wake(number) => drop(self.finished.send_replace(number)),
            }
        }
    }

    /// A number for the keys as they are, if they can be used at `now`. A calendar that is wrong has tokens verified in full, and
    /// changes no verdict.
    pub(crate) fn edition(&self, now: UnixTime) -> Option<u64> {
        let edition = self.edition.load(Ordering::Acquire);
        (edition != 0 && now.as_secs() < self.edition_ends.load(Ordering::Acquire)).then_some(edition)
    }

    /// Begins the first attempt of a lazy source.
    pub(crate) fn begin_if_idle(&self) {
        self.tell(Event::KeysWanted);
        self.wake.notify_one();
    }

    /// How many attempts ended with an answer, and how many did not.
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
