//! When the next scheduled attempt is due.

use std::time::Duration;

/// The longest wait after a failure. Waits start at one second and double each time. This is rare enough for the issuer to recover, and
/// no request has to wait while the previous keys can be used.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait while no key can be used, because no token can be verified in that time.
const LONGEST_WAIT_WITHOUT_KEYS: Duration = Duration::from_secs(5);

const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Randomness, so that the instances of a service do not all ask at once.
#[derive(Debug)]
pub(crate) struct Jitter(fastrand::Rng);

impl Jitter {
    pub(crate) fn new(randomness: fastrand::Rng) -> Self {
        Self(randomness)
    }

    /// Returns after what time a key set with this freshness is fetched again: 80 % of it, plus or minus a tenth. No request ever waits
    /// for it.
    pub(crate) fn refresh_after(&mut self, freshness: Duration) -> Duration {
        freshness.mul_f64(0.8 * self.around_one(0.1))
    }

    /// Returns after what time to retry after this many consecutive failures, with or without usable keys.
    pub(crate) fn back_off(&mut self, failures: u32, usable: bool) -> Duration {
        let longest = if usable { LONGEST_WAIT } else { LONGEST_WAIT_WITHOUT_KEYS };
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        FIRST_WAIT.saturating_mul(doubled).min(longest).mul_f64(self.around_one(0.2))
    }

    /// Returns the time that an issuer asks for, plus up to a fifth.
    pub(crate) fn no_sooner_than(&mut self, asked_for: Duration) -> Duration {
        asked_for.mul_f64(1.0 + 0.2 * self.0.f64())
    }

    fn around_one(&mut self, spread: f64) -> f64 {
        1.0 - spread + 2.0 * spread * self.0.f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_comes_well_before_the_end_and_never_at_the_same_time() {
        let mut jitter = Jitter(fastrand::Rng::with_seed(1));
        let times: Vec<_> = (0..1000).map(|_| jitter.refresh_after(Duration::from_secs(600)).as_secs_f64()).collect();
        assert!(times.iter().all(|time| (432.0..=528.0).contains(time)));
        assert!(times.iter().any(|time| *time < 440.0) && times.iter().any(|time| *time > 520.0));
    }

    #[test]
    fn retries_grow_to_half_a_minute_and_to_five_seconds_without_keys() {
        let mut jitter = Jitter(fastrand::Rng::with_seed(1));
        for (failures, seconds) in
            [(1, 1.0_f64), (2, 2.0), (3, 4.0), (5, 16.0), (6, 30.0), (1000, 30.0), (u32::MAX, 30.0)]
        {
            let time = jitter.back_off(failures, true).as_secs_f64();
            assert!((0.8 * seconds..=1.2 * seconds).contains(&time), "{failures}: {time}");
            let (time, seconds) = (jitter.back_off(failures, false).as_secs_f64(), seconds.min(5.0));
            assert!((0.8 * seconds..=1.2 * seconds).contains(&time), "{failures} without keys: {time}");
        }
    }
}
