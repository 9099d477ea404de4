//! The instants at which a token's times are acceptable.

use crate::UnixTime;

/// From when and until when the times of a token are acceptable to its policy: what the checks in `times.rs` say of them, worked out once.
///
/// Both ends in seconds since 1970, the second excluded. Not [`UnixTime`], which saturates: the last second of all can then
/// be inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    from: u64,
    until: u64,
}

impl Window {
    pub(super) fn new(from: u64, until: u64) -> Self {
        Self { from, until }
    }

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
