//! [`AbsentKeys`]: keys that tokens asked for and that the issuer does not have.

use std::time::{Duration, Instant};

use quick_cache::unsync::Cache;

use super::name::Name;

/// How many names each table remembers.
const CAPACITY: usize = 1024;

/// How long a key counts as absent after repeated fetches for it.
const ABSENCE: Duration = Duration::from_secs(5 * 60);

/// Keys that tokens asked for and that were not found at the issuer. A flood of invented names fills `appeared`, and `passed` if each
/// name comes again. Attempts write to `absent`, one name each, and changes of the set write to `former`.
#[derive(Debug)]
pub(crate) struct AbsentKeys {
    /// Names for which an attempt was made that did not find the key. Cleared when the issuer's keys change.
    absent: Cache<Name, Absence>,
    /// Names that an attempt for another reason did not find either. Cleared when the issuer's keys change.
    passed: Cache<Name, Absence>,
    /// How many attempts had begun when a name first appeared. An evicted name counts as new when it appears again.
    appeared: Cache<Name, u64>,
    /// The ids of keys that the issuer published earlier: they count as having appeared before any future attempt.
    former: Cache<Box<str>, ()>,
}

#[derive(Clone, Debug)]
struct Absence {
    until: Instant,
    period: Duration,
}

impl AbsentKeys {
    pub(crate) fn new() -> Self {
        Self {
            absent: Cache::new(CAPACITY),
            passed: Cache::new(CAPACITY),
            appeared: Cache::new(CAPACITY),
            former: Cache::new(CAPACITY),
        }
    }

    /// Whether the key was looked up recently: by an attempt for this name, or by the attempt that began at `looked_at` and succeeded.
    pub(crate) fn contains(&mut self, name: &Name, now: Instant, looked_at: Option<Instant>) -> bool {
        if self.absent.get(name).is_some_and(|absence| now < absence.until) {
            return true;
        }
        match (self.absence(name), looked_at) {
            (Some(absence), Some(looked_at)) => now < self.pass(name, looked_at, absence.period),
            _ => false,
        }
    }

    /// Records that a token named it, if none did before; `begun` is the number of attempts begun so far.
    pub(crate) fn note_appearance(&mut self, name: &Name, begun: u64) {
        if self.appeared.get(name).is_none() {
            self.appeared.insert(name.clone(), begun);
        }
    }

    /// Whether it had appeared before the attempt with this number began.
    pub(crate) fn appeared_before(&self, name: &Name, attempt: u64) -> bool {
        let is_former = name.key_id().is_some_and(|id| self.former.get(id).is_some());
        is_former || self.absence(name).is_some() || self.appeared.get(name).is_some_and(|begun| *begun < attempt)
    }

    /// Records that an attempt for this name did not find it.
    ///
    /// The first time, the token may have been faster than the issuer's own caches, so the key is looked up again after `cool_down`, and
    /// then after twice the time each time. A client that keeps presenting it triggers one fetch every five minutes.
    pub(crate) fn insert(&mut self, name: Name, now: Instant, cool_down: Duration) {
        let last = self.absence(&name);
        if last.as_ref().is_some_and(|last| now < last.until) {
            return;
        }
        self.passed.remove(&name);
        self.absent.insert(name, Absence::next(last, now, cool_down));
    }

    /// Records that an attempt for another reason, which began at `looked_at`, did not find it, and returns until when that counts.
    ///
    /// So one fetch looks up many repeated names, instead of one fetch for each.
    pub(crate) fn pass(&mut self, name: &Name, looked_at: Instant, cool_down: Duration) -> Instant {
        let absence = match self.absence(name) {
            Some(last) if looked_at < last.until => {
                Absence { until: last.until.max(looked_at + last.period), period: last.period }
            }
            last => Absence::next(last, looked_at, cool_down),
        };
        let until = absence.until;
        let book = if self.absent.get(name).is_some() { &mut self.absent } else { &mut self.passed };
        book.insert(name.clone(), absence);
        until
    }

    /// The issuer now has other keys than those with these ids, so each name is looked up again.
    pub(crate) fn clear<'a>(&mut self, former: impl IntoIterator<Item = &'a str>) {
        self.absent.clear();
        self.passed.clear();
        for id in former {
            self.former.insert(id.into(), ());
        }
    }

    fn absence(&self, name: &Name) -> Option<Absence> {
        self.absent.get(name).or_else(|| self.passed.get(name)).cloned()
    }
}

impl Absence {
    /// Returns the absence of a name that was not found at that instant, after an earlier absence.
    fn next(last: Option<Self>, at: Instant, cool_down: Duration) -> Self {
        let last = last.filter(|last| at < last.until + ABSENCE);
        let period = last.map_or(cool_down, |last| 2 * last.period).min(ABSENCE);
        Self { until: at + period, period }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::{
        Algorithm,
        keys::{KeyHint, TokenHashKey},
    };

    use super::*;

    const COOL_DOWN: Duration = Duration::from_secs(30);

    fn name(id: &str) -> Name {
        Name::of_key(KeyHint::new(Algorithm::Es256, Some(id)), &TokenHashKey::random())
    }

    #[test]
    fn an_absence_lasts_a_cool_down_at_first_and_five_minutes_in_the_end() {
        let (mut now, mut absent) = (Instant::now(), AbsentKeys::new());
        for seconds in [30, 60, 120, 240, 300, 300] {
            absent.insert(name("a"), now, COOL_DOWN);
            let period = Duration::from_secs(seconds);
            let (almost, end) = (now + period.saturating_sub(Duration::from_millis(1)), now + period);
            assert!(absent.contains(&name("a"), almost, None) && !absent.contains(&name("b"), now, None));
            assert!(!absent.contains(&name("a"), end, None));
            now = end;
        }
    }

    #[test]
    fn many_at_once_are_one_look() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        for millis in 0..100 {
            absent.insert(name("a"), now + Duration::from_millis(millis), COOL_DOWN);
        }
        assert!(!absent.contains(&name("a"), now + COOL_DOWN, None));
    }

    #[test]
    fn an_absence_long_ago_is_forgotten() {
        let (start, mut absent) = (Instant::now(), AbsentKeys::new());
        absent.insert(name("a"), start, COOL_DOWN);
        let later = start + COOL_DOWN + ABSENCE;
        absent.insert(name("a"), later, COOL_DOWN);
        assert!(!absent.contains(&name("a"), later + COOL_DOWN, None));
    }

    #[test]
    fn it_is_bounded_and_emptied() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        for n in 0..10 * CAPACITY {
            absent.insert(name(&n.to_string()), now, COOL_DOWN);
            absent.note_appearance(&name(&n.to_string()), 0);
        }
        assert!(absent.absent.len() <= CAPACITY && absent.appeared.len() <= CAPACITY);
        absent.insert(name("a"), now, COOL_DOWN);
        absent.clear([]);
        assert!(!absent.contains(&name("a"), now, None));
    }

    #[test]
    fn an_attempt_for_another_name_counts_from_when_it_began() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        let second = Duration::from_secs(1);
        assert_eq!(absent.pass(&name("a"), now, COOL_DOWN), now + COOL_DOWN);
        assert_eq!(absent.pass(&name("a"), now + second, COOL_DOWN), now + second + COOL_DOWN, "one soon after");
        let later = now + second + COOL_DOWN;
        assert!(!absent.contains(&name("a"), later, None), "without one it ends");
        assert!(!absent.contains(&name("b"), later, Some(later)), "nothing is known of others");
        assert!(absent.contains(&name("a"), later, Some(later)));
        assert!(
            absent.contains(&name("a"), later + (2 * COOL_DOWN).saturating_sub(second), Some(later)),
            "for twice as long now"
        );
        assert!(!absent.contains(&name("a"), later + 2 * COOL_DOWN, Some(later)));
        absent.clear([]);
        assert!(!absent.contains(&name("a"), later, Some(later)));
    }

    #[test]
    fn names_that_come_again_push_out_each_other_and_not_what_attempts_were_made_for() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        absent.insert(name("a"), now, COOL_DOWN);
        for n in 0..10 * CAPACITY {
            absent.pass(&name(&n.to_string()), now, COOL_DOWN);
        }
        assert!(absent.passed.len() <= CAPACITY);
        assert!(absent.contains(&name("a"), now, None));
    }

    #[test]
    fn a_key_of_an_earlier_set_came_up_before() {
        let mut absent = AbsentKeys::new();
        assert!(!absent.appeared_before(&name("a"), 1));
        absent.clear(["a"]);
        assert!(absent.appeared_before(&name("a"), 1) && !absent.appeared_before(&name("b"), 1));
    }

    #[test]
    fn an_appearance_counts_from_the_first_time() {
        let mut absent = AbsentKeys::new();
        absent.note_appearance(&name("a"), 1);
        absent.note_appearance(&name("a"), 5);
        assert!(!absent.appeared_before(&name("a"), 1), "that attempt had begun already");
        assert!(absent.appeared_before(&name("a"), 2));
        assert!(!absent.appeared_before(&name("b"), 2));
    }

    #[test]
    fn a_flood_of_names_leaves_what_attempts_found_out() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        absent.insert(name("a"), now, COOL_DOWN);
        for n in 0..1_000_000 {
            absent.note_appearance(&name(&n.to_string()), 0);
        }
        assert!(absent.contains(&name("a"), now, None));
    }
}
