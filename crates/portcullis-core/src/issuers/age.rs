//! [`Age`]: the age of a resolver's answer about an issuer.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::UnixTime;

/// The time after which the resolver is asked about a learned issuer again. A change in a database can go unnoticed for that long.
const ASK_AFTER: Duration = Duration::from_secs(10 * 60);

/// The time for which a learned issuer is used beyond that while the resolver fails. Fetched keys are used past their freshness equally long.
const OUTAGE: Duration = Duration::from_secs(60 * 60);

/// The time after which another request asks, if the previous question got no answer.
const ASK_NEXT_AFTER: Duration = Duration::from_secs(5);

/// The age of a learned issuer, in wall-clock time. Each request has that at hand, so a cached token does not have to read another clock.
#[derive(Debug)]
pub(super) struct Age {
    /// The time from which on the resolver is asked again, in seconds.
    ask_at: AtomicU64,
    over_at: UnixTime,
}

impl Age {
    pub(super) fn new(learned_at: UnixTime) -> Self {
        let ask_at = learned_at.plus(ASK_AFTER);
        Self { ask_at: AtomicU64::new(ask_at.as_secs()), over_at: ask_at.plus(OUTAGE) }
    }

    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        Self::is_past(self.ask_at.load(Ordering::Relaxed), now)
    }

    /// If a question is due, makes it due again only some seconds later. Only one caller gets `true`.
    pub(super) fn take_question(&self, now: UnixTime) -> bool {
        let ask_at = self.ask_at.load(Ordering::Relaxed);
        let next = now.plus(ASK_NEXT_AFTER).as_secs();
        Self::is_past(ask_at, now)
            && self.ask_at.compare_exchange(ask_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        now >= self.over_at
    }

    /// Also returns `true` if the wall clock was set back since, because the age of the answer is then unknown.
    fn is_past(ask_at: u64, now: UnixTime) -> bool {
        let now = now.as_secs();
        now >= ask_at || ask_at - now > ASK_AFTER.as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEARNED_AT: UnixTime = UnixTime::from_secs(1_800_000_000);

    #[test]
    fn an_answer_is_due_after_ten_minutes_and_over_an_hour_later() {
        let age = Age::new(LEARNED_AT);
        for (seconds, is_due, is_over) in
            [(0, false, false), (599, false, false), (600, true, false), (4_199, true, false), (4_200, true, true)]
        {
            let now = LEARNED_AT.plus(Duration::from_secs(seconds));
            assert_eq!((age.is_due(now), age.is_over(now)), (is_due, is_over), "{seconds}");
        }
    }

    #[test]
    fn one_request_in_five_seconds_takes_the_question() {
        let age = Age::new(LEARNED_AT);
        assert!(!age.take_question(LEARNED_AT));
        for attempt in 0..3 {
            let now = LEARNED_AT.plus(ASK_AFTER + ASK_NEXT_AFTER * attempt);
            assert!(age.is_due(now) && age.take_question(now), "{attempt}");
            assert!(!age.is_due(now) && !age.take_question(now), "{attempt}");
            assert!(!age.is_due(now.plus(Duration::from_secs(4))), "{attempt}");
        }
    }

    #[test]
    fn an_answer_is_due_after_the_wall_clock_was_set_back() {
        let age = Age::new(LEARNED_AT);
        assert!(age.is_due(LEARNED_AT.minus(Duration::from_secs(1))) && age.is_due(UnixTime::EPOCH));
        assert!(age.take_question(UnixTime::EPOCH) && !age.take_question(UnixTime::EPOCH));
    }
}
