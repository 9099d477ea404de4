//! `Attempts`: which tokens may cause an attempt to get keys, and what an attempt came to.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use portcullis_core::{
    KeySet, UnixTime,
    keys::{KeySource, Resolved},
};

use super::{absent_keys::AbsentKeys, cool_down::CoolDown, name::Name};
use crate::error::FetchError;

/// How often a bad signature under one known key id may cause a fetch.
const DOUBT: Duration = Duration::from_secs(5 * 60);

/// The attempts of one source, one at a time.
#[derive(Debug)]
pub(crate) struct Attempts {
    period: Duration,
    cool_down: CoolDown,
    absent: AbsentKeys,
    /// When a bad signature last caused a fetch, by the key's id. No more of them than the set has keys.
    doubted: HashMap<Box<str>, Instant>,
    /// The attempt that is asked for or under way.
    running: Option<Running>,
    /// How many there were, with that one.
    begun: u64,
    /// The number of the last one that succeeded, and when it began.
    succeeded: Option<(u64, Instant)>,
    last: LastAttempt,
}

/// An attempt that is not over yet.
#[derive(Debug)]
struct Running {
    number: u64,
    begun_at: Instant,
    /// When the driver took it up.
    made_at: Option<Instant>,
    purpose: Purpose,
    /// Whether it has brought other keys than before.
    changed: bool,
}

/// For what an attempt is made.
#[derive(Debug)]
enum Purpose {
    /// For none of the tokens: it is due.
    Schedule,
    /// For a key that is not in the set, or did not sign a token that names none.
    Key(Name),
    /// For a newer key than the one that a token names and that did not sign it.
    NewerKey,
}

/// An attempt that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) number: u64,
    /// It succeeded and did not bring what it was made for: perhaps the issuer publishes that somewhere else by now.
    pub(crate) missed: bool,
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
    /// It was looked for since a token first named it, and is not there.
    Absent,
    /// There may be no attempt at the moment, and none has looked for it yet.
    CoolingDown,
}

impl Attempts {
    pub(crate) fn new(period: Duration, now: Instant) -> Self {
        Self {
            period,
            cool_down: CoolDown::new(period, now),
            absent: AbsentKeys::new(),
            doubted: HashMap::new(),
            running: None,
            begun: 0,
            succeeded: None,
            last: LastAttempt::None,
        }
    }

    /// A key that is not in the set, or that of a token which names none and which no key of the set has signed.
    pub(crate) fn outlook(&mut self, name: &Name, now: Instant) -> Outlook {
        if !name.tells() {
            return self.join_or_begin(Purpose::Key(name.clone()), now);
        }
        let looked_at = self.looked_for_at(name);
        if self.absent.contains(name, now, looked_at) {
            return Outlook::Absent;
        }
        self.absent.note_appearance(name, self.begun);
        match (self.join_or_begin(Purpose::Key(name.clone()), now), looked_at) {
            (Outlook::CoolingDown, Some(looked_at)) => {
                self.absent.pass(name, looked_at, self.period);
                Outlook::Absent
            }
            (outlook, _) => outlook,
        }
    }

    /// Any key: there are none to be used.
    pub(crate) fn outlook_for_any(&mut self, now: Instant) -> Outlook {
        self.join_or_begin(Purpose::Schedule, now)
    }

    /// When the last attempt began, if it succeeded, and if a token had named the key before.
    fn looked_for_at(&self, name: &Name) -> Option<Instant> {
        let (attempt, at) = self.succeeded.filter(|_| matches!(self.last, LastAttempt::Succeeded))?;
        self.absent.appeared_before(name, attempt).then_some(at)
    }

    /// An attempt for a token that cannot be decided about without one.
    fn join_or_begin(&mut self, purpose: Purpose, now: Instant) -> Outlook {
        if let Some(running) = &self.running {
            return Outlook::Joined(running.number);
        }
        if self.cool_down.try_take(now) { Outlook::Begun(self.begin(purpose, now)) } else { Outlook::CoolingDown }
    }

    /// A signature that no key at hand has made. Under an id of the set: there may be another key by that id. Without an id: there
    /// may be another key, and this token asks for that one.
    pub(crate) fn doubt(&mut self, name: &Name, now: Instant) -> Outlook {
        let Some(id) = name.key_id() else { return self.outlook(name, now) };
        let is_recent = |last: &Instant| now.saturating_duration_since(*last) < DOUBT;
        if self.running.is_none() && self.doubted.get(id).is_some_and(is_recent) {
            return Outlook::Absent;
        }
        let outlook = self.join_or_begin(Purpose::NewerKey, now);
        if matches!(outlook, Outlook::Begun(_)) {
            self.doubted.insert(id.into(), now);
        }
        outlook
    }

    /// A refresh that is due, whatever tokens ask for.
    pub(crate) fn begin_scheduled(&mut self, now: Instant) {
        if self.running.is_none() {
            self.cool_down.take(now);
            self.begin(Purpose::Schedule, now);
        }
    }

    /// Another attempt after one that failed. It leaves the bucket as it is: those that tokens may cause would otherwise be used up
    /// by an outage, and a new key refused after it.
    pub(crate) fn begin_retry(&mut self, now: Instant) {
        if self.running.is_none() {
            self.begin(Purpose::Schedule, now);
        }
    }

    /// Whether an attempt is asked for or under way.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether there is an attempt to be made, which is so once for each that begins.
    pub(crate) fn take_up(&mut self, now: Instant) -> bool {
        match &mut self.running {
            Some(running) if running.made_at.is_none() => {
                running.made_at = Some(now);
                true
            }
            _ => false,
        }
    }

    /// When the driver took up the attempt that is under way.
    pub(crate) fn made_at(&self) -> Option<Instant> {
        self.running.as_ref()?.made_at
    }

    pub(crate) fn last(&self) -> &LastAttempt {
        &self.last
    }

    /// The attempt is over, and `keys` is the set in hand now.
    pub(crate) fn finish(&mut self, last: LastAttempt, keys: Option<&KeySet>, now: Instant) -> Finished {
        let running = self.running.take();
        let number = running.as_ref().map_or(self.begun, |running| running.number);
        let succeeded = matches!(last, LastAttempt::Succeeded);
        self.last = last;
        if let (true, Some(running)) = (succeeded, &running) {
            self.succeeded = Some((number, running.begun_at));
        }
        let missed = succeeded && running.is_some_and(|running| self.is_missed(running, keys, now));
        Finished { number, missed }
    }

    fn is_missed(&mut self, running: Running, keys: Option<&KeySet>, now: Instant) -> bool {
        match running.purpose {
            Purpose::Schedule => false,
            Purpose::NewerKey => !running.changed,
            Purpose::Key(name) => {
                let is_unknown =
                    keys.is_none_or(|keys| matches!(keys.resolve(name.hint(), UnixTime::EPOCH), Resolved::Unknown));
                // The keys from before did not sign a token that names none.
                let missed = is_unknown || (name.key_id().is_none() && !running.changed);
                if missed {
                    self.absent.insert(name, now, self.period);
                }
                missed
            }
        }
    }

    /// The keys are others than before, so what was found out about those says nothing. `former` are the ids of the set before.
    pub(crate) fn keys_changed<'a>(&mut self, former: impl IntoIterator<Item = &'a str>) {
        self.absent.clear(former);
        self.doubted.clear();
        if let Some(running) = &mut self.running {
            running.changed = true;
        }
    }

    /// How long it takes until a token may cause an attempt.
    pub(crate) fn cooled_after(&mut self, now: Instant) -> Duration {
        self.cool_down.remaining(now)
    }

    fn begin(&mut self, purpose: Purpose, now: Instant) -> u64 {
        self.begun += 1;
        self.running = Some(Running { number: self.begun, begun_at: now, made_at: None, purpose, changed: false });
        self.begun
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{
        Algorithm,
        keys::{KeyHint, TokenHashKey},
    };

    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    fn name(id: &str) -> Name {
        Name::of_key(KeyHint::new(Algorithm::Es256, Some(id)), &TokenHashKey::random())
    }

    #[test]
    fn everybody_joins_the_one_attempt() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        assert_eq!(attempts.outlook(&name("a"), now), Outlook::Begun(1));
        assert!((0..100).all(|n| attempts.outlook(&name(&n.to_string()), now) == Outlook::Joined(1)));
        assert_eq!(attempts.doubt(&name("known"), now), Outlook::Joined(1));
    }

    #[test]
    fn without_an_attempt_and_within_the_cool_down_nobody_waits() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        for id in ["a", "b"] {
            assert!(matches!(attempts.outlook(&name(id), now), Outlook::Begun(_)));
            attempts.finish(LastAttempt::Succeeded, None, now);
        }
        assert_eq!(attempts.outlook(&name("c"), now), Outlook::CoolingDown);
        assert_eq!(attempts.cooled_after(now), PERIOD);
        assert!(matches!(attempts.outlook(&name("c"), now + PERIOD), Outlook::Begun(3)));
    }

    #[test]
    fn within_the_cool_down_a_key_is_absent_if_an_attempt_began_after_a_token_named_it() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        assert_eq!(attempts.outlook(&name("a"), now), Outlook::Begun(1));
        assert_eq!(attempts.outlook(&name("b"), now), Outlook::Joined(1));
        assert!(attempts.finish(LastAttempt::Succeeded, None, now).missed);
        assert_eq!(attempts.outlook(&name("a"), now), Outlook::Absent);
        assert_eq!(attempts.outlook(&name("c"), now), Outlook::Begun(2));
        assert!(attempts.finish(LastAttempt::Succeeded, None, now).missed);
        assert_eq!(attempts.outlook(&name("b"), now), Outlook::Absent, "the second attempt did not bring it");
        assert_eq!(attempts.outlook(&name("d"), now), Outlook::CoolingDown);
        assert_eq!(attempts.outlook(&name("d"), now), Outlook::CoolingDown, "naming it twice is no attempt");
        attempts.begin_scheduled(now);
        attempts.finish(LastAttempt::Failed(FetchError::timed_out(PERIOD)), None, now);
        for id in ["b", "d"] {
            assert_eq!(
                attempts.outlook(&name(id), now),
                Outlook::CoolingDown,
                "an attempt that failed says nothing: {id}"
            );
        }
        attempts.begin_scheduled(now);
        assert!(!attempts.finish(LastAttempt::Succeeded, None, now).missed, "it was made for no token");
        assert_eq!(attempts.outlook(&name("d"), now), Outlook::Absent);
    }

    #[test]
    fn retries_leave_the_bucket_as_it_is() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        for _ in 0..10 {
            attempts.begin_retry(now);
            attempts.finish(LastAttempt::Failed(FetchError::timed_out(PERIOD)), None, now);
        }
        assert!(matches!(attempts.outlook(&name("a"), now), Outlook::Begun(_)));
    }

    #[test]
    fn one_doubt_per_key_and_five_minutes() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        assert_eq!(attempts.doubt(&name("a"), now), Outlook::Begun(1));
        attempts.finish(LastAttempt::Succeeded, None, now);
        assert_eq!(attempts.doubt(&name("a"), now), Outlook::Absent);
        assert_eq!(attempts.doubt(&name("b"), now), Outlook::Begun(2));
        attempts.finish(LastAttempt::Succeeded, None, now);
        assert_eq!(attempts.doubt(&name("a"), now + DOUBT.saturating_sub(Duration::from_secs(1))), Outlook::Absent);
        assert_eq!(attempts.doubt(&name("a"), now + DOUBT), Outlook::Begun(3));
    }

    #[test]
    fn a_doubt_without_an_id_waits_for_a_cool_down_only() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        let unnamed = Name::of_signer(KeyHint::new(Algorithm::Es256, None), &TokenHashKey::random());
        for outlook in [Outlook::Begun(1), Outlook::Begun(2), Outlook::CoolingDown] {
            assert_eq!(attempts.doubt(&unnamed, now), outlook);
            attempts.finish(LastAttempt::Succeeded, None, now);
        }
        assert_eq!(attempts.doubt(&unnamed, now + PERIOD), Outlook::Begun(3));
    }

    #[test]
    fn a_doubt_that_came_to_no_attempt_does_not_count() {
        let now = Instant::now();
        let mut attempts = Attempts::new(PERIOD, now);
        for id in ["a", "b"] {
            assert!(matches!(attempts.doubt(&name(id), now), Outlook::Begun(_)));
            attempts.finish(LastAttempt::Succeeded, None, now);
        }
        assert_eq!(attempts.doubt(&name("c"), now), Outlook::CoolingDown);
        assert_eq!(attempts.doubt(&name("c"), now + PERIOD), Outlook::Begun(3));
    }
}
