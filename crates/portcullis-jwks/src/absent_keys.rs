//! Keys that were asked for and that the issuer does not have.

use std::time::Duration;

use portcullis_core::{Algorithm, KeyHint};
use quick_cache::unsync::Cache;
use tokio::time::Instant;

/// How many names each book remembers.
const CAPACITY: usize = 1024;

/// For how long a key that was looked for again and again is taken for absent.
const ABSENCE: Duration = Duration::from_secs(5 * 60);

/// Key names that tokens used and the issuer was not found to have. A flood of invented names fills `appeared` only; `absent` is
/// written by attempts, one name each, and `former` by changes of the set.
#[derive(Debug)]
pub(crate) struct AbsentKeys {
    /// Those for whose sake an attempt was made, which did not bring them. Emptied when the issuer's keys change.
    absent: Cache<Name, Absence>,
    /// How many attempts had begun when a name first came up. One that is pushed out is taken for new when it comes up again.
    appeared: Cache<Name, u64>,
    /// The ids of keys that the issuer published before: they came up before any attempt that is still to be made.
    former: Cache<Box<str>, ()>,
}

/// A token's `alg`, `kid`, `x5t` and `x5t#S256`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    algorithm: Algorithm,
    key_id: Option<Box<str>>,
    certificate: [Option<Box<str>>; 2],
}

#[derive(Clone, Debug)]
struct Absence {
    until: Instant,
    period: Duration,
}

impl Name {
    pub(crate) fn hint(&self) -> KeyHint<'_> {
        let [sha1, sha256] = self.certificate.each_ref().map(Option::as_deref);
        KeyHint::new(self.algorithm, self.key_id.as_deref()).with_certificate(sha1, sha256)
    }
}

impl From<KeyHint<'_>> for Name {
    fn from(hint: KeyHint<'_>) -> Self {
        // They count only where there is no `kid`: others would make many names of one key.
        let certificate = match hint.key_id {
            Some(_) => [None, None],
            None => [hint.certificate_sha1, hint.certificate_sha256].map(|thumbprint| thumbprint.map(Box::from)),
        };
        Self { algorithm: hint.algorithm, key_id: hint.key_id.map(Box::from), certificate }
    }
}

impl AbsentKeys {
    pub(crate) fn new() -> Self {
        Self { absent: Cache::new(CAPACITY), appeared: Cache::new(CAPACITY), former: Cache::new(CAPACITY) }
    }

    /// Whether it was looked for lately.
    pub(crate) fn contains(&self, name: &Name, now: Instant) -> bool {
        self.absent.get(name).is_some_and(|absence| now < absence.until)
    }

    /// Notes that a token named it, if none did before; `begun` attempts have begun so far.
    pub(crate) fn note_appearance(&mut self, name: &Name, begun: u64) {
        if self.appeared.get(name).is_none() {
            self.appeared.insert(name.clone(), begun);
        }
    }

    /// Whether it had come up before the attempt of that number began.
    pub(crate) fn appeared_before(&self, name: &Name, attempt: u64) -> bool {
        let is_former = name.key_id.as_deref().is_some_and(|id| self.former.get(id).is_some());
        is_former || self.absent.get(name).is_some() || self.appeared.get(name).is_some_and(|begun| *begun < attempt)
    }

    /// Notes that an attempt which was made for it did not bring it.
    ///
    /// The first time it may be that its token was faster than the issuer's own caches, so it is looked for again after
    /// `cool_down`, and then after twice as long each time; a client that presents it for ever causes a fetch every five minutes.
    pub(crate) fn insert(&mut self, name: Name, now: Instant, cool_down: Duration) {
        let last = self.absent.get(&name).filter(|last| now < last.until + ABSENCE).cloned();
        let period = match last {
            Some(last) if now < last.until => return,
            Some(last) => (2 * last.period).min(ABSENCE),
            None => cool_down.min(ABSENCE),
        };
        self.absent.insert(name, Absence { until: now + period, period });
    }

    /// The issuer has other keys than those with these ids now, so that each one is looked for again.
    pub(crate) fn clear<'a>(&mut self, former: impl IntoIterator<Item = &'a str>) {
        self.absent.clear();
        for id in former {
            self.former.insert(id.into(), ());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COOL_DOWN: Duration = Duration::from_secs(30);

    fn name(id: &str) -> Name {
        KeyHint::new(Algorithm::Es256, Some(id)).into()
    }

    #[tokio::test(start_paused = true)]
    async fn an_absence_lasts_a_cool_down_at_first_and_five_minutes_in_the_end() {
        let (mut now, mut absent) = (Instant::now(), AbsentKeys::new());
        for seconds in [30, 60, 120, 240, 300, 300] {
            absent.insert(name("a"), now, COOL_DOWN);
            let end = now + Duration::from_secs(seconds);
            assert!(absent.contains(&name("a"), end - Duration::from_millis(1)) && !absent.contains(&name("b"), now));
            assert!(!absent.contains(&name("a"), end));
            now = end;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn many_at_once_are_one_look() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        for millis in 0..100 {
            absent.insert(name("a"), now + Duration::from_millis(millis), COOL_DOWN);
        }
        assert!(!absent.contains(&name("a"), now + COOL_DOWN));
    }

    #[tokio::test(start_paused = true)]
    async fn an_absence_long_ago_is_forgotten() {
        let (start, mut absent) = (Instant::now(), AbsentKeys::new());
        absent.insert(name("a"), start, COOL_DOWN);
        let later = start + COOL_DOWN + ABSENCE;
        absent.insert(name("a"), later, COOL_DOWN);
        assert!(!absent.contains(&name("a"), later + COOL_DOWN));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_bounded_and_emptied() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        for n in 0..10 * CAPACITY {
            absent.insert(name(&n.to_string()), now, COOL_DOWN);
            absent.note_appearance(&name(&n.to_string()), 0);
        }
        assert!(absent.absent.len() <= CAPACITY && absent.appeared.len() <= CAPACITY);
        absent.insert(name("a"), now, COOL_DOWN);
        absent.clear([]);
        assert!(!absent.contains(&name("a"), now));
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

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_names_leaves_what_attempts_found_out() {
        let (now, mut absent) = (Instant::now(), AbsentKeys::new());
        absent.insert(name("a"), now, COOL_DOWN);
        for n in 0..1_000_000 {
            absent.note_appearance(&name(&n.to_string()), 0);
        }
        assert!(absent.contains(&name("a"), now));
    }
}
