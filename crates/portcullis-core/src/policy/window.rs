//! The instants at which a token's times are acceptable.

use super::Policy;
use crate::{UnixTime, verified::Facts};

/// From when and until when the times of a token are acceptable to its policy: what
/// [`accept_claims`](Policy::accept_claims) says of them, worked out once.
///
/// Both ends in seconds since 1970, the second excluded. Not [`UnixTime`], which saturates: the last second of all can then
/// be inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: u64,
    until: u64,
}

impl Window {
    /// From the beginning of time until `end`.
    pub(crate) fn until(end: UnixTime) -> Self {
        Self { from: 0, until: end.as_secs() }
    }

    /// The part of it that lies before `end`.
    pub(crate) fn ending_at(self, end: UnixTime) -> Self {
        Self { until: self.until.min(end.as_secs()), ..self }
    }

    /// The part of it that does not lie before `start`.
    pub(crate) fn starting_at(self, start: UnixTime) -> Self {
        Self { from: self.from.max(start.as_secs()), ..self }
    }

    pub(crate) fn contains(self, now: UnixTime) -> bool {
        (self.from..self.until).contains(&now.as_secs())
    }
}

impl Policy {
    /// The window of a token that was accepted by this policy.
    pub(crate) fn window(&self, facts: &Facts) -> Window {
        let leeway = self.leeway.as_duration();
        let starts = [facts.not_before(), facts.issued_at()];
        let from = starts.into_iter().flatten().map(|start| start.minus(leeway).as_secs()).max();

        let expiry = facts.expires_at().map_or(0, |expiry| expiry.plus(leeway).as_secs());
        // An age is in whole seconds, so the last one that is not too old is the bound's whole part.
        let aged = self.max_age.zip(facts.issued_at()).map(|(max_age, issued_at)| {
            let oldest = max_age.saturating_add(leeway).as_secs();
            issued_at.as_secs().saturating_add(oldest).saturating_add(1)
        });
        Window { from: from.unwrap_or(0), until: aged.map_or(expiry, |aged| aged.min(expiry)) }
    }
}
