//! What the handles of a source, the requests that wait and the one task have in common.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use arc_swap::ArcSwap;
use portcullis_core::{
    KeyHint, KeySet, KeySource, KeySourceError, KeySourceErrorKind, Resolved, TokenHashKey, UnixTime,
};
use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant},
};

use crate::machine::attempts::{Desk, LastAttempt};

#[derive(Debug)]
pub(crate) struct Shared {
    /// What readers see, without a lock.
    pub(crate) published: ArcSwap<Published>,
    /// The edition of the keys if they can be used, else zero: one load for a token that was seen before. Released after the keys
    /// are stored, and acquired: who reads an edition and then the keys gets keys that are no older. (Newer ones do no harm: a
    /// token that is remembered with an older edition is verified anew.)
    edition: AtomicU64,
    /// Until when that is so, in seconds by the calendar.
    edition_ends: AtomicU64,
    desk: Mutex<Desk>,
    /// For the tokens that name no key.
    pub(crate) token_hash_key: TokenHashKey,
    /// Tells the task that an attempt is asked for.
    pub(crate) wake: Notify,
    /// The number of the last attempt that is over.
    pub(crate) finished: watch::Sender<u64>,
}

/// The keys as they are at the moment. Never changes: a change makes another one.
#[derive(Debug)]
pub(crate) struct Published {
    /// Of the keys: another one when others come, or when these can be used no longer.
    number: u64,
    keys: KeySet,
    usability: Usability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usability {
    /// There are no keys: none came yet, or those that did had to be dropped.
    Nothing,
    /// Until then, whether anybody fetches them anew or not.
    Usable {
        until: Instant,
        /// The same by the calendar, which can be set: for tokens that were seen before alone.
        until_time: UnixTime,
    },
    /// The outage has lasted too long.
    TooOld,
    /// The task is gone, and with it whoever looks after the keys.
    Ended,
}

impl Published {
    /// As it is now: what nobody looked after for too long is too old, also before the task says so, or if it does not run.
    pub(crate) fn usability(&self) -> Usability {
        match self.usability {
            Usability::Usable { until, .. } if Instant::now() >= until => Usability::TooOld,
            usability => usability,
        }
    }

    /// When they become too old, if they are not yet said to be.
    pub(crate) fn ends_at(&self) -> Option<Instant> {
        match self.usability {
            Usability::Usable { until, .. } => Some(until),
            _ => None,
        }
    }

    /// The keys, if they can be used.
    pub(crate) fn usable(&self) -> Option<&KeySet> {
        matches!(self.usability(), Usability::Usable { .. }).then_some(&self.keys)
    }
}

impl Shared {
    pub(crate) fn new(cool_down: Duration) -> Self {
        let nothing = Published { number: 0, keys: KeySet::default(), usability: Usability::Nothing };
        Self {
            published: ArcSwap::from_pointee(nothing),
            edition: AtomicU64::new(0),
            edition_ends: AtomicU64::new(0),
            desk: Mutex::new(Desk::new(cool_down, Instant::now())),
            token_hash_key: TokenHashKey::random(),
            wake: Notify::new(),
            finished: watch::Sender::new(0),
        }
    }

    /// The desk, for as long as the guard lives: never across an await.
    pub(crate) fn desk(&self) -> MutexGuard<'_, Desk> {
        // Poison means that a thread panicked in a few lines of bookkeeping; the book is still one.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn publish(&self, keys: KeySet, usability: Usability) {
        let number = self.published.load().number + 1;
        self.published.store(Arc::new(Published { number, keys, usability }));
        let (edition, ends) = match usability {
            Usability::Usable { until_time, .. } => (number, until_time.as_secs()),
            _ => (0, 0),
        };
        self.edition_ends.store(ends, Ordering::Release);
        self.edition.store(edition, Ordering::Release);
    }

    /// The same keys can be used for longer.
    pub(crate) fn prolong(&self, usability: Usability) {
        let Published { number, keys, .. } = &**self.published.load();
        let (number, keys) = (*number, keys.clone());
        self.published.store(Arc::new(Published { number, keys, usability }));
        if let Usability::Usable { until_time, .. } = usability {
            self.edition_ends.store(until_time.as_secs(), Ordering::Release);
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
        let mut desk = self.desk();
        if desk.is_idle() {
            desk.begin_scheduled(Instant::now());
            self.wake.notify_one();
        }
    }

    /// The answer from what is at hand. [`Resolved::Unknown`] if the key is not, a fault if the set as a whole is not.
    pub(crate) fn at_hand(&self, hint: KeyHint<'_>) -> Resolved {
        let published = self.published.load();
        match published.usable() {
            // The set does not ask for the time.
            Some(keys) => keys.resolve(hint, UnixTime::EPOCH),
            None => Resolved::Fault(self.fault()),
        }
    }

    /// Why there is no answer, and when asking again makes sense. The text says why the last attempt failed, so that one line tells
    /// an operator what to do; its source is the source of that.
    pub(crate) fn fault(&self) -> KeySourceError {
        use KeySourceErrorKind::{TooOld, Unavailable};
        let mut desk = self.desk();
        let retry_after = desk.retry_after(Instant::now());
        let (kind, what) = match (self.published.load().usability(), &desk.last) {
            (Usability::Ended, _) => {
                (Unavailable, "the task that fetches them has ended: with its runtime, or by a panic")
            }
            (Usability::TooOld, _) => (TooOld, "they could not be fetched for longer than they may be used"),
            (Usability::Nothing, LastAttempt::Failed(_)) => (Unavailable, "they could not be fetched"),
            (Usability::Nothing, _) => (Unavailable, "the first fetch is not over yet"),
            (Usability::Usable { .. }, LastAttempt::Failed(_)) => {
                (Unavailable, "the token's key is not among them, and they could not be fetched again")
            }
            (Usability::Usable { .. }, _) => (
                Unavailable,
                "the token's key is not among them, and was not looked for yet: tokens may cause no fetch so soon",
            ),
        };
        let fault = match &desk.last {
            LastAttempt::Failed(error) => {
                let fault = KeySourceError::new(kind, format!("{what}: {error}"));
                error.shared_source().map_or(fault.clone(), |source| fault.with_source(source))
            }
            LastAttempt::None | LastAttempt::Succeeded => KeySourceError::new(kind, what),
        };
        fault.with_retry_after(retry_after)
    }
}
