//! [`CoolDown`]: limits how often tokens may trigger a fetch.

use std::time::{Duration, Instant};

/// How many fetches tokens may trigger in a row after a quiet time: one for a new key, and one for another new key that arrives while the
/// first fetch is in progress, or for a second rotation shortly after the first.
const BURST: u32 = 2;

/// A token bucket for fetches; each cool-down adds one.
///
/// An attempt that a token triggers takes one, and is not made if none is left. A scheduled attempt takes one if there is one, and is made
/// in any case. A retry after a failure takes none, so that an outage does not use up the fetches that tokens may trigger. So tokens trigger
/// at most one fetch per cool-down after the burst, however many unknown keys are named.
#[derive(Debug)]
pub(crate) struct CoolDown {
    period: Duration,
    left: u32,
    /// When the wait for the next one began. Meaningless while the bucket is full.
    since: Instant,
}

impl CoolDown {
    pub(crate) fn new(period: Duration, now: Instant) -> Self {
        Self { period, left: BURST, since: now }
    }

    /// Takes one if there is one.
    pub(crate) fn try_take(&mut self, now: Instant) -> bool {
        self.refill(now);
        if self.left == 0 {
            return false;
        }
        self.take(now);
        true
    }

    /// Takes one, or leaves the bucket empty.
    pub(crate) fn take(&mut self, now: Instant) {
        self.refill(now);
        // Each attempt makes the next one wait for a whole period.
        self.since = now;
        self.left = self.left.saturating_sub(1);
    }

    /// Returns how long it takes until there is one again; zero if there is one.
    pub(crate) fn remaining(&mut self, now: Instant) -> Duration {
        self.refill(now);
        match self.left {
            0 => self.period.saturating_sub(now.saturating_duration_since(self.since)),
            _ => Duration::ZERO,
        }
    }

    fn refill(&mut self, now: Instant) {
        while self.left < BURST && now.saturating_duration_since(self.since) >= self.period {
            self.left += 1;
            self.since += self.period;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(30);

    #[test]
    fn a_burst_then_one_per_period() {
        let start = Instant::now();
        let mut cool_down = CoolDown::new(PERIOD, start);
        assert!(cool_down.try_take(start) && cool_down.try_take(start) && !cool_down.try_take(start));
        let taken = (1..=300).filter(|second| cool_down.try_take(start + Duration::from_secs(*second))).count();
        assert_eq!(taken, 10);
    }

    #[test]
    fn a_long_quiet_time_fills_it_to_the_burst_and_no_further() {
        let start = Instant::now();
        let mut cool_down = CoolDown::new(PERIOD, start);
        cool_down.take(start);
        let later = start + PERIOD * 100;
        assert!(cool_down.try_take(later) && cool_down.try_take(later) && !cool_down.try_take(later));
    }

    #[test]
    fn scheduled_attempts_count_and_are_not_held_up() {
        let start = Instant::now();
        let mut cool_down = CoolDown::new(PERIOD, start);
        for _ in 0..5 {
            cool_down.take(start);
        }
        assert!(!cool_down.try_take(start));
        assert_eq!(cool_down.remaining(start + Duration::from_secs(10)), Duration::from_secs(20));
        assert!(cool_down.try_take(start + PERIOD));
    }
}
