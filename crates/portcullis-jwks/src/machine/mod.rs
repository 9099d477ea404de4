//! `Machine`: makes all decisions about one key source.
//!
//! It performs no I/O. Events are reported to it with their time ([`Machine::on`]), and it returns the actions to take; tokens ask it for
//! keys ([`Machine::look_for`], [`Machine::doubt`]). Time, randomness and fetched documents are arguments, so its tests need neither a
//! runtime nor a network. The `driver` carries out the actions.

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

/// The state of one key source.
#[derive(Debug)]
pub(crate) struct Machine {
    outage: Duration,
    attempts: Attempts,
    held: Option<Held>,
    published: Published,
    /// When the next scheduled attempt is due.
    due: Option<Instant>,
    /// Whether no attempt is due before there were any keys, unless a token asks.
    only_when_asked: bool,
    /// When the next attempt is due if a token asks for it until then.
    due_if_asked: Option<Instant>,
    learned: Learned,
    jitter: Jitter,
    /// The number of consecutive failed attempts.
    failures: u32,
    /// When a failure was last logged.
    told_at: Instant,
    /// The earliest time at which the issuer wants to be asked again.
    no_sooner_than: Instant,
    /// Kept for the life of the source: these keys stay exposed even if they are later published without their private halves.
    exposed: Vec<PublicHalf>,
}

/// The developer's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) cool_down: Duration,
    pub(crate) outage: Duration,
}

/// An event for the machine.
#[derive(Debug)]
pub(crate) enum Event {
    /// The time that [`Machine::wakes_at`] returned has come. At any other time, this has no effect.
    Time,
    /// A caller waits for keys, without a token.
    KeysWanted,
    /// The attempt from [`Machine::take_up_attempt`] has finished.
    AttemptOver {
        outcome: Box<Result<FetchedKeys, FetchError>>,
        /// The time of the wall clock.
        calendar: UnixTime,
    },
    /// The machine is no longer driven.
    Ended,
}

/// The actions to take, in this order.
#[derive(Debug)]
pub(crate) enum Action {
    /// Publish these keys to readers.
    Publish(Published),
    /// Tell the operator.
    Tell(Notice),
    /// Wake the requests that wait for the attempt with this number or an earlier one.
    Wake(u64),
}

/// A notice for the operator.
#[derive(Debug)]
pub(crate) enum Notice {
    /// An attempt succeeded after this many failures.
    Recovered { failures: u32 },
    /// An attempt failed; there may or may not be usable keys.
    FetchFailed { error: FetchError, failures: u32, usable: bool },
    /// The keys have changed.
    KeysSwapped { keys: KeySet, skipped: Vec<SkippedKey> },
    /// The private halves of these keys were published.
    ExposedKeysDropped(Vec<VerifyingKey>),
    /// The outage has lasted too long.
    KeysTooOld,
}

impl Machine {
    /// Returns a machine without keys that does nothing until it is asked.
    pub(crate) fn new(settings: Settings, randomness: fastrand::Rng, now: Instant) -> Self {
        Self {
            outage: settings.outage,
            attempts: Attempts::new(settings.cool_down, now),
            held: None,
            published: Published::nothing(),
            due: None,
            only_when_asked: false,
            due_if_asked: None,
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

    /// Starts with keys that are known to be exposed.
    pub(crate) fn remember_exposed(&mut self, exposed: Vec<PublicHalf>) {
        self.exposed = exposed;
    }

    /// Schedules an attempt that no token asks for.
    pub(crate) fn fetch_at(&mut self, instant: Instant) {
        self.due = Some(instant);
    }

    /// Has each attempt made for a token that asks, until there are keys.
    pub(crate) fn only_when_asked(&mut self) {
        self.only_when_asked = true;
    }

    /// Handles an event, and returns the actions to take.
    pub(crate) fn on(&mut self, event: Event, now: Instant) -> Vec<Action> {
        match event {
            Event::Time => self.on_time(now),
            Event::KeysWanted => {
                if self.is_idle() && !self.ask_for_retry() {
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

    /// Returns when [`Event::Time`] has to be reported next. Another event may change this.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        let due = self.due.filter(|_| !self.attempts.is_running());
        [due, self.published.ends_at()].into_iter().flatten().min()
    }

    /// Returns what is known for the attempt to make now. Each attempt is returned only once.
    pub(crate) fn take_up_attempt(&mut self, now: Instant) -> Option<Learned> {
        self.attempts.take_up(now).then(|| self.learned.clone())
    }

    pub(crate) fn published(&self) -> &Published {
        &self.published
    }

    /// Returns the current set, whether it can be used or not.
    pub(crate) fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Returns why the last attempt failed; `None` if it succeeded.
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
            (Usability::Nothing, _) if self.is_idle() && self.due_if_asked.is_none() => Health::Idle,
            _ => Health::Down,
        }
    }

    /// Whether nothing is due until a token needs a key: for a lazy source before its first token, or after a failed attempt.
    fn is_idle(&self) -> bool {
        !self.attempts.is_running() && self.due.is_none()
    }

    /// A caller wants keys, and may not cause an attempt now: makes the next one due that waits to be asked for. Returns whether there is one.
    fn ask_for_retry(&mut self) -> bool {
        let asked = self.due_if_asked.take();
        self.due = asked.or(self.due);
        asked.is_some()
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
        // The wait was chosen while there were usable keys.
        let soon = (now + self.jitter.back_off(self.failures, false)).max(self.no_sooner_than);
        self.due = self.due.map(|due| due.min(soon));
    }
}
