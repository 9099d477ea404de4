//! [`RotationTimes`]: when a step of a rotation is safe.

use std::time::Duration;

use portcullis_core::UnixTime;

/// When a step of a rotation is safe: after it, no verifier meets an account that it does not trust. It is arithmetic over times that you know,
/// and reads no clock. Each setter changes one of them. Two bounds follow:
///
/// | bound | formula |
/// |---|---|
/// | accounts may be signed with the new key from | introduced + R + E |
/// | the old key may leave from | last account replaced + max(A, C) + E |
///
/// R is [`rollout`](Self::rollout), A [`max_account_age`](Self::max_account_age), C [`caches`](Self::caches), E
/// [`clock_difference`](Self::clock_difference), of which one second is always added because clocks show whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RotationTimes {
    rollout: Duration,
    max_account_age: Duration,
    caches: Duration,
    clock_difference: Duration,
}

impl RotationTimes {
    /// Returns the times with all defaults.
    pub const fn new() -> Self {
        Self {
            rollout: hours(24),
            max_account_age: hours(1),
            caches: hours(1),
            clock_difference: Duration::from_secs(60),
        }
    }

    /// Sets how long it takes until every server and every service has loaded a new token of the operator. Defaults to 24 h: it stands in
    /// configurations, which are rolled out by hand or with the next release.
    #[must_use]
    pub const fn rollout(self, longest: Duration) -> Self {
        Self { rollout: longest, ..self }
    }

    /// Sets the largest age of an account's token that a caller may bring along, of any service. Defaults to an hour, the recommended one.
    #[must_use]
    pub const fn max_account_age(self, age: Duration) -> Self {
        Self { max_account_age: age, ..self }
    }

    /// Sets the longest time for which a server or a service uses an account's token after a newer one is in the resolver: its time to live, and
    /// the outage during which it is used beyond that. Defaults to an hour. A nats-server with a URL resolver asks only when it starts: set the
    /// time between two restarts.
    #[must_use]
    pub const fn caches(self, longest: Duration) -> Self {
        Self { caches: longest, ..self }
    }

    /// Sets by how much any two clocks may differ. Defaults to 60 s; with NTP, it is far less.
    #[must_use]
    pub const fn clock_difference(self, difference: Duration) -> Self {
        Self { clock_difference: difference, ..self }
    }

    /// Returns the earliest instant at which accounts may be signed with a key that is in the operator's token since `introduced`.
    pub fn signs_from(&self, introduced: UnixTime) -> UnixTime {
        introduced.plus(self.rollout.saturating_add(self.clocks()))
    }

    /// Returns the earliest instant at which the old key may leave the operator's token, if the last account that it signed was replaced at
    /// `replaced`.
    pub fn leaves_from(&self, replaced: UnixTime) -> UnixTime {
        replaced.plus(self.max_account_age.max(self.caches).saturating_add(self.clocks()))
    }

    fn clocks(&self) -> Duration {
        self.clock_difference.saturating_add(Duration::from_secs(1))
    }
}

impl Default for RotationTimes {
    fn default() -> Self {
        Self::new()
    }
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}
