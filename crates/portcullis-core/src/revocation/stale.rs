//! [`WhenStale`]: what to do about tokens while the view is stale.

use std::time::Duration;

/// What a route does while the view is stale, because its log has not confirmed it for the view's `max_staleness`.
///
/// A token that is known to be revoked is refused in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStale {
    /// Requests are refused: 503 with `Retry-After`. The default.
    #[default]
    FailClosed,
    /// Tokens are treated as live while the view is at most this old; then as with `FailClosed`.
    Bounded(Duration),
    /// Tokens are treated as live, however old the view is, even if the log was never read.
    ///
    /// This is weaker: while the log cannot be read, no revocation by other instances takes effect on this route. Raise an alert on
    /// [`RevocationView::served_stale`](crate::revocation::RevocationView::served_stale), which counts such requests, and on the age of
    /// the view. A view that is no longer followed (its `Revocations` were dropped) is still not served.
    DangerFailOpen,
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
