//! What to do about tokens of which the view cannot say whether they are revoked.

use std::time::Duration;

/// What it means for a route that the view is stale: its log has not confirmed it for the view's `max_staleness`.
///
/// A token that is known to be revoked is refused in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStale {
    /// Nobody is let in: 503 with `Retry-After`. The default.
    #[default]
    FailClosed,
    /// Tokens are taken as live for as long as the view is at most this old; then as with `FailClosed`.
    Bounded(Duration),
    /// Tokens are taken as live, however old the view is, even if the log was never read. Such requests are counted.
    FailOpen,
}

/// What to do about tokens that may live longer than revocations are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LongLived {
    /// They are refused. The default.
    #[default]
    Refuse,
    /// They are accepted until the horizon after their `iat`, as if they expired then.
    EndAtHorizon,
}
