//! [`Sparse`]: keeps a fault that affects every request from filling the log.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Remembers what was logged lately, so that the same event is logged at most once a second.
#[derive(Debug)]
pub(crate) struct Sparse(Mutex<Vec<Said>>);

#[derive(Debug)]
struct Said {
    what: u64,
    at: Duration,
    withheld: u64,
}

/// The minimum time between two equal events. An operator who watches the log can see that the fault lasts, and when it ends.
const PAUSE: Duration = Duration::from_secs(1);

/// How many different events are remembered. A service rarely has more broken routes at once; beyond this number, a new event has to wait
/// until an old one is a second old.
const MOST: usize = 32;

impl Sparse {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Whether to log this event now: `None` if it was logged less than a second ago, otherwise how often it has been withheld since.
    pub(crate) fn admit(&self, what: u64, now: Duration) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = |said: &Said| now.saturating_sub(said.at) >= PAUSE;
        if let Some(said) = said.iter_mut().find(|said| said.what == what) {
            if !is_due(said) {
                said.withheld += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.withheld));
        }
        if said.len() >= MOST {
            let oldest = said.iter().enumerate().min_by_key(|(_, said)| said.at);
            let place = oldest.filter(|(_, said)| is_due(said)).map(|(place, _)| place)?;
            said.swap_remove(place);
        }
        said.push(Said { what, at: now, withheld: 0 });
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_same_is_said_once_a_second_with_how_often_it_was_withheld() {
        let sparse = Sparse::new();
        assert_eq!(sparse.admit(1, at(5)), Some(0));
        assert_eq!(sparse.admit(1, at(5)), None);
        assert_eq!(sparse.admit(2, at(6)), Some(0), "another thing");
        assert_eq!(sparse.admit(1, at(1004)), None);
        assert_eq!(sparse.admit(1, at(1005)), Some(2));
        assert_eq!(sparse.admit(1, at(1006)), None);
        assert_eq!(sparse.admit(1, at(3000)), Some(1));
    }

    #[test]
    fn ever_new_things_are_bounded_as_well() {
        let sparse = Sparse::new();
        let said = (0..1_000).filter(|what| sparse.admit(*what, at(*what / 10)).is_some()).count();
        assert_eq!(said, MOST);
        assert_eq!(sparse.admit(5_000, at(1_500)), Some(0));
    }
}
