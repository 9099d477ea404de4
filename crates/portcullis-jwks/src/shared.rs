//! What the handles of a source, the requests that wait and the one task have in common.

use std::{
    future::ready,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use portcullis_core::{KeyHint, KeyMatch, KeySet, KeySource, KeySourceError, KeySourceErrorKind, Resolved, UnixTime};
use tokio::{
    sync::{Notify, watch},
    time::{Duration, Instant, timeout_at},
};

use crate::{
    absent_keys::Name,
    desk::{Desk, LastAttempt, Look},
};

/// How long a request waits for a fetch. What takes longer goes on without it, for those who come later.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Shared {
    /// What readers see, without a lock.
    pub(crate) published: ArcSwap<Published>,
    /// The edition of the keys if they can be used, else zero: one load for a token that was seen before. Written after the keys,
    /// so that who reads an edition gets keys that are no older.
    edition: AtomicU64,
    desk: Mutex<Desk>,
    /// Tells the task that an attempt is asked for.
    pub(crate) wake: Notify,
    /// The number of the last attempt that is over.
    pub(crate) finished: watch::Sender<u64>,
}

/// The keys as they are at the moment. Never changes: a change makes another one.
#[derive(Debug)]
pub(crate) struct Published {
    /// How many came before it.
    number: u64,
    pub(crate) keys: KeySet,
    pub(crate) usability: Usability,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Usability {
    /// There were no keys yet.
    Nothing,
    Usable,
    /// The outage has lasted too long.
    TooOld,
    /// The task is gone, and with it whoever looks after the keys.
    Ended,
}

impl Shared {
    pub(crate) fn new(cool_down: Duration) -> Self {
        let nothing = Published { number: 0, keys: KeySet::from_iter(NO_KEYS), usability: Usability::Nothing };
        Self {
            published: ArcSwap::from_pointee(nothing),
            edition: AtomicU64::new(0),
            desk: Mutex::new(Desk::new(cool_down, Instant::now())),
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
        self.edition.store(if usability == Usability::Usable { number } else { 0 }, Ordering::SeqCst);
    }

    /// A number for the keys as they are, if they can be used.
    pub(crate) fn edition(&self) -> Option<u64> {
        let edition = self.edition.load(Ordering::Acquire);
        (edition != 0).then_some(edition)
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
        match published.usability {
            // The set does not ask for the time.
            Usability::Usable => published.keys.resolve(hint, UnixTime::EPOCH),
            _ => Resolved::Fault(self.fault()),
        }
    }

    /// Looks for a key that was not at hand: says what is known of it, or waits for an attempt to get it.
    pub(crate) fn look_for(self: &Arc<Self>, hint: KeyHint<'_>) -> Resolved {
        let (name, now) = (Name::from(hint), Instant::now());
        let look = {
            let mut desk = self.desk();
            // Read anew, with the desk in hand. An attempt may have ended since the caller looked, and what it brought is
            // published before the desk hears of its end: a key that is not in the set now is one that it did not bring.
            let published = self.published.load();
            match published.usability {
                Usability::Usable => match published.keys.resolve(hint, UnixTime::EPOCH) {
                    Resolved::Unknown => desk.look_for(&name, now),
                    brought => return brought,
                },
                Usability::Nothing | Usability::TooOld => desk.join_or_begin(now),
                Usability::Ended => Look::CoolingDown,
            }
        };
        match look {
            Look::Absent => Resolved::Unknown,
            Look::CoolingDown => self.not_looked_for(),
            Look::Begun(_) | Look::Joined(_) => {
                self.wake.notify_one();
                Resolved::waiting(wait_for_key(Arc::clone(self), name, look))
            }
        }
    }

    /// What a signature that none of `tried` made leads to: another fetch, or nothing.
    pub(crate) fn doubt(self: &Arc<Self>, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        let (name, now) = (Name::from(hint), Instant::now());
        let look = {
            let mut desk = self.desk();
            // With the desk in hand, for the same reason as above: there may be other keys by now.
            let published = self.published.load();
            match published.keys.resolve(hint, UnixTime::EPOCH) {
                _ if published.usability != Usability::Usable => return Resolved::Unknown,
                Resolved::Keys(keys) if keys.is_of_the_set_of(tried) => desk.doubt(&name, now),
                others => return Resolved::waiting(ready(others)),
            }
        };
        match look {
            Look::Absent | Look::CoolingDown => Resolved::Unknown,
            Look::Begun(attempt) | Look::Joined(attempt) => {
                self.wake.notify_one();
                let shared = Arc::clone(self);
                Resolved::waiting(async move {
                    // Whatever the attempt came to: the token is judged by the keys at hand.
                    let _in_time = shared.wait(attempt, Instant::now() + PATIENCE).await;
                    shared.at_hand(name.hint())
                })
            }
        }
    }

    /// A key that is not in the set and may not be looked for at the moment. If the set was fetched within the cool-down, that
    /// says enough; if that failed, nobody knows.
    fn not_looked_for(&self) -> Resolved {
        let looked = matches!(self.desk().last, LastAttempt::Succeeded);
        let usable = self.published.load().usability == Usability::Usable;
        if looked && usable { Resolved::Unknown } else { Resolved::Fault(self.fault()) }
    }

    /// Waits until that attempt is over; `false` if it takes too long.
    async fn wait(&self, attempt: u64, deadline: Instant) -> bool {
        let mut finished = self.finished.subscribe();
        let over = finished.wait_for(|finished| *finished >= attempt);
        timeout_at(deadline, over).await.is_ok_and(|over| over.is_ok())
    }

    /// Why there is no answer, and when asking again makes sense.
    pub(crate) fn fault(&self) -> KeySourceError {
        use KeySourceErrorKind::{Stale, Unavailable};
        let mut desk = self.desk();
        let retry_after = desk.retry_after(Instant::now());
        let (kind, detail) = match self.published.load().usability {
            Usability::Nothing => (Unavailable, "none were fetched so far"),
            Usability::Usable => (Unavailable, "the key is not in the set, and the set could not be fetched anew"),
            Usability::TooOld => (Stale, "they could not be fetched anew for longer than they may be used"),
            Usability::Ended => (Unavailable, "the runtime in which they were kept fresh has ended"),
        };
        let fault = KeySourceError::new(kind, detail).with_retry_after(retry_after);
        match &desk.last {
            LastAttempt::Failed(error) => fault.with_source(error.clone()),
            LastAttempt::None | LastAttempt::Succeeded => fault,
        }
    }
}

/// Waits for the attempt, and for one more if that one had begun before the key was asked for and did not bring it: the
/// issuer may have published it in between.
async fn wait_for_key(shared: Arc<Shared>, name: Name, mut look: Look) -> Resolved {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (attempt, joined) = match look {
            Look::Begun(attempt) => (attempt, false),
            Look::Joined(attempt) => (attempt, true),
            // Asked once more: another attempt may have brought it since.
            Look::Absent => return shared.at_hand(name.hint()),
            Look::CoolingDown => return shared.not_looked_for(),
        };
        if !shared.wait(attempt, deadline).await {
            let slow =
                KeySourceError::new(KeySourceErrorKind::Unavailable, "the fetch takes longer than a request waits");
            return Resolved::Fault(slow.with_retry_after(PATIENCE));
        }
        match shared.at_hand(name.hint()) {
            Resolved::Unknown => look = shared.not_brought(&name, joined),
            found => return found,
        }
    }
}

impl Shared {
    /// The attempt did not bring the key. Was that all?
    fn not_brought(&self, name: &Name, joined: bool) -> Look {
        let (now, mut desk) = (Instant::now(), self.desk());
        if !matches!(desk.last, LastAttempt::Succeeded) {
            return Look::CoolingDown;
        }
        if joined && let Look::Begun(attempt) | Look::Joined(attempt) = desk.look_for(name, now) {
            self.wake.notify_one();
            // Whoever began it, it began after the key was asked for.
            return Look::Begun(attempt);
        }
        desk.note_absent(name.clone(), now);
        Look::Absent
    }
}

const NO_KEYS: [portcullis_core::VerifyingKey; 0] = [];

#[cfg(test)]
mod tests {
    use portcullis_core::{Algorithm, Secret};

    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    fn hint(id: &str) -> KeyHint<'_> {
        KeyHint::new(Algorithm::Hs256, Some(id))
    }

    /// A set with the key `new`, after so many attempts that no token may cause another one.
    fn rotated() -> Arc<Shared> {
        let shared = Shared::new(PERIOD);
        for _ in 0..2 {
            shared.desk().begin_scheduled(Instant::now());
            shared.desk().finish(LastAttempt::Succeeded);
        }
        let secret = Secret::from_base64("new", Algorithm::Hs256, &"A".repeat(43)).unwrap();
        shared.publish(KeySet::from(secret), Usability::Usable);
        Arc::new(shared)
    }

    /// The caller looked before the attempt ended, and comes to the desk after that: a thread may rest in between.
    #[tokio::test(start_paused = true)]
    async fn a_key_that_came_since_the_caller_looked_is_found() {
        assert!(matches!(rotated().look_for(hint("new")), Resolved::Keys(_)));
        assert!(matches!(rotated().look_for(hint("unheard-of")), Resolved::Unknown));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_came_since_costs_no_fetch() {
        let shared = rotated();
        tokio::time::sleep(2 * PERIOD).await;
        assert!(matches!(shared.look_for(hint("new")), Resolved::Keys(_)));
        assert!(!shared.desk().is_running());
        assert!(matches!(shared.look_for(hint("unheard-of")), Resolved::Waiting(_)));
        assert!(shared.desk().is_running());
    }

    fn keys(resolved: Resolved) -> KeyMatch {
        match resolved {
            Resolved::Keys(keys) => keys,
            other => panic!("{other:?}"),
        }
    }

    /// The same for a token that was checked against keys which were replaced meanwhile.
    #[tokio::test(start_paused = true)]
    async fn keys_that_were_replaced_since_are_tried_without_a_fetch() {
        let shared = rotated();
        let tried = keys(shared.at_hand(hint("new")));
        assert!(matches!(shared.doubt(hint("new"), &tried), Resolved::Unknown), "the keys at hand, and none to be had");
        let secret = Secret::from_base64("new", Algorithm::Hs256, &format!("{}A", "B".repeat(42))).unwrap();
        shared.publish(KeySet::from(secret), Usability::Usable);
        let Resolved::Waiting(newer) = shared.doubt(hint("new"), &tried) else { panic!("nothing newer") };
        assert!(!keys(newer.await).is_of_the_set_of(&tried));
        assert!(!shared.desk().is_running());
    }
}
