//! What looks on while a requirement is decided: nothing for a guard, notes for an explanation. One recipe serves both.

use super::kleene::Outcome;

/// Takes note of what came of each part, and says whether parts that can no longer matter are decided all the same.
///
/// [`Silent`] is compiled to nothing.
pub(super) trait Watch: Send {
    /// Whether it is of interest what comes of a part after the others have decided.
    const GOES_ON: bool;

    /// What looks on while a part is decided.
    type Part<'p>: Watch
    where
        Self: 'p;

    /// The one for the part at that place.
    fn part(&mut self, place: usize) -> Self::Part<'_>;

    /// Notes what came of the whole.
    fn note(&mut self, outcome: &Outcome<'_>);

    /// Notes what came of a requirement that is not made of others, and how the caller differs from what it asks.
    fn note_leaf(&mut self, outcome: &Outcome<'_>, difference: impl FnOnce() -> Option<String>);
}

/// Notes nothing.
#[derive(Debug)]
pub(super) struct Silent;

impl Watch for Silent {
    const GOES_ON: bool = false;

    type Part<'p> = Self;

    #[inline]
    fn part(&mut self, _: usize) -> Self {
        Self
    }

    #[inline]
    fn note(&mut self, _: &Outcome<'_>) {}

    #[inline]
    fn note_leaf(&mut self, _: &Outcome<'_>, _: impl FnOnce() -> Option<String>) {}
}
