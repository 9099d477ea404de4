//! What becomes of tokens whose key is not at hand, and what the attempts to get keys came to.
//!
//! Everything here is decided at once, from its arguments: nothing waits, nothing is fetched.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::{
    FetchError,
    absent_keys::{AbsentKeys, Name},
    cool_down::CoolDown,
    held::Held,
};

/// How often a bad signature under one known key id may cause a fetch.
const DOUBT: Duration = Duration::from_secs(5 * 60);

/// The book that is kept about a source. Behind a lock that only tokens without a key at hand, and the task, ever take.
#[derive(Debug)]
pub(crate) struct Desk {
    period: Duration,
    cool_down: CoolDown,
    absent: AbsentKeys,
    /// When a bad signature last caused a fetch, by the key's id. No more of them than the set has keys.
    doubted: HashMap<Option<Box<str>>, Instant>,
    /// The attempt that is asked for or under way.
    running: Option<u64>,
    /// How many there were, with that one.
    begun: u64,
    pub(crate) last: LastAttempt,
    pub(crate) held: Option<Held>,
    /// When the next attempt is due by itself.
    pub(crate) due: Option<Instant>,
}

/// What the last attempt came to.
#[derive(Clone, Debug)]
pub(crate) enum LastAttempt {
    None,
    Succeeded,
    Failed(FetchError),
}

/// What a token whose key is not at hand can hope for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// An attempt of this number begins now: wait until it is over.
    Begun(u64),
    /// One is under way: wait for that. It may have begun before the issuer had the key.
    Joined(u64),
    /// It was looked for lately, and is not there.
    Absent,
    /// There may be no attempt at the moment.
    CoolingDown,
}

impl Desk {
    pub(crate) fn new(period: Duration, now: Instant) -> Self {
        Self {
            period,
            cool_down: CoolDown::new(period, now),
            absent: AbsentKeys::new(),
            doubted: HashMap::new(),
            running: None,
            begun: 0,
            last: LastAttempt::None,
            held: None,
            due: None,
        }
    }

    /// A key that is not in the set.
    pub(crate) fn look_for(&mut self, name: &Name, now: Instant) -> Outlook {
        if self.absent.contains(name, now) { Outlook::Absent } else { self.join_or_begin(now) }
    }

    /// An attempt for whoever cannot go on without one.
    pub(crate) fn join_or_begin(&mut self, now: Instant) -> Outlook {
        if let Some(attempt) = self.running {
            return Outlook::Joined(attempt);
        }
        if self.cool_down.try_take(now) { Outlook::Begun(self.next_attempt()) } else { Outlook::CoolingDown }
    }

    /// A bad signature under a key id of the set: it may be another key by now.
    pub(crate) fn doubt(&mut self, name: &Name, now: Instant) -> Outlook {
        if let Some(attempt) = self.running {
            return Outlook::Joined(attempt);
        }
        let id = name.hint().key_id.map(Box::from);
        if self.doubted.get(&id).is_some_and(|last| now.saturating_duration_since(*last) < DOUBT) {
            return Outlook::Absent;
        }
        let outlook = self.join_or_begin(now);
        if outlook != Outlook::CoolingDown {
            self.doubted.insert(id, now);
        }
        outlook
    }

    /// An attempt that is due, whatever tokens ask for.
    pub(crate) fn begin_scheduled(&mut self, now: Instant) {
        if self.running.is_none() {
            self.cool_down.take(now);
            self.next_attempt();
        }
    }

    /// Whether nothing was ever asked of the source: a lazy one before its first token.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_none() && self.due.is_none()
    }

    /// Whether an attempt is asked for or under way.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// The attempt is over. Gives its number.
    pub(crate) fn finish(&mut self, last: LastAttempt) -> u64 {
        self.last = last;
        self.running = None;
        self.begun
    }

    /// The keys are others than before, so what was found out about those says nothing.
    pub(crate) fn keys_changed(&mut self) {
        self.absent.clear();
        self.doubted.clear();
    }

    /// An attempt that succeeded did not bring this key.
    pub(crate) fn note_absent(&mut self, name: Name, now: Instant) {
        self.absent.insert(name, now, self.period);
    }

    /// When asking again makes sense.
    pub(crate) fn retry_after(&mut self, now: Instant) -> Duration {
        let cooled = self.cool_down.remaining(now);
        let due = self.due.map(|due| due.saturating_duration_since(now));
        due.map_or(cooled, |due| due.min(cooled))
    }

    fn next_attempt(&mut self) -> u64 {
        self.begun += 1;
        self.running = Some(self.begun);
        self.begun
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{Algorithm, KeyHint};

    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    fn name(id: &str) -> Name {
        KeyHint::new(Algorithm::Es256, Some(id)).into()
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_joins_the_one_attempt() {
        let now = Instant::now();
        let mut desk = Desk::new(PERIOD, now);
        assert_eq!(desk.look_for(&name("a"), now), Outlook::Begun(1));
        assert!((0..100).all(|n| desk.look_for(&name(&n.to_string()), now) == Outlook::Joined(1)));
        assert_eq!(desk.doubt(&name("known"), now), Outlook::Joined(1));
    }

    #[tokio::test(start_paused = true)]
    async fn without_an_attempt_and_within_the_cool_down_nobody_waits() {
        let now = Instant::now();
        let mut desk = Desk::new(PERIOD, now);
        for _ in 0..2 {
            assert!(matches!(desk.look_for(&name("a"), now), Outlook::Begun(_)));
            desk.finish(LastAttempt::Succeeded);
        }
        assert_eq!(desk.look_for(&name("a"), now), Outlook::CoolingDown);
        assert_eq!(desk.retry_after(now), PERIOD);
        assert!(matches!(desk.look_for(&name("a"), now + PERIOD), Outlook::Begun(3)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_doubt_per_key_and_five_minutes() {
        let now = Instant::now();
        let mut desk = Desk::new(PERIOD, now);
        assert_eq!(desk.doubt(&name("a"), now), Outlook::Begun(1));
        desk.finish(LastAttempt::Succeeded);
        assert_eq!(desk.doubt(&name("a"), now), Outlook::Absent);
        assert_eq!(desk.doubt(&name("b"), now), Outlook::Begun(2));
        desk.finish(LastAttempt::Succeeded);
        assert_eq!(desk.doubt(&name("a"), now + DOUBT - Duration::from_secs(1)), Outlook::Absent);
        assert_eq!(desk.doubt(&name("a"), now + DOUBT), Outlook::Begun(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_doubt_that_came_to_no_attempt_does_not_count() {
        let now = Instant::now();
        let mut desk = Desk::new(PERIOD, now);
        for id in ["a", "b"] {
            assert!(matches!(desk.doubt(&name(id), now), Outlook::Begun(_)));
            desk.finish(LastAttempt::Succeeded);
        }
        assert_eq!(desk.doubt(&name("c"), now), Outlook::CoolingDown);
        assert_eq!(desk.doubt(&name("c"), now + PERIOD), Outlook::Begun(3));
    }
}
