//! When the next attempt is due that no token asks for.

use std::time::Duration;

/// Attempts after a failure are a second apart at first, and each time twice as long, up to this: rare enough that the issuer can
/// come back, and no request waits while the keys from before can be used.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The same while no key can be used: each second of it is one in which no token can be verified.
const LONGEST_WAIT_WITHOUT_KEYS: Duration = Duration::from_secs(5);

const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Chance, so that the instances of a service do not ask at once.
#[derive(Debug)]
pub(crate) struct Jitter(fastrand::Rng);

impl Jitter {
    pub(crate) fn new(randomness: fastrand::Rng) -> Self {
        Self(randomness)
    }

    /// After how long a key set with that freshness is fetched anew: at 80 % of it, a tenth sooner or later. No request ever
    /// waits for it.
    pub(crate) fn refresh_after(&mut self, freshness: Duration) -> Duration {
        freshness.mul_f64(0.8 * self.around_one(0.1))
    }

    /// After how long to try again when that many attempts in a row came to nothing, and keys can be used meanwhile or not.
    pub(crate) fn back_off(&mut self, failures: u32, usable: bool) -> Duration {
        let longest = if usable { LONGEST_WAIT } else { LONGEST_WAIT_WITHOUT_KEYS };
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        FIRST_WAIT.saturating_mul(doubled).min(longest).mul_f64(self.around_one(0.2))
    }

    /// What an issuer asks for, and up to a fifth longer.
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
