//! [`KeyPlan`]: when a step of a rotation is safe.

use std::time::Duration;

use portcullis_core::{Algorithm, UnixTime};

/// When a step of a rotation is safe: after it, no verifier meets a token whose key it does not have.
///
/// A plan is arithmetic over times that you know, and reads no clock. Each setter changes one of them. Two bounds follow:
///
/// | bound | formula |
/// |---|---|
/// | a new key may sign from | published + P + D + V + O + E + 1 s |
/// | a replaced key is published until | replaced + P + E + E + L + W |
///
/// P is [`read_every`](Self::read_every) and [`store_outage`](Self::store_outage) together, E [`clock_difference`](Self::clock_difference),
/// D [`caches`](Self::caches), V [`verifiers_keep`](Self::verifiers_keep), at least M, which is [`max_age`](Self::max_age), O
/// [`route_outage`](Self::route_outage), W [`leeway`](Self::leeway). L is the longest lifetime of any token that the key has **ever**
/// signed, and stays in the document: shortening the lifetime today does not shorten tokens that are in use.
///
/// E counts twice in the second bound: between the clock of the instance that replaces the key and that of one that still signs with it, and
/// between that of an instance that publishes the key and that of a verifier. Clocks show whole seconds, so the recorded time of publication may be
/// a second too early, and the first bound is a second later.
///
/// Keys of HS256, HS384 and HS512 are not published. Each instance that reads the document is a verifier: V is P, and D and O are zero.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::UnixTime;
/// use portcullis_issuer::key_ring::KeyPlan;
///
/// // All verifiers are services of ours, which fetch the keys again when they see an unknown one.
/// let plan = KeyPlan::new().verifiers_keep(Duration::from_secs(600));
/// let published = UnixTime::from_secs(1_800_000_000);
/// assert_eq!(plan.signs_from(published).since(published), Duration::from_secs(310 + 600 + 3600 + 60 + 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPlan {
    read_every: Duration,
    store_outage: Duration,
    clock_difference: Duration,
    max_age: Duration,
    caches: Duration,
    verifiers_keep: Duration,
    route_outage: Duration,
    leeway: Duration,
    is_published: bool,
}

impl KeyPlan {
    /// Returns the plan with all defaults.
    pub const fn new() -> Self {
        Self {
            read_every: secs(10),
            store_outage: secs(300),
            clock_difference: secs(60),
            max_age: secs(300),
            caches: secs(0),
            verifiers_keep: secs(12 * 3600),
            route_outage: secs(3600),
            leeway: secs(300),
            is_published: true,
        }
    }

    /// Sets how often each instance reads the document. Defaults to 10 s: a revoked key is no longer used after that time, and a read
    /// costs a store next to nothing.
    #[must_use]
    pub const fn read_every(self, interval: Duration) -> Self {
        Self { read_every: interval, ..self }
    }

    /// Sets how long an instance goes on with what it has read while the store cannot be reached. Defaults to 5 min, after which it neither
    /// signs nor verifies nor publishes: it would not know about a key that was revoked. At least 10 s: a read takes a while. A longer time delays planned steps by
    /// as much, and costs nothing else in good times.
    #[must_use]
    pub const fn store_outage(self, outage: Duration) -> Self {
        Self { store_outage: outage, ..self }
    }

    /// Sets by how much any two clocks may differ: those of the instances, and those of verifiers. Defaults to 60 s; with NTP, it is far
    /// less.
    #[must_use]
    pub const fn clock_difference(self, difference: Duration) -> Self {
        Self { clock_difference: difference, ..self }
    }

    /// Sets the `max-age` of the published key set. Defaults to 5 min: verifiers learn of a revoked key soon, and ask 12 times an hour. At most
    /// an hour, and at most a quarter of [`standby_time`](Self::standby_time), so that a verifier has several chances to learn of a new key.
    #[must_use]
    pub const fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Sets how much longer caches in front of the published key set may keep it than its `max-age` says. Defaults to zero: HTTP caches
    /// obey the header. Set what a content delivery network was told instead, with its `stale-while-revalidate` and `stale-if-error`.
    #[must_use]
    pub const fn caches(self, longest: Duration) -> Self {
        Self { caches: longest, ..self }
    }

    /// Sets the longest time for which a verifier uses a key set without asking again. Defaults to 12 h, which is more than the libraries of third parties
    /// use. If all verifiers are your own, set what they are configured to; [`max_age`](Self::max_age) counts if it is longer.
    #[must_use]
    pub const fn verifiers_keep(self, longest: Duration) -> Self {
        Self { verifiers_keep: longest, ..self }
    }

    /// Sets for how long the route of the published key set may fail without a refused token. Defaults to an hour, for which
    /// `RemoteKeys` of `portcullis-jwks` goes on with the keys that it has.
    #[must_use]
    pub const fn route_outage(self, outage: Duration) -> Self {
        Self { route_outage: outage, ..self }
    }

    /// Sets the largest leeway of any verifier. Defaults to 300 s, which is the most that Portcullis allows.
    #[must_use]
    pub const fn leeway(self, leeway: Duration) -> Self {
        Self { leeway, ..self }
    }

    /// Returns the plan for keys of this algorithm: secrets are not published.
    #[must_use]
    pub const fn for_algorithm(self, algorithm: Algorithm) -> Self {
        Self { is_published: !algorithm.is_symmetric(), ..self }
    }

    /// Returns the earliest time at which a key that was published at `published` may sign.
    pub fn signs_from(&self, published: UnixTime) -> UnixTime {
        published.plus(self.standby_time())
    }

    /// Returns until when a key has to be published that was replaced at `replaced`, and has signed tokens that live for `longest_life`.
    pub fn published_until(&self, replaced: UnixTime, longest_life: Duration) -> UnixTime {
        let tokens_live = longest_life.saturating_add(self.leeway);
        let clocks = self.clock_difference.saturating_mul(2);
        replaced.plus(whole(self.propagation().saturating_add(clocks).saturating_add(tokens_live)))
    }

    /// Returns how long a key is published before it signs.
    pub fn standby_time(&self) -> Duration {
        whole(self.learned_by_all().saturating_add(self.clock_difference)).saturating_add(ROUNDING)
    }

    /// Returns how long it takes until no verifier uses a revoked key any more, if it learns of it from the published key set alone: caches, the
    /// time for which verifiers keep a set, and an outage during which they go on with it.
    pub fn learned_by_all(&self) -> Duration {
        let outages = if self.is_published { self.caches.saturating_add(self.route_outage) } else { secs(0) };
        self.propagation().saturating_add(self.kept_by_verifiers()).saturating_add(outages)
    }

    /// Returns the longest time for which an instance uses what it has read.
    pub fn propagation(&self) -> Duration {
        self.read_every.saturating_add(self.store_outage)
    }

    /// Returns how often to read.
    pub fn read_interval(&self) -> Duration {
        self.read_every
    }

    /// Returns the `max-age` of the published key set.
    pub fn published_max_age(&self) -> Duration {
        self.max_age
    }

    /// Whether the keys are published.
    pub fn is_published(&self) -> bool {
        self.is_published
    }

    /// Returns why a ring cannot use the plan.
    pub fn problems(&self) -> impl Iterator<Item = String> {
        let read = (self.read_every < secs(1)).then(|| {
            format!("`read_every` is {:?}: read the document of the keys every second at most", self.read_every)
        });
        let outage = (self.store_outage < SHORTEST_OUTAGE).then(|| {
            format!(
                "`store_outage` is {:?}: 10 s is the least, or the keys are too old before the next read is done",
                self.store_outage
            )
        });
        let is_long = self.is_published && self.max_age > LONGEST_MAX_AGE;
        let long = is_long.then(|| {
            format!("`max_age` is {:?}: an hour is the most, or a revoked key is used for longer", self.max_age)
        });
        let is_large = self.is_published && self.max_age > self.standby_time() / 4;
        let large = is_large.then(|| {
            format!(
                "`max_age` is {:?}, more than a quarter of the {:?} for which a key is on standby: set a shorter one",
                self.max_age,
                self.standby_time()
            )
        });
        let terms =
            [self.propagation(), self.clock_difference, self.kept_by_verifiers(), self.learned_by_all(), self.leeway];
        let endless = terms.into_iter().any(|term| term > LONGEST);
        let endless =
            endless.then(|| "a time of the plan is longer than a year: no key would ever be replaced".to_owned());
        [read, outage, long, large, endless].into_iter().flatten()
    }

    /// Returns the latest time that any clock can show when one of them shows `now`.
    pub(super) fn latest_clock(&self, now: UnixTime) -> UnixTime {
        now.plus(whole(self.clock_difference))
    }

    /// V: how long verifiers use a set without asking.
    fn kept_by_verifiers(&self) -> Duration {
        if self.is_published { self.max_age.max(self.verifiers_keep) } else { self.propagation() }
    }
}

impl Default for KeyPlan {
    fn default() -> Self {
        Self::new()
    }
}

const LONGEST_MAX_AGE: Duration = secs(3600);

/// Twice the time after which a call of the store fails.
const SHORTEST_OUTAGE: Duration = secs(10);

const LONGEST: Duration = secs(366 * 86_400);

/// A clock that shows whole seconds is late by up to a second. An expiry is rounded in the same way, so that the end of a key needs no such term.
const ROUNDING: Duration = secs(1);

/// Rounds up to whole seconds.
fn whole(time: Duration) -> Duration {
    secs(time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0)))
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
