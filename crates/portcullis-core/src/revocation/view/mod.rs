//! What is revoked, as far as this process knows, and how sure that is.

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

/// The revocations that this process knows: what every request is checked against, without waiting.
///
/// Cheap to clone; clones are one view. Only its [`ViewWriter`] changes it, which the follower of the log holds: a holder of a view cannot say
/// that the log has nothing newer. (`Revocations` of the crate `portcullis-store` follows the log; it has the view, and keeps the writer.)
///
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

/// What is looked at for a token that was seen before, up to the epoch in one line of the processor's cache that no request writes to.
#[repr(C, align(64))]
struct Signs {
    confirmation: Confirmation,
    /// The latest second since 1970 by which entries were forgotten, or not taken in.
    forgotten_by: AtomicU64,
    changes: Changes,
}

/// What a view says of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing revokes it.
    Live,
    /// It is revoked on that level, or on several.
    Revoked(Level),
    /// It may live longer than revocations are remembered, or does not say how long it lives.
    BeyondHorizon,
    /// A claim by which revocations name tokens has another type than it is read as, so it cannot be told what would hit it.
    Malformed(LenientClaim),
    /// Nothing that is known revokes it, but there may be news: the view was last confirmed so long ago (`None`: never).
    Stale(Option<Duration>),
}

/// How a view is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewState {
    /// The log was never read to its end: it is not known what is revoked.
    Syncing,
    /// The log has confirmed the view within `max_staleness`.
    Fresh,
    /// It has not, for so long.
    Stale {
        /// Since the last confirmation.
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

    /// Returns what this view says of a token, by the [rungs](Facts::rungs) that apply to it, if the calendar shows `now`.
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

    /// Whether a writer still follows the log: whether the view was not [ended](ViewWriter::end). Once an ended view is stale it admits no
    /// token, whatever a route's [`WhenStale`](super::WhenStale) says.
    pub fn is_followed(&self) -> bool {
        !self.0.has_ended.load(Ordering::Acquire)
    }

    /// What the calendar shows.
    pub fn now(&self) -> UnixTime {
        self.0.settings.clock.now()
    }

    /// How long tokens may live.
    pub fn horizon(&self) -> Duration {
        self.0.settings.horizon
    }

    /// On which level the key that signed a token, or its issuer up to then, is revoked, if it is: what counts for tokens that are no
    /// access tokens.
    pub fn check_signer(&self, facts: &Facts) -> Option<Level> {
        self.0.ladder.few().find(facts.issuer(), facts.issued_at(), facts.key_id())
    }

    /// The least version (`ver`) of a subject's tokens that is not revoked: what a token that is minted now has to have at least.
    /// `None` if none is revoked, as far as this view knows: once no token of an earlier version can be alive, it forgets.
    pub fn current_version(&self, issuer: &str, subject: &str) -> Option<u64> {
        self.0.ladder.current_version(issuer, subject)
    }

    /// How many entries there are.
    pub fn entries(&self) -> usize {
        self.0.ladder.len()
    }

    /// Whether there are more than `max_entries`. None is dropped for that.
    pub fn is_too_full(&self) -> bool {
        self.entries() > self.0.settings.max_entries
    }

    /// How many requests were let in although the view was stale, because their route says so.
    pub fn served_stale(&self) -> u64 {
        self.0.served_stale.load(Ordering::Relaxed)
    }

    /// How sure it is.
    pub fn state(&self) -> ViewState {
        match self.0.age(self.now()) {
            None => ViewState::Syncing,
            Some(_) if self.0.is_fresh(self.now()) => ViewState::Fresh,
            Some(age) => ViewState::Stale { age },
        }
    }

    /// How long ago the log confirmed it; `None` if it never did.
    pub fn last_confirmed(&self) -> Option<Duration> {
        self.0.age(self.now())
    }
}

/// The claim by which revocations on a level name tokens, if its type may be any.
const fn name(level: Level) -> Option<LenientClaim> {
    match level {
        Level::Token => Some(LenientClaim::TokenId),
        Level::Session => Some(LenientClaim::SessionId),
        Level::Client => Some(LenientClaim::ClientId),
        // A token without a version is hit by every revocation of versions, so the type of `ver` does not matter; that of `sub` and `iat` is
        // checked for every token.
        Level::Subject | Level::Version | Level::Key | Level::Issuer => None,
    }
}

/// By how many seconds a calendar may be set back for nothing: entries stay ten minutes longer than tokens live.
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
    /// How much is in it, and nothing of what.
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
