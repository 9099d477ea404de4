//! [`Looks`]: which keys are looked at for records that have ended.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_issuer::{records::RecordKind, refresh::Millis};

/// When each key is looked at again. A server lists keys at once, but tells what is in them one by one: without this, every call would read every
/// record.
///
/// It is a memory of what this instance has read, and not a promise: what others have changed meanwhile is noticed later, which only leaves it in the
/// bucket for longer.
#[derive(Debug, Default)]
pub(super) struct Looks {
    hasher: RandomState,
    /// By the hashes of keys. Two keys with one hash are looked at when the first of them is.
    next: Mutex<HashMap<RecordKind, HashMap<u64, Millis>>>,
}

/// How many keys of a kind are looked at in one call, at most. The next call goes on with the others.
const MOST: usize = 100_000;

/// When a key is looked at again at the latest.
const AGAIN: Duration = Duration::from_secs(86_400);

impl Looks {
    /// Returns which of the keys of this kind, which are all that there are, may have ended at `before`.
    pub(super) fn due(&self, kind: RecordKind, keys: Vec<String>, before: Millis) -> Vec<String> {
        let mut next = self.next();
        let known = next.remove(&kind).unwrap_or_default();
        let (mut due, mut later) = (Vec::new(), HashMap::new());
        for key in keys {
            let hash = self.hasher.hash_one(&key);
            match known.get(&hash) {
                Some(at) if *at > before => _ = later.insert(hash, *at),
                _ if due.len() < MOST => due.push(key),
                _ => {}
            }
        }
        next.insert(kind, later);
        due
    }

    /// Notes that a key was looked at `now`, and what is in it ends at `until`.
    pub(super) fn seen(&self, kind: RecordKind, key: &str, until: Option<Millis>, now: Millis) {
        let latest = now.plus(AGAIN);
        let at = until.map_or(latest, |until| until.min(latest));
        self.next().entry(kind).or_default().insert(self.hasher.hash_one(key), at);
    }

    /// Notes that this instance has changed what is in a key.
    pub(super) fn changed(&self, kind: RecordKind, key: &str) {
        if let Some(keys) = self.next().get_mut(&kind) {
            keys.remove(&self.hasher.hash_one(key));
        }
    }

    fn next(&self) -> MutexGuard<'_, HashMap<RecordKind, HashMap<u64, Millis>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: RecordKind = RecordKind::Code;

    fn keys(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("key {number}")).collect()
    }

    #[test]
    fn a_key_is_looked_at_when_it_is_new_when_it_has_ended_and_once_a_day() {
        let (looks, now) = (Looks::default(), Millis::new(1_000_000));
        assert_eq!(looks.due(KIND, keys(3), now).len(), 3);
        looks.seen(KIND, "key 0", Some(Millis::new(1_060_000)), now);
        looks.seen(KIND, "key 1", None, now);
        assert_eq!(looks.due(KIND, keys(3), now), ["key 2"], "it could not be read");
        looks.seen(KIND, "key 2", Some(Millis::new(u64::MAX)), now);
        assert!(looks.due(KIND, keys(3), Millis::new(1_059_999)).is_empty());
        assert_eq!(looks.due(KIND, keys(3), Millis::new(1_060_000)), ["key 0"]);
        assert_eq!(looks.due(KIND, keys(3), now.plus(AGAIN)).len(), 3);
        looks.seen(KIND, "key 1", None, now);
        looks.changed(KIND, "key 1");
        assert_eq!(looks.due(KIND, keys(2), now).len(), 2);
    }

    #[test]
    fn keys_that_are_gone_are_forgotten_and_one_call_has_a_limit() {
        let (looks, now) = (Looks::default(), Millis::new(1_000_000));
        for key in keys(10) {
            looks.seen(KIND, &key, None, now);
        }
        assert!(looks.due(KIND, keys(4), now).is_empty());
        assert_eq!(looks.next().get(&KIND).map(HashMap::len), Some(4));
        assert_eq!(looks.due(KIND, keys(MOST + 10), now).len(), MOST);
    }
}
