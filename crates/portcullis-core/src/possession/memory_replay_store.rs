//! [`MemoryReplayStore`]: ids of proofs in memory, for one instance.

use std::{
    collections::HashMap,
    fmt,
    hash::BuildHasher,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::quality::RandomState;

use super::{Once, ReplayKey, ReplayStore};
use crate::{
    AuthError, Code, UnixTime,
    authenticator::Attempt,
    metrics::{Measured, Snapshot, names},
};

/// Ids of used proofs in memory, for one instance of a service. With several instances, each would accept a proof once: use a store that they
/// share. Clones share their ids.
///
/// Its size is [limited](Self::with_limit). At the limit, it answers that it cannot decide (503) until ids end, which takes as long as a nonce
/// lives. A restart forgets all ids. With [`SignedNonces::random`](super::SignedNonces::random), it makes all nonces invalid as well, and no proof
/// can be used again.
///
/// An id takes about 50 bytes, so that the default limit takes 50 MB at most; memory grows with the number of ids, and shrinks again.
#[derive(Clone)]
pub struct MemoryReplayStore(Arc<Shards>);

struct Shards {
    /// With a key of this process: clients cannot choose ids that all belong to one shard, or to one place of a map.
    hasher: RandomState,
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    ids: HashMap<ReplayKey, UnixTime, RandomState>,
    limit: usize,
    /// How many ids there may be before those that have ended are removed.
    sweep_at: usize,
    swept: Option<UnixTime>,
    /// The latest end of an id that is not stored any more.
    forgotten: Option<UnixTime>,
    repeated: u64,
    undecided: u64,
}

/// Why there is no answer.
enum Undecided {
    Over,
    Full,
}

impl MemoryReplayStore {
    /// The default limit: 16 000 requests in each second, with nonces that live for a minute.
    pub const DEFAULT_LIMIT: usize = 1_000_000;

    /// Returns an empty store with the default limit.
    pub fn new() -> Self {
        Self::with_limit(Self::DEFAULT_LIMIT)
    }

    /// Returns an empty store for this many ids. Defaults to [`DEFAULT_LIMIT`](Self::DEFAULT_LIMIT). A limit above 8 000 is kept
    /// approximately.
    ///
    /// Every request adds an id, which is kept until its nonce ends: plan for the requests of a nonce's life.
    pub fn with_limit(ids: usize) -> Self {
        let shards = (ids / IDS_PER_SHARD).clamp(1, MOST_SHARDS);
        let limit = ids.div_ceil(shards);
        let shard = || Mutex::new(Shard { limit, sweep_at: limit.min(SMALLEST_SWEEP), ..Shard::default() });
        Self(Arc::new(Shards { hasher: RandomState::default(), shards: (0..shards).map(|_| shard()).collect() }))
    }

    /// Returns how many ids it has, including those that have ended and are still stored.
    pub fn len(&self) -> usize {
        self.shards().map(|shard| shard.ids.len()).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.0.shards.iter().map(lock)
    }

    fn shard(&self, key: ReplayKey) -> MutexGuard<'_, Shard> {
        let Shards { hasher, shards } = &*self.0;
        // By other bits than the map uses.
        let place = (hasher.hash_one(key) >> 32) % shards.len() as u64;
        lock(&shards[place as usize])
    }
}

impl ReplayStore for MemoryReplayStore {
    fn accept_once(&self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Attempt<Once> {
        Attempt::Done(self.shard(key).accept_once(key, until, now).map_err(AuthError::from))
    }

    fn answers_at_once(&self) -> bool {
        true
    }
}

impl Shard {
    fn accept_once(&mut self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Result<Once, Undecided> {
        let answer = self.decide(key, until, now);
        match answer {
            Ok(Once::First) => {}
            Ok(Once::Repeated) => self.repeated += 1,
            Err(_) => self.undecided += 1,
        }
        answer
    }

    fn decide(&mut self, key: ReplayKey, until: UnixTime, now: UnixTime) -> Result<Once, Undecided> {
        let known = self.ids.get(&key).copied();
        if known.is_some_and(|known| known > now) {
            return Ok(Once::Repeated);
        }
        // The key may have been stored and forgotten: the time is over, or was, before the clock was set back.
        self.forgotten = self.forgotten.max(known);
        if until <= now || self.forgotten.is_some_and(|forgotten| until <= forgotten) {
            return Err(Undecided::Over);
        }
        if self.ids.len() >= self.sweep_at {
            self.sweep(now);
        }
        if self.ids.len() >= self.limit && !self.ids.contains_key(&key) {
            return Err(Undecided::Full);
        }
        self.ids.insert(key, until);
        Ok(Once::First)
    }

    /// Removes the ids that have ended: once a second at most, and otherwise once for as many new ids as there were, so that an id costs the
    /// same in a large store as in a small one.
    fn sweep(&mut self, now: UnixTime) {
        if self.swept == Some(now) {
            return;
        }
        self.swept = Some(now);
        let forgotten = &mut self.forgotten;
        self.ids.retain(|_, until| {
            let is_kept = *until > now;
            if !is_kept {
                *forgotten = (*forgotten).max(Some(*until));
            }
            is_kept
        });
        self.sweep_at = (2 * self.ids.len()).max(SMALLEST_SWEEP).min(self.limit);
        if self.ids.capacity() > 8 * self.sweep_at {
            self.ids.shrink_to(self.sweep_at);
        }
    }
}

impl From<Undecided> for AuthError {
    fn from(undecided: Undecided) -> Self {
        let explanation = match undecided {
            Undecided::Over => {
                "whether the proof was used before is not known any more: its time is over, or the clock was set back"
            }
            Undecided::Full => {
                "the store of used proofs is full: raise its limit, or let nonces live shorter; otherwise, a client sends too many requests"
            }
        };
        Self::new(Code::ReplayUndecided).with_explanation(explanation).with_retry_after(RETRY_AFTER)
    }
}

/// How many ids it has, how many proofs were repeated, and how often it could not decide.
impl Measured for MemoryReplayStore {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        let (mut ids, mut repeated, mut undecided) = (0, 0, 0);
        for shard in self.shards() {
            ids += shard.ids.len();
            repeated += shard.repeated;
            undecided += shard.undecided;
        }
        #[expect(clippy::cast_precision_loss, reason = "far fewer ids than 2^52")]
        snapshot.gauge(&names::REPLAY_IDS, &[source], ids as f64);
        snapshot.counter(&names::REPLAY_REPEATED, &[source], repeated);
        snapshot.counter(&names::REPLAY_UNDECIDED, &[source], undecided);
    }
}

impl Default for MemoryReplayStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore").field("ids", &self.len()).finish_non_exhaustive()
    }
}

/// A map is consistent between its method calls, so a panic does not damage it.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A larger map would keep its requests waiting while it grows or is swept.
const IDS_PER_SHARD: usize = 8_000;

/// More do not reduce waiting, on the largest machines either.
const MOST_SHARDS: usize = 128;

/// Fewer ids are not worth a sweep.
const SMALLEST_SWEEP: usize = 64;

/// Ids end all the time, so that there is room again soon.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const T: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn at(secs: u64) -> UnixTime {
        T.plus(Duration::from_secs(secs))
    }

    fn key(number: usize) -> ReplayKey {
        ReplayKey::new("alice", number.to_be_bytes())
    }

    fn ask(store: &MemoryReplayStore, number: usize, until: u64, now: u64) -> Result<Once, Code> {
        let answer = store.accept_once(key(number), at(until), at(now)).ready().unwrap();
        answer.map_err(|error| {
            assert_eq!((error.retry_after(), error.explanation().is_some()), (Some(RETRY_AFTER), true));
            error.code()
        })
    }

    #[test]
    fn an_id_is_accepted_once_until_its_end() {
        let store = MemoryReplayStore::new();
        assert!(store.answers_at_once());
        assert_eq!(ask(&store, 1, 60, 0), Ok(Once::First));
        for now in [0, 1, 30, 59] {
            assert_eq!(ask(&store, 1, 60, now), Ok(Once::Repeated), "{now}");
            assert_eq!(ask(&store, 1, 160, now), Ok(Once::Repeated), "{now}, with another nonce");
        }
        assert_eq!(ask(&store, 2, 60, 59), Ok(Once::First));
        assert_eq!(ask(&store, 1, 60, 60), Err(Code::ReplayUndecided), "the time of the proof is over");
        assert_eq!(ask(&store, 1, 120, 60), Ok(Once::First), "another proof that uses an old id");
        assert_eq!(ask(&store, 1, 120, 61), Ok(Once::Repeated));
    }

    #[test]
    fn a_full_store_does_not_decide_and_has_room_again_when_ids_end() {
        let store = MemoryReplayStore::with_limit(3);
        for number in 0..3 {
            assert_eq!(ask(&store, number, 60, 0), Ok(Once::First));
        }
        for _ in 0..2 {
            assert_eq!(ask(&store, 3, 60, 1), Err(Code::ReplayUndecided));
        }
        assert_eq!(Code::ReplayUndecided.kind(), crate::error::AuthErrorKind::Unavailable);
        assert_eq!(ask(&store, 0, 60, 1), Ok(Once::Repeated), "what is known is still known");
        assert_eq!(ask(&store, 3, 120, 60), Ok(Once::First));
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn ids_that_have_ended_are_removed_and_memory_stays_flat() {
        let store = MemoryReplayStore::with_limit(100_000);
        for second in 0..300 {
            for number in 0..500 {
                let number = usize::try_from(second).unwrap() * 500 + number;
                assert_eq!(ask(&store, number, second + 60, second), Ok(Once::First), "{number}");
            }
            assert!(store.len() <= 3 * 60 * 500, "{}", store.len());
        }
    }

    #[test]
    fn memory_shrinks_after_a_flood() {
        let store = MemoryReplayStore::with_limit(10_000);
        let capacity = || store.shards().map(|shard| shard.ids.capacity()).sum::<usize>();
        let flood = (0..20_000).filter(|&number| ask(&store, number, 60, 0).is_ok()).count();
        assert!(flood == 10_000 && capacity() >= 10_000);
        for later in 0..100 {
            assert_eq!(ask(&store, 30_000 + later, 200, 60 + later as u64), Ok(Once::First));
        }
        assert!(store.len() == 100 && capacity() < 1_000, "{}", capacity());
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_bring_a_proof_back() {
        let store = MemoryReplayStore::with_limit(1);
        assert_eq!(ask(&store, 1, 60, 0), Ok(Once::First));
        assert_eq!(ask(&store, 2, 90, 60), Ok(Once::First), "the first one is forgotten");
        assert_eq!(ask(&store, 2, 90, 50), Ok(Once::Repeated));
        assert_eq!(ask(&store, 1, 60, 50), Err(Code::ReplayUndecided));
        let other = MemoryReplayStore::with_limit(100);
        assert_eq!(ask(&other, 1, 60, 50), Ok(Once::First), "this one has forgotten nothing");
        assert_eq!(ask(&other, 1, 120, 60), Ok(Once::First));
        assert_eq!(ask(&other, 1, 60, 50), Ok(Once::Repeated));
        assert_eq!(ask(&other, 2, 60, 50), Err(Code::ReplayUndecided), "a proof of the time of the forgotten one");
        assert_eq!(ask(&other, 2, 61, 50), Ok(Once::First));
    }

    #[test]
    fn large_stores_keep_their_limit_approximately() {
        for limit in [1, 7_999, 16_000, 100_000] {
            let store = MemoryReplayStore::with_limit(limit);
            let accepted = (0..limit + limit / 2).filter(|&number| ask(&store, number, 60, 0).is_ok()).count();
            assert!(accepted >= limit - limit / 20 && accepted <= limit + 200, "{accepted} of {limit}");
        }
        assert_eq!(ask(&MemoryReplayStore::with_limit(0), 1, 60, 0), Err(Code::ReplayUndecided));
    }

    #[test]
    fn what_happens_is_counted_and_nothing_is_shown() {
        let store = MemoryReplayStore::with_limit(1);
        let _ = (ask(&store, 1, 60, 0), ask(&store, 1, 60, 0), ask(&store, 2, 60, 0), ask(&store, 3, 60, 0));
        let mut snapshot = Snapshot::default();
        store.clone().measure("proofs", &mut snapshot);
        let text = snapshot.to_prometheus();
        for line in [
            "portcullis_replay_ids{source=\"proofs\"} 1",
            "portcullis_replay_repeated_total{source=\"proofs\"} 1",
            "portcullis_replay_undecided_total{source=\"proofs\"} 2",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        assert_eq!(format!("{store:?}"), "MemoryReplayStore { ids: 1, .. }");
    }
}
