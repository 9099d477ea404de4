//! [`Few`]: the levels with few entries, by name: issuers and keys.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::id_hash::{IssuerTag, Mark};
use crate::{
    UnixTime,
    revocation::{Level, Revocation, RevocationEntry, entry::short},
};

/// Revoked issuers and keys. A key is never forgotten while the process runs: as long as it is in any service's key set, tokens with any
/// dates can be signed with it.
#[derive(Default)]
pub(super) struct Few {
    issuers: RwLock<HashMap<Box<str>, OfIssuer>>,
    len: AtomicUsize,
    /// A bit for each issuer and each key that was ever here, by a hash: most tokens are cleared by these without a lock.
    bits: [AtomicU64; 8],
}

#[derive(Default)]
struct OfIssuer {
    /// Up to when its tokens are revoked, and until when that is remembered.
    cut_off: Option<(u64, UnixTime)>,
    /// By id, with the time until which the log remembers them.
    keys: BTreeMap<Box<str>, UnixTime>,
}

impl Few {
    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// Whether there may be something for this issuer or this key. `false` is certain.
    pub(super) fn may_have(&self, issuer: IssuerTag, key: Option<Mark>) -> bool {
        let has = |hash: u64| {
            let (word, bit) = place(hash);
            self.bits[word].load(Ordering::Acquire) & bit != 0
        };
        has(issuer.0) || key.is_some_and(|key| has(key.0))
    }

    /// Must be called before an issuer's cut-off (or its key, if there is one) is merged.
    pub(super) fn will_have(&self, issuer: IssuerTag, key: Option<Mark>) {
        let (word, bit) = place(key.map_or(issuer.0, |key| key.0));
        self.bits[word].fetch_or(bit, Ordering::Release);
    }

    /// Returns the level on which a token of this issuer is revoked that was issued at that time and signed by that key.
    pub(super) fn find(&self, issuer: &str, issued_at: Option<UnixTime>, key_id: Option<&str>) -> Option<Level> {
        if self.len() == 0 {
            return None;
        }
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        let of_issuer = issuers.get(&*short(issuer))?;
        let is_before = |(cut_off, _): (u64, UnixTime)| issued_at.is_none_or(|issued| issued.as_secs() <= cut_off);
        if of_issuer.cut_off.is_some_and(is_before) {
            return Some(Level::Issuer);
        }
        key_id.filter(|key| of_issuer.keys.contains_key(&*short(key))).map(|_| Level::Key)
    }

    /// Merges an entry. Returns whether it revokes another token.
    pub(super) fn merge(&self, revocation: &Revocation, until: UnixTime) -> bool {
        let mut issuers = self.issuers.write().unwrap_or_else(PoisonError::into_inner);
        let of_issuer = issuers.entry(revocation.of_issuer().into()).or_default();
        if revocation.level() == Level::Key {
            let before = of_issuer.keys.get(revocation.id()).copied();
            of_issuer.keys.insert(revocation.id().into(), before.map_or(until, |before| before.max(until)));
            self.len.fetch_add(usize::from(before.is_none()), Ordering::Relaxed);
            return before.is_none();
        }
        let bound = revocation.bound();
        let before = of_issuer.cut_off;
        let (cut_off, remembered) = before.unwrap_or((bound, until));
        of_issuer.cut_off = Some((cut_off.max(bound), remembered.max(until)));
        self.len.fetch_add(usize::from(before.is_none()), Ordering::Relaxed);
        before.is_none_or(|(before, _)| bound > before)
    }

    /// Forgets issuers' cut-offs that have expired.
    pub(super) fn forget(&self, now: UnixTime) {
        let mut issuers = self.issuers.write().unwrap_or_else(PoisonError::into_inner);
        issuers.retain(|_, of_issuer| {
            if of_issuer.cut_off.take_if(|(_, until)| *until <= now).is_some() {
                self.len.fetch_sub(1, Ordering::Relaxed);
            }
            of_issuer.cut_off.is_some() || !of_issuer.keys.is_empty()
        });
    }

    /// Returns the keys that the log would forget before `by`, with a new time.
    pub(super) fn keys_to_renew(&self, by: UnixTime, now: UnixTime, horizon: Duration) -> Vec<RevocationEntry> {
        let issuers = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        let keys =
            issuers.iter().flat_map(|(issuer, of)| of.keys.iter().map(move |(key, until)| (issuer, key, *until)));
        let due = keys.filter(|(.., until)| *until < by);
        due.map(|(issuer, key, _)| Revocation::key(issuer, key).entry(now, horizon)).collect()
    }
}

/// Returns which of the 512 bits belongs to a hash.
const fn place(hash: u64) -> (usize, u64) {
    ((hash >> 6) as usize & 7, 1 << (hash & 63))
}
