//! `Attempts`: which tokens may trigger an attempt to fetch keys, and the results of attempts.

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

/// How often an invalid signature under one known key id may trigger a fetch.
const DOUBT: Duration = Duration::from_secs(5 * 60);

/// The attempts of one source, one at a time.
#[derive(Debug)]
pub(crate) struct Attempts {
    period: Duration,
    cool_down: CoolDown,
    absent: AbsentKeys,
    /// When an invalid signature last triggered a fetch, by the key's id. It has no more entries than the set has keys.
    doubted: HashMap<Box<str>, Instant>,
    /// The attempt that is requested or in progress.
    running: Option<Running>,
    /// How many attempts have begun, including that one.
    begun: u64,
    /// The number of the last successful attempt, and when it began.
    succeeded: Option<(u64, Instant)>,
    last: LastAttempt,
}

/// An attempt that has not finished.
#[derive(Debug)]
struct Running {
    number: u64,
    begun_at: Instant,
    /// When the driver started it.
    made_at: Option<Instant>,
    purpose: Purpose,
    /// Whether it has changed the keys.
    changed: bool,
}

/// The reason for an attempt.
#[derive(Debug)]
enum Purpose {
    /// It is due; no token asked for it.
    Schedule,
    /// A key that is not in the set, or the key that signed a token which names none.
    Key(Name),
    /// A newer key with the same id as one that did not sign a token.
    NewerKey,
}

/// A finished attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) number: u64,
    /// It succeeded but did not find what it was made for: the issuer may publish it at another URL by now.
    pub(crate) missed: bool,
}

/// The result of the last attempt.
#[derive(Clone, Debug)]
pub(crate) enum LastAttempt {
    None,
    Succeeded,
    Failed(FetchError),
}

/// What a token with a missing key can expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// An attempt with this number begins now: wait until it has finished.
    Begun(u64),
    /// An attempt is in progress: wait for it. It may have begun before the issuer had the key.
    Joined(u64),
    /// The key was looked up after a token first named it, and was not found.
    Absent,
    /// No attempt is allowed at the moment, and none has looked for the key yet.
    NotNow,
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

    /// Returns the outlook for a key that is not in the set, or for the key that signed a token which names none.
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
            (Outlook::NotNow, Some(looked_at)) => {
                self.absent.pass(name, looked_at, self.period);
                Outlook::Absent
            }
            (outlook, _) => outlook,
        }
    }

    /// Returns the outlook for any key, if there are no usable ones.
    pub(crate) fn outlook_for_any(&mut self, now: Instant) -> Outlook {
        self.join_or_begin(Purpose::Schedule, now)
    }

    /// Returns when the last attempt began, if it succeeded and a token had named the key before.
    fn looked_for_at(&self, name: &Name) -> Option<Instant> {
        let (attempt, at) = self.succeeded.filter(|_| matches!(self.last, LastAttempt::Succeeded))?;
        self.absent.appeared_before(name, attempt).then_some(at)
    }

    /// Joins or begins an attempt for a token that cannot be decided without one.
    fn join_or_begin(&mut self, purpose: Purpose, now: Instant) -> Outlook {
        if let Some(running) = &self.running {
            return Outlook::Joined(running.number);
        }
        if self.cool_down.try_take(now) { Outlook::Begun(self.begin(purpose, now)) } else { Outlook::NotNow }
    }

    /// Handles a signature that no current key has made. If the token names an id of the set, there may be another key with that id. If
    /// it names none, there may be another key, and this token asks for it.
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

    /// Begins a refresh that is due, regardless of the limits for tokens.
    pub(crate) fn begin_scheduled(&mut self, now: Instant) {
        if self.running.is_none() {
            self.cool_down.take(now);
            self.begin(Purpose::Schedule, now);
        }
    }

    /// Begins another attempt after a failed one. It takes nothing from the bucket: otherwise an outage would use up the attempts that
    /// tokens may trigger, and a new key would be refused afterwards.
    pub(crate) fn begin_retry(&mut self, now: Instant) {
        if self.running.is_none() {
            self.begin(Purpose::Schedule, now);
        }
    }

    /// Whether an attempt is requested or in progress.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether there is an attempt to make, which is true once for each attempt.
    pub(crate) fn take_up(&mut self, now: Instant) -> bool {
        match &mut self.running {
            Some(running) if running.made_at.is_none() => {
                running.made_at = Some(now);
                true
            }
            _ => false,
        }
    }

    /// Returns when the driver started the attempt in progress.
    pub(crate) fn made_at(&self) -> Option<Instant> {
        self.running.as_ref()?.made_at
    }

    pub(crate) fn last(&self) -> &LastAttempt {
        &self.last
    }

    /// Records that the attempt has finished; `keys` is the current set.
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
                // The previous keys did not sign a token that names none.
                let missed = is_unknown || (name.key_id().is_none() && !running.changed);
                if missed {
                    self.absent.insert(name, now, self.period);
                }
                missed
            }
        }
    }

    /// Records that the keys have changed, so earlier findings about absent keys no longer count. `former` are the ids of the previous
    /// set.
    pub(crate) fn keys_changed<'a>(&mut self, former: impl IntoIterator<Item = &'a str>) {
        self.absent.clear(former);
        self.doubted.clear();
        if let Some(running) = &mut self.running {
            running.changed = true;
        }
    }

    /// Returns how long it takes until a token may trigger an attempt.
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
        assert_eq!(attempts.outlook(&name("c"), now), Outlook::NotNow);
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
        assert_eq!(attempts.outlook(&name("d"), now), Outlook::NotNow);
        assert_eq!(attempts.outlook(&name("d"), now), Outlook::NotNow, "naming it twice is no attempt");
        attempts.begin_scheduled(now);
        attempts.finish(LastAttempt::Failed(FetchError::timed_out(PERIOD)), None, now);
        for id in ["b", "d"] {
            assert_eq!(attempts.outlook(&name(id), now), Outlook::NotNow, "an attempt that failed says nothing: {id}");
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
        for outlook in [Outlook::Begun(1), Outlook::Begun(2), Outlook::NotNow] {
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
        assert_eq!(attempts.doubt(&name("c"), now), Outlook::NotNow);
        assert_eq!(attempts.doubt(&name("c"), now + PERIOD), Outlook::Begun(3));
    }
}
