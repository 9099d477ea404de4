//! [`Window`]: the period in which a token's times are acceptable.

use crate::UnixTime;

/// The period in which a policy accepts the times of a token: the result of the checks in `times.rs`, computed once.
///
/// Both ends are in seconds since 1970; the end is excluded. Not [`UnixTime`], which saturates, so that the very last second can be
/// inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: u64,
    until: u64,
}

impl Window {
    pub(super) fn new(from: u64, until: u64) -> Self {
        Self { from, until }
    }

    /// Returns the window from the beginning of time until `end`.
    pub(crate) fn until(end: UnixTime) -> Self {
        Self { from: 0, until: end.as_secs() }
    }

    /// Returns the part before `end`.
    pub(crate) fn ending_at(self, end: UnixTime) -> Self {
        Self { until: self.until.min(end.as_secs()), ..self }
    }

    /// Returns the part from `start` on.
    pub(crate) fn starting_at(self, start: UnixTime) -> Self {
        Self { from: self.from.max(start.as_secs()), ..self }
    }

    pub(crate) fn contains(self, now: UnixTime) -> bool {
        (self.from..self.until).contains(&now.as_secs())
    }
}
