//! [`RevocationView`]: the revocations that this process knows, and whether they are up to date.

mod admit;
mod builder;
mod changes;
mod clients;
mod confirmation;
mod few;
mod horizon;
mod id_hash;
mod ladder;
mod marks;
mod shards;
mod trusted_time;
mod writer;

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use self::{builder::ViewWriterBuilder, confirmation::Asked, writer::ViewWriter};
use self::{changes::Changes, clients::Clients, confirmation::Confirmation, ladder::Ladder, trusted_time::TrustedTime};
use super::{Level, Levels};
use crate::{UnixTime, claims::LenientClaim, verified::Facts};

/// The revocations that this process knows. Every request is checked against it, without waiting.
///
/// Cheap to clone; clones are the same view. Only its [`ViewWriter`] changes it, which the follower of the log owns: a holder of a view
/// cannot claim that the log has nothing newer. (`Revocations` of the crate `portcullis-store` follows the log; it gives access to the
/// view, and keeps the writer.)
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::Code;
/// use portcullis_core::revocation::{Revocation, ViewWriter};
/// use portcullis_test::{FixedClock, MockIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = FixedClock::default();
/// let issuer = MockIssuer::new().clock(clock.clone());
/// let writer = ViewWriter::builder(Duration::from_secs(86_400)).clock(clock).build();
/// writer.confirm(writer.ask()); // the log was read to its end
/// let admission = issuer.admission().revocations(writer.view());
///
/// let token = issuer.token().claim("sid", "s-1").sign();
/// assert!(admission.verify(&token).outcome().await.is_ok());
///
/// writer.merge(&[writer.entry(&Revocation::session(issuer.name(), "s-1"))]);
/// let refused = admission.verify(&token).outcome().await.unwrap_err();
/// assert_eq!(refused.code(), Code::TokenRevoked);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "denylist")]
#[doc(alias = "blocklist")]
#[derive(Clone)]
pub struct RevocationView(Arc<Inner>);

struct Inner {
    ladder: Ladder,
    clients: Clients,
    signs: Signs,
    settings: ViewWriterBuilder,
    forgetting: Mutex<TrustedTime>,
    turn: AtomicUsize,
    served_stale: AtomicU64,
    has_ended: AtomicBool,
}

/// The data that are read for a token that was seen before; those up to the epoch are in one cache line that no request writes to.
#[repr(C, align(64))]
struct Signs {
    confirmation: Confirmation,
    /// The latest second since 1970 by which entries were forgotten, or not merged.
    forgotten_by: AtomicU64,
    changes: Changes,
}

/// The view's answer about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing revokes it.
    Live,
    /// It is revoked on this level, and possibly on others.
    Revoked(Level),
    /// It may live longer than revocations are remembered, or does not state its lifetime.
    BeyondHorizon,
    /// A claim by which revocations name tokens has the wrong type, so the view cannot tell what would hit the token.
    Malformed(LenientClaim),
    /// No known revocation hits it, but there may be newer ones: the view was last confirmed this long ago (`None`: never).
    Stale(Option<Duration>),
}

/// The state of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewState {
    /// The log was never read to its end, so the revocations are not known.
    Syncing,
    /// The log has confirmed the view within `max_staleness`.
    Fresh,
    /// It has not, for this long.
    Stale {
        /// The time since the last confirmation.
        age: Duration,
    },
}

impl RevocationView {
    fn new(settings: ViewWriterBuilder) -> Self {
        let (now, uptime) = (settings.clock.now(), settings.clock.uptime());
        Self(Arc::new(Inner {
            ladder: Ladder::new(),
            clients: Clients::default(),
            signs: Signs {
                confirmation: Confirmation::new(settings.max_staleness),
                forgotten_by: AtomicU64::new(0),
                changes: Changes::new(),
            },
            settings,
            forgetting: Mutex::new(TrustedTime::new(now, uptime)),
            turn: AtomicUsize::new(0),
            served_stale: AtomicU64::new(0),
            has_ended: AtomicBool::new(false),
        }))
    }

    /// Returns this view's answer about a token, by the [rungs](Facts::rungs) that apply to it, if the wall clock shows `now`.
    pub fn check(&self, facts: &Facts, now: UnixTime) -> Verdict {
        self.check_levels(facts, now, Levels::ALL)
    }

    fn check_levels(&self, facts: &Facts, now: UnixTime, levels: Levels) -> Verdict {
        if let Some(level) = self.0.ladder.find(facts, levels) {
            return Verdict::Revoked(level);
        }
        let rungs = facts.rungs();
        let mut names = Level::ALL.into_iter().filter(|level| rungs.levels().has(*level)).filter_map(name);
        if let Some(claim) = names.find(|claim| facts.require_type(*claim).is_err()) {
            return Verdict::Malformed(claim);
        }
        if rungs.has_horizon() && self.0.end_of_life(facts, now).is_none_or(|end| now >= end) {
            return Verdict::BeyondHorizon;
        }
        if self.0.is_fresh(now) { Verdict::Live } else { Verdict::Stale(self.0.age(now)) }
    }

    /// Whether a writer still follows the log, that is, whether the view was not [ended](ViewWriter::end). Once an ended view is stale it
    /// admits no token, whatever a route's [`WhenStale`](super::WhenStale) says.
    pub fn is_followed(&self) -> bool {
        !self.0.has_ended.load(Ordering::Acquire)
    }

    /// Returns the time of the wall clock.
    pub fn now(&self) -> UnixTime {
        self.0.settings.clock.now()
    }

    /// Returns the longest lifetime of tokens.
    pub fn horizon(&self) -> Duration {
        self.0.settings.horizon
    }

    /// Returns the level on which the key that signed a token, or its issuer up to that time, is revoked: the check for tokens other than
    /// access tokens.
    pub fn check_signer(&self, facts: &Facts) -> Option<Level> {
        self.0.ladder.few().find(facts.issuer(), facts.issued_at(), facts.key_id())
    }

    /// Returns the lowest version (`ver`) of a subject's tokens that is not revoked, which is the minimum for a newly minted token.
    /// `None` if none is revoked, as far as this view knows: it forgets once all tokens of earlier versions have expired.
    pub fn current_version(&self, issuer: &str, subject: &str) -> Option<u64> {
        self.0.ladder.current_version(issuer, subject)
    }

    /// Returns the number of entries.
    pub fn entries(&self) -> usize {
        self.0.ladder.len()
    }

    /// Whether there are more than `max_entries`. None is dropped because of this.
    pub fn is_too_full(&self) -> bool {
        self.entries() > self.0.settings.max_entries
    }

    /// Returns how many requests were admitted although the view was stale, because their route permits it.
    pub fn served_stale(&self) -> u64 {
        self.0.served_stale.load(Ordering::Relaxed)
    }

    /// Returns the state of the view.
    pub fn state(&self) -> ViewState {
        match self.0.age(self.now()) {
            None => ViewState::Syncing,
            Some(_) if self.0.is_fresh(self.now()) => ViewState::Fresh,
            Some(age) => ViewState::Stale { age },
        }
    }

    /// Returns how long ago the log confirmed it; `None` if it never did.
    pub fn last_confirmed(&self) -> Option<Duration> {
        self.0.age(self.now())
    }
}

/// Returns the claim by which revocations on a level name tokens, if tokens may have any type of it.
const fn name(level: Level) -> Option<LenientClaim> {
    match level {
        Level::Token => Some(LenientClaim::TokenId),
        Level::Session => Some(LenientClaim::SessionId),
        Level::Client => Some(LenientClaim::ClientId),
        // Every revocation of versions hits a token without a version, so the type of `ver` does not matter; the types of `sub` and `iat`
        // are checked for every token.
        Level::Subject | Level::Version | Level::Key | Level::Issuer => None,
    }
}

/// How many seconds a wall clock may be set back without effect: entries stay ten minutes longer than tokens live.
const CORRECTION: u64 = 120;

impl Inner {
    fn is_fresh(&self, now: UnixTime) -> bool {
        self.signs.confirmation.is_fresh(now, &*self.settings.clock) && !self.has_forgotten_too_much(now)
    }

    fn has_forgotten_too_much(&self, now: UnixTime) -> bool {
        now.as_secs().saturating_add(CORRECTION) < self.signs.forgotten_by.load(Ordering::Acquire)
    }

    fn age(&self, now: UnixTime) -> Option<Duration> {
        self.signs.confirmation.age(now, &*self.settings.clock)
    }
}

impl fmt::Debug for RevocationView {
    /// Shows how many entries there are, but none of their content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevocationView")
            .field("state", &self.state())
            .field("entries", &self.entries())
            .finish_non_exhaustive()
    }
}

impl From<&Self> for RevocationView {
    fn from(view: &Self) -> Self {
        view.clone()
    }
}

#[cfg(test)]
mod tests;
