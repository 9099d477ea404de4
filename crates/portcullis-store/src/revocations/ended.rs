//! [`EndOfIdentity`]: resolves when an identity ends.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use portcullis_core::{
    revocation::{Level, Verdict},
    verified::AnyVerified,
};
use tokio::time::timeout;

use super::shared::Shared;

/// Why an identity ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// Its token has expired, or has reached the horizon of the log.
    Expired,
    /// It was revoked, at that level.
    Revoked(Level),
    /// It is not known whether it is revoked: the log could not be read for longer than
    /// [`unless_confirmed_within`](EndOfIdentity::unless_confirmed_within) allows.
    Unconfirmed,
}

/// A future that resolves when an identity ends; made by [`Revocations::end_of`](crate::Revocations::end_of).
///
/// ```
/// # async fn doc(revocations: portcullis_store::Revocations, verified: portcullis_core::verified::AnyVerified) {
/// let mut end = std::pin::pin!(revocations.end_of(verified));
/// loop {
///     tokio::select! {
///         ended = &mut end => break println!("closing the stream: {ended:?}"),
///         message = next_message() => println!("{message}"),
///     }
/// }
/// # }
/// # async fn next_message() -> String { std::future::pending().await }
/// ```
#[must_use = "futures do nothing unless polled"]
pub struct EndOfIdentity(Pin<Box<dyn Future<Output = Ended> + Send>>, Watched);

#[derive(Clone)]
struct Watched {
    shared: Arc<Shared>,
    verified: AnyVerified,
    longest: Option<Duration>,
}

impl EndOfIdentity {
    pub(super) fn new(shared: Arc<Shared>, verified: AnyVerified) -> Self {
        Self::of(Watched { shared, verified, longest: None })
    }

    fn of(watched: Watched) -> Self {
        Self(Box::pin(watched.clone().wait()), watched)
    }

    /// Also ends if the log has not confirmed for `longest` that the identity is not revoked: for streams that should
    /// rather break than continue with an identity that may be revoked.
    ///
    /// By default they continue: otherwise all of them would break at the same time whenever the log cannot be reached
    /// for a while, and all would reconnect at the same time. New requests are in any case judged by their route's
    /// [`WhenStale`](portcullis_core::revocation::WhenStale).
    pub fn unless_confirmed_within(self, longest: Duration) -> Self {
        Self::of(Watched { longest: Some(longest), ..self.1 })
    }
}

/// How often to check the wall clock again: an operator may set it, and a machine may sleep.
const LOOK: Duration = Duration::from_secs(30);

impl Watched {
    async fn wait(self) -> Ended {
        let mut changes = self.shared.changes.subscribe();
        loop {
            changes.mark_unchanged();
            let pause = match self.now() {
                Ok(ended) => return ended,
                Err(pause) => pause,
            };
            // In each case the state is checked again. (The sender is in `shared`, so it is never gone.)
            let _ = timeout(pause, changes.changed()).await;
        }
    }

    /// Returns how it has ended, or when to check again.
    fn now(&self) -> Result<Ended, Duration> {
        let view = self.shared.view();
        let now = view.now();
        let facts = &*self.verified;
        let verdict = view.check(facts, now);
        if let Verdict::Revoked(level) = verdict {
            return Ok(Ended::Revoked(level));
        }
        let left = facts.expires_at().map_or(LOOK, |expiry| expiry.since(now));
        if left.is_zero() || matches!(verdict, Verdict::BeyondHorizon | Verdict::Malformed(_)) {
            return Ok(Ended::Expired);
        }
        let Some(longest) = self.longest else { return Err(left.min(LOOK)) };
        match view.last_confirmed() {
            Some(age) if age <= longest => Err(left.min(LOOK).min(longest.saturating_sub(age).saturating_add(TICK))),
            _ => Ok(Ended::Unconfirmed),
        }
    }
}

/// Check slightly after the end of a span, not exactly at it.
const TICK: Duration = Duration::from_millis(10);

impl Future for EndOfIdentity {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for EndOfIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EndOfIdentity").field(&self.1.verified).finish()
    }
}
