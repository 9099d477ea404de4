//! [`Watch`]: receives the outcome of each part while a requirement is decided. Guards ignore it, explanations note it; both run the same code.

use super::kleene::Outcome;

/// Receives the outcome of each part, and says whether parts that no longer matter are still decided.
///
/// [`Silent`] compiles to nothing.
pub(super) trait Watch: Send {
    /// Whether a part is still decided after the others have settled the outcome.
    const GOES_ON: bool;

    /// The type that receives the outcome of a part.
    type Part<'p>: Watch
    where
        Self: 'p;

    /// Returns the receiver for the part at this place.
    fn part(&mut self, place: usize) -> Self::Part<'_>;

    /// Receives the outcome of the whole requirement.
    fn note(&mut self, outcome: &Outcome<'_>);

    /// Receives the outcome of a requirement without parts, and how the caller differs from what is required, or by what the caller meets it.
    fn note_leaf(&mut self, outcome: &Outcome<'_>, remark: impl FnOnce() -> Option<String>);
}

/// Ignores all outcomes.
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
