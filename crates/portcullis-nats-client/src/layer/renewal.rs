//! [`Renewal`]: a new token before the old one expires.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_core::{Clock, UnixTime};

use super::{RenewError, turn::Turn};
use crate::ProofSigner;

/// Renews the user's token.
pub(super) struct Renewal {
    ahead: Duration,
    renew: Box<dyn Fn() -> Renewed + Send + Sync>,
    turn: Turn,
    last: Mutex<Option<Attempt>>,
}

type Renewed = Pin<Box<dyn Future<Output = Result<String, RenewError>> + Send>>;

/// The last attempt.
#[derive(Clone, Debug)]
struct Attempt {
    at: UnixTime,
    outcome: Result<(), RenewError>,
}

/// How long the next attempt waits, so that a service that is broken, or gives out tokens of a few seconds, is not asked with each request.
const PAUSE: Duration = Duration::from_secs(5);

impl Renewal {
    pub(super) fn new<F, T, E>(ahead: Duration, renew: F) -> Self
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Result<String, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let renew = move || -> Renewed {
            let renewed = renew();
            Box::pin(async move { renewed.await.map_err(RenewError::new) })
        };
        Self { ahead, renew: Box::new(renew), turn: Turn::default(), last: Mutex::new(None) }
    }

    /// Returns when the token can be used: it is valid for a while, or was renewed.
    ///
    /// # Errors
    ///
    /// If it has expired, and was not renewed.
    pub(super) async fn keep_current(&self, signer: &ProofSigner, clock: &dyn Clock) -> Result<(), RenewError> {
        match self.need(signer, clock.now()) {
            Need::Nothing => return Ok(()),
            // Another request is at it.
            Need::Soon if self.turn.is_taken() => return Ok(()),
            Need::Soon | Need::Now => {}
        }
        let _taken = self.turn.take().await;
        let now = clock.now();
        let outcome = match (self.need(signer, now), self.recent(now)) {
            (Need::Nothing, _) | (Need::Soon, Some(_)) => return Ok(()),
            (Need::Now, Some(Err(error))) => Err(error),
            _ => self.attempt(signer, now).await,
        };
        // Until it has expired, the old one is good.
        if self.need(signer, now) == Need::Now { outcome } else { Ok(()) }
    }

    async fn attempt(&self, signer: &ProofSigner, now: UnixTime) -> Result<(), RenewError> {
        let renewed = (self.renew)().await;
        let taken = renewed.and_then(|token| signer.replace_token(&token).map_err(RenewError::new));
        let outcome = match taken {
            Ok(()) if self.need(signer, now) == Need::Now => Err(RenewError::new("the new token has expired, too")),
            other => other,
        };
        *self.last() = Some(Attempt { at: now, outcome: outcome.clone() });
        outcome
    }

    /// Returns the outcome of the last attempt, if it is too early for the next one.
    fn recent(&self, now: UnixTime) -> Option<Result<(), RenewError>> {
        let last = self.last().clone()?;
        (now.since(last.at) < PAUSE).then_some(last.outcome)
    }

    fn need(&self, signer: &ProofSigner, now: UnixTime) -> Need {
        match signer.expires_at() {
            Some(end) if end <= now => Need::Now,
            Some(end) if end <= now.plus(self.ahead) => Need::Soon,
            _ => Need::Nothing,
        }
    }

    /// What is locked is replaced as a whole, so a panic does not damage it.
    fn last(&self) -> MutexGuard<'_, Option<Attempt>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How badly a new token is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    Soon,
    Now,
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal").field("ahead", &self.ahead).finish_non_exhaustive()
    }
}
