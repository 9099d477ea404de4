//! [`Table`]: the accounts that are held.

use std::{collections::HashMap, sync::Arc, time::Duration};

use portcullis_core::{UnixTime, authenticator::Edition};
use tokio::time::Instant;

use super::{
    KnownAccount,
    failure::Failure,
    floors::rolled_back,
    places::{Places, Times},
};
use crate::{accounts::AccountCache, chain::VerifiedAccount, nkey::AccountKey};

/// When another request looks an account up, if the last look-up has not come back. Also how soon one that has failed is repeated.
const AGAIN: Duration = Duration::from_secs(5);

/// How long no request waits for an account after a look-up of it has failed, as long as it can be used: the look-up is repeated meanwhile.
const EXCUSED: Duration = Duration::from_secs(30);

/// The accounts that are held. What a request with a cached verdict reads of them is in [`Places`].
pub(super) struct Table {
    accounts: HashMap<AccountKey, Held>,
    rules: Rules,
    free: Vec<usize>,
    number: u64,
}

/// The times from the configuration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) fresh: Duration,
    pub(super) stale: Duration,
    pub(super) stapled: Option<Duration>,
    /// Whether there is a resolver to look accounts up with.
    pub(super) has_resolver: bool,
}

struct Held {
    known: Arc<KnownAccount>,
    digest: Digest,
    place: usize,
    fresh_until: UnixTime,
    excused_until: UnixTime,
    confirmed: Instant,
    /// When it ends by the monotonic clock; `None` if that is too far away for it.
    ends: Option<Instant>,
}

/// SHA-256 of a token's text.
pub(super) type Digest = [u8; 32];

/// An account that has been accepted, for the table.
pub(super) struct Accepted {
    pub(super) account: VerifiedAccount,
    pub(super) digest: Digest,
    pub(super) origin: Origin,
}

/// Where the token of an account comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The resolver, or the application.
    Resolver,
    /// A caller.
    Staple,
}

/// Whether an account that is held can be used.
pub(super) enum Standing {
    /// It is not held, or cannot be used any more.
    Absent,
    /// It can be used. If `is_due`, this caller should look it up, and not wait for that.
    Usable { known: Arc<KnownAccount>, is_due: bool },
    /// It has to be looked up first. If that fails, it can still be used.
    Late,
}

impl Table {
    pub(super) fn new(config: &AccountCache, has_resolver: bool) -> Self {
        let rules = Rules { fresh: config.fresh, stale: config.stale, stapled: config.stapled, has_resolver };
        Self { accounts: HashMap::new(), rules, free: (0..config.most).rev().collect(), number: 0 }
    }

    /// Returns whether the account can be used. Takes the question whether to look it up, if it is due.
    pub(super) fn standing(&self, id: &AccountKey, places: &Places, now: UnixTime) -> Standing {
        let Some(held) = self.usable(id, now) else { return Standing::Absent };
        places.mark_used(held.place, now);
        if now >= held.fresh_until && now >= held.excused_until {
            return Standing::Late;
        }
        let next = if now < held.fresh_until { now.plus(AGAIN).min(held.fresh_until) } else { now.plus(AGAIN) };
        let next = if self.rules.has_resolver { next } else { now.plus(self.rules.fresh) };
        let is_due = places.take_check(held.place, now, self.rules.longest_check(), next);
        Standing::Usable { known: Arc::clone(&held.known), is_due: is_due && self.rules.has_resolver }
    }

    /// Returns the account if it can be used, fresh or not.
    fn usable(&self, id: &AccountKey, now: UnixTime) -> Option<&Held> {
        self.accounts.get(id).filter(|held| held.is_usable(now))
    }

    pub(super) fn holds(&self, id: &AccountKey) -> bool {
        self.accounts.contains_key(id)
    }

    /// Whether the account that is held makes this staple useless: it is the same, or was issued later.
    pub(super) fn is_no_older(
        &self,
        id: &AccountKey,
        digest: &Digest,
        issued_at: Option<UnixTime>,
        now: UnixTime,
    ) -> bool {
        let Some(held) = self.usable(id, now) else { return false };
        held.digest == *digest || issued_at.is_some_and(|issued_at| held.known.account.issued_at() >= issued_at)
    }

    /// Lets an account be used for a while longer although its look-up has failed. Returns it if it can be used.
    pub(super) fn excuse(&mut self, id: &AccountKey, places: &Places, now: UnixTime) -> Option<Arc<KnownAccount>> {
        let held = self.accounts.get_mut(id).filter(|held| held.is_usable(now))?;
        held.excused_until = now.plus(EXCUSED);
        places.check_again_at(held.place, now.plus(AGAIN));
        Some(Arc::clone(&held.known))
    }

    /// Puts an account in, unless it takes back a revocation of the one that is held.
    pub(super) fn put(
        &mut self,
        accepted: Accepted,
        places: &Places,
        now: UnixTime,
    ) -> Result<Arc<KnownAccount>, Failure> {
        let id = *accepted.account.id();
        let times = self.rules.times(&accepted, now);
        if let Some(held) = self.accounts.get_mut(&id) {
            if held.digest == accepted.digest {
                // Bringing the same token again says nothing about whether there is a newer one.
                if accepted.origin == Origin::Resolver || !held.is_usable(now) {
                    held.confirm(times, places, now);
                }
                return Ok(Arc::clone(&held.known));
            }
            if takes_back(&held.known.account, &accepted.account) {
                return Err(rolled_back());
            }
        }
        Ok(self.replace(id, accepted, times, places, now))
    }

    fn replace(
        &mut self,
        id: AccountKey,
        accepted: Accepted,
        times: AllTimes,
        places: &Places,
        now: UnixTime,
    ) -> Arc<KnownAccount> {
        let place = self.accounts.remove(&id).map(|held| held.place);
        let place = place.or_else(|| self.free.pop()).unwrap_or_else(|| self.make_room(places));
        self.number += 1;
        let edition = Edition::of_part(place as u64, self.number);
        let known = Arc::new(KnownAccount { account: accepted.account, edition, usable_until: times.shown.ends_at });
        places.show(place, self.number, times.shown);
        places.mark_used(place, now);
        let held = Held {
            known: Arc::clone(&known),
            digest: accepted.digest,
            place,
            fresh_until: times.fresh_until,
            excused_until: UnixTime::EPOCH,
            confirmed: Instant::now(),
            ends: times.ends(now),
        };
        self.accounts.insert(id, held);
        known
    }

    /// Removes the account that was not used for the longest time, and returns its place.
    fn make_room(&mut self, places: &Places) -> usize {
        let oldest = self.accounts.iter().min_by_key(|(_, held)| places.used_at(held.place));
        let oldest = oldest.map(|(id, _)| *id).and_then(|id| self.accounts.remove(&id));
        // There is at least one place, so a full table has an account.
        oldest.map_or(0, |held| held.place)
    }

    pub(super) fn remove(&mut self, id: &AccountKey, places: &Places) {
        if let Some(held) = self.accounts.remove(id) {
            places.clear(held.place);
            self.free.push(held.place);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Returns how long ago the account was confirmed that was confirmed least recently.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.accounts.values().map(|held| held.confirmed.elapsed()).max()
    }

    pub(super) const fn rules(&self) -> &Rules {
        &self.rules
    }
}

impl Held {
    /// Whether it can be used, fresh or not: by the wall clock, and by the monotonic one. If the wall clock is set back, an account would otherwise be used for
    /// longer by as much.
    fn is_usable(&self, now: UnixTime) -> bool {
        now < self.known.usable_until && self.ends.is_none_or(|ends| Instant::now() < ends)
    }

    /// The resolver has given the same token again: what was decided with it stays decided.
    fn confirm(&mut self, times: AllTimes, places: &Places, now: UnixTime) {
        let KnownAccount { account, edition, .. } = &*self.known;
        let (account, edition) = (account.clone(), *edition);
        self.known = Arc::new(KnownAccount { account, edition, usable_until: times.shown.ends_at });
        (self.fresh_until, self.excused_until) = (times.fresh_until, UnixTime::EPOCH);
        (self.confirmed, self.ends) = (Instant::now(), times.ends(now));
        places.prolong(self.place, times.shown);
    }
}

#[derive(Clone, Copy)]
struct AllTimes {
    shown: Times,
    fresh_until: UnixTime,
}

impl AllTimes {
    fn ends(&self, now: UnixTime) -> Option<Instant> {
        let left = self.shown.ends_at.as_secs().saturating_sub(now.as_secs());
        Instant::now().checked_add(Duration::from_secs(left))
    }
}

impl Rules {
    /// Returns how long an account that is accepted now is used.
    fn times(&self, accepted: &Accepted, now: UnixTime) -> AllTimes {
        let fresh_until = now.plus(self.fresh);
        let ends = [
            accepted.account.token().registered.expires_at,
            self.stapled
                .filter(|_| accepted.origin == Origin::Staple)
                .map(|age| accepted.account.issued_at().plus(age)),
            (self.has_resolver || accepted.origin == Origin::Resolver).then(|| fresh_until.plus(self.stale)),
        ];
        let ends_at = ends.into_iter().flatten().min().unwrap_or(UnixTime::MAX);
        // At 80 %, give or take a tenth of that, so that accounts that came together are not looked up together for ever.
        let part = fastrand::f64().mul_add(0.16, 0.72);
        let check_at = now.plus(self.fresh.mul_f64(part).max(Duration::from_secs(1)));
        let fresh_until = if self.has_resolver { fresh_until } else { ends_at };
        AllTimes { shown: Times { ends_at, check_at }, fresh_until }
    }

    /// Returns how many seconds the next check of an account lies ahead at most.
    pub(super) fn longest_check(&self) -> u64 {
        self.fresh.max(AGAIN).as_secs()
    }
}

/// Whether a token of the same second as another one takes back a revocation of it, or unlocks the account. Which of the two is the newer one
/// cannot be known.
fn takes_back(old: &VerifiedAccount, new: &VerifiedAccount) -> bool {
    if old.issued_at() != new.issued_at() {
        return false;
    }
    let (old, new) = (&old.token().nats, &new.token().nats);
    let lost = |(key, until)| !new.revocations.covers(key, until);
    let all_lost = old.revocations.all().is_some_and(|until| new.revocations.all().is_none_or(|all| all < until));
    let unlocked = !old.limits.connections.allows(1) && new.limits.connections.allows(1);
    all_lost || unlocked || old.revocations.by_key().any(lost)
}
