//! `Machine`: everything that is decided about one source of keys.
//!
//! It does nothing. It is told what happened and when ([`Machine::on`]), and answers what has to be done; tokens ask it for keys
//! ([`Machine::look_for`], [`Machine::doubt`]). Time, randomness and what was fetched come in as arguments, so its tests need neither a
//! runtime nor a network. The `driver` does what it says.

mod absent_keys;
mod attempt_over;
mod attempts;
mod cool_down;
mod fault;
mod fetched_keys;
mod held;
mod lookup;
mod name;
mod published;
mod schedule;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use portcullis_core::{
    KeySet, UnixTime,
    keys::{SkippedKey, VerifyingKey},
};

pub(crate) use fetched_keys::{Content, FetchedKeys, Learned};
pub(crate) use held::Held;
pub(crate) use lookup::{Lookup, PATIENCE, Wait};
pub(crate) use name::Name;
pub(crate) use published::{Published, Usability};

use crate::{error::FetchError, health::Health, key_document::PublicHalf};
use attempts::{Attempts, LastAttempt};
use schedule::Jitter;

/// The state of one source of keys.
#[derive(Debug)]
pub(crate) struct Machine {
    outage: Duration,
    attempts: Attempts,
    held: Option<Held>,
    published: Published,
    /// When the next attempt is due by itself.
    due: Option<Instant>,
    learned: Learned,
    jitter: Jitter,
    /// How many attempts in a row have failed.
    failures: u32,
    /// When a failure was last told.
    told_at: Instant,
    /// When the issuer wants to be asked again, if it said so.
    no_sooner_than: Instant,
    /// For as long as the source lives: that a key is published without its private half again does not undo that.
    exposed: Vec<PublicHalf>,
}

/// What the developer chose.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) cool_down: Duration,
    pub(crate) outage: Duration,
}

/// What happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// The time has come that [`Machine::wakes_at`] gave. At any other one nothing follows from it.
    Time,
    /// A caller waits for keys, and not with a token.
    KeysWanted,
    /// The attempt that [`Machine::take_up_attempt`] gave is over.
    AttemptOver {
        outcome: Box<Result<FetchedKeys, FetchError>>,
        /// The time by the calendar.
        calendar: UnixTime,
    },
    /// Nothing drives the machine any more.
    Ended,
}

/// What has to be done, in this order.
#[derive(Debug)]
pub(crate) enum Action {
    /// Show readers these keys.
    Publish(Published),
    /// Tell the operator.
    Tell(Notice),
    /// Wake the requests that wait for the attempt of this number, or for one before it.
    Wake(u64),
}

/// What an operator wants to know.
#[derive(Debug)]
pub(crate) enum Notice {
    /// An attempt succeeded, after so many that did not.
    Recovered { failures: u32 },
    /// An attempt failed, and there are keys to use meanwhile or not.
    FetchFailed { error: FetchError, failures: u32, usable: bool },
    /// The keys are others than before.
    KeysSwapped { keys: KeySet, skipped: Vec<SkippedKey> },
    /// The private halves of these keys were published.
    ExposedKeysDropped(Vec<VerifyingKey>),
    /// The outage has lasted too long.
    KeysTooOld,
}

impl Machine {
    /// One without keys, which does nothing before it is asked.
    pub(crate) fn new(settings: Settings, randomness: fastrand::Rng, now: Instant) -> Self {
        Self {
            outage: settings.outage,
            attempts: Attempts::new(settings.cool_down, now),
            held: None,
            published: Published::nothing(),
            due: None,
            learned: Learned::default(),
            jitter: Jitter::new(randomness),
            failures: 0,
            told_at: now,
            no_sooner_than: now,
            exposed: Vec::new(),
        }
    }

    /// Starts with keys of an earlier process.
    pub(crate) fn restore(&mut self, held: Held) {
        self.published = self.published.replaced(held.keys.clone(), held.usability(self.outage));
        self.held = Some(held);
    }

    /// Starts with what is known not to be used.
    pub(crate) fn remember_exposed(&mut self, exposed: Vec<PublicHalf>) {
        self.exposed = exposed;
    }

    /// Has an attempt made then that no token asks for.
    pub(crate) fn fetch_at(&mut self, instant: Instant) {
        self.due = Some(instant);
    }

    /// What follows from what happened.
    pub(crate) fn on(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Time => self.on_time(now),
            Event::KeysWanted => {
                if self.is_idle() {
                    self.attempts.begin_scheduled(now);
                }
                Vec::new()
            }
            Event::AttemptOver { outcome, calendar } => self.on_attempt_over(*outcome, calendar, now),
            Event::Ended => {
                self.published = self.published.replaced(KeySet::default(), Usability::Ended);
                vec![Action::Publish(self.published.clone()), Action::Wake(u64::MAX)]
            }
        }
    }

    /// When [`Event::Time`] is next to be told. Another event may change it.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        let due = self.due.filter(|_| !self.attempts.is_running());
        [due, self.published.ends_at()].into_iter().flatten().min()
    }

    /// What is known for the attempt that is to be made now. Each one is given out once.
    pub(crate) fn take_up_attempt(&mut self, now: Instant) -> Option<Learned> {
        self.attempts.take_up(now).then(|| self.learned.clone())
    }

    pub(crate) fn published(&self) -> &Published {
        &self.published
    }

    /// The set in hand, whether it can be used or not.
    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Why the last attempt failed; `None` if it did not.
    pub(crate) fn last_error(&self) -> Option<&FetchError> {
        match self.attempts.last() {
            LastAttempt::Failed(error) => Some(error),
            LastAttempt::None | LastAttempt::Succeeded => None,
        }
    }

    pub(crate) fn health(&self, now: Instant) -> Health {
        match (self.published.usability(now), &self.held) {
            (Usability::Usable { .. }, Some(held)) => match now.saturating_duration_since(held.fresh_until()) {
                Duration::ZERO => Health::Healthy,
                stale_for => Health::Degraded { stale_for },
            },
            (Usability::Nothing, _) if self.is_idle() => Health::Idle,
            _ => Health::Down,
        }
    }

    /// Whether nothing was ever asked of the source: a lazy one before its first token.
    fn is_idle(&self) -> bool {
        !self.attempts.is_running() && self.due.is_none()
    }

    fn on_time(&mut self, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.published.ends_at().is_some_and(|end| now >= end) {
            self.grow_too_old(now, &mut actions);
        }
        if self.due.is_some_and(|due| now >= due) {
            if self.failures > 0 { self.attempts.begin_retry(now) } else { self.attempts.begin_scheduled(now) }
        }
        actions
    }

    fn grow_too_old(&mut self, now: Instant, actions: &mut Vec<Action>) {
        self.published = self.published.replaced(KeySet::default(), Usability::TooOld);
        actions.push(Action::Publish(self.published.clone()));
        actions.push(Action::Tell(Notice::KeysTooOld));
        // The wait was chosen while there were keys to use.
        let soon = (now + self.jitter.back_off(self.failures, false)).max(self.no_sooner_than);
        self.due = self.due.map(|due| due.min(soon));
    }
}
