//! [`Arrivals`]: which request comes when.

use std::{iter::Peekable, time::Duration};

use fastrand::Rng;

/// How many requests known users send a second.
const USERS_A_SECOND: f64 = 1_500.0;

/// Every third request of known users has a proof, whose id the service has to remember.
const OF_PROVEN: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The next known user with a proof.
    Proven(usize),
    /// The next known user without one.
    Bearer(usize),
    /// The next caller of the flood.
    Flood(usize),
}

/// Requests of many callers, who do not know of each other: the time between two is random, and the same for the same seed.
pub struct Arrivals {
    users: Peekable<Times>,
    flood: Peekable<Times>,
    /// How many requests of known users have come, and of the flood.
    come: [usize; 2],
    until: Until,
}

/// When a turn ends.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After a time without a flood.
    Time(Duration),
    /// When so many requests of a flood have come, which has so many a second.
    Flood { count: usize, a_second: f64 },
}

impl Arrivals {
    pub fn new(until: Until, seed: u64) -> Self {
        let flood = match until {
            Until::Time(_) => Times::none(),
            Until::Flood { a_second, .. } => Times::new(a_second, seed),
        };
        Self { users: Times::new(USERS_A_SECOND, !seed).peekable(), flood: flood.peekable(), come: [0; 2], until }
    }

    /// Returns the time of the next request, unless all have come.
    pub fn next_time(&mut self) -> Option<Duration> {
        let user = self.users.peek().copied()?;
        match self.until {
            Until::Time(end) => (user < end).then_some(user),
            Until::Flood { count, .. } => {
                (self.come[1] < count).then(|| self.flood.peek().map_or(user, |flood| user.min(*flood)))
            }
        }
    }

    /// Takes the next request, if it has come by then.
    pub fn take(&mut self, now: Duration) -> Option<(Duration, Who)> {
        let time = self.next_time().filter(|time| *time <= now)?;
        if self.users.next_if_eq(&time).is_some() {
            let at = self.come[0];
            self.come[0] += 1;
            let who = if at.is_multiple_of(OF_PROVEN) { Who::Proven(at / OF_PROVEN) } else { Who::Bearer(at) };
            return Some((time, who));
        }
        self.flood.next();
        self.come[1] += 1;
        Some((time, Who::Flood(self.come[1] - 1)))
    }
}

struct Times {
    random: Rng,
    interval: f64,
    last: f64,
}

impl Times {
    fn new(a_second: f64, seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), interval: 1.0 / a_second, last: 0.0 }
    }

    fn none() -> Self {
        Self::new(0.0, 0)
    }
}

impl Iterator for Times {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.last -= (1.0 - self.random.f64()).ln() * self.interval;
        self.last.is_finite().then(|| Duration::from_secs_f64(self.last))
    }
}
