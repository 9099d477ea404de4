//! What is revoked, as far as this process knows, and how sure that is.

mod builder;
mod changes;
mod clients;
mod confirmation;
mod few;
mod id_hash;
mod ladder;
mod marks;
mod shards;
mod trusted_time;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use self::{builder::RevocationViewBuilder, confirmation::Asked};
use self::{changes::Changes, clients::Clients, confirmation::Confirmation, ladder::Ladder, trusted_time::TrustedTime};
use super::{Level, Levels, LongLived, Revocation, RevocationEntry, WhenStale};
use crate::{AuthError, Clock, Code, UnixTime, claims::LenientClaim, policy::Window, verified::Facts};

/// The revocations that this process knows: what every request is checked against, without waiting.
///
/// Cheap to clone; clones are one view. Whoever follows the log [merges](Self::merge) its entries, and
/// [confirms](Self::confirm) the view whenever the log has nothing newer. (`Revocations` of the crate `portcullis-store` does both.)
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::Code;
/// use portcullis_core::revocation::{Revocation, RevocationView};
/// use portcullis_test::{FixedClock, MockIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = FixedClock::default();
/// let issuer = MockIssuer::new().clock(clock.clone());
/// let view = RevocationView::builder(Duration::from_secs(86_400)).clock(clock).build();
/// view.confirm(view.ask()); // the log was read to its end
/// let admission = issuer.admission().revocations(&view);
///
/// let token = issuer.token().claim("sid", "s-1").sign();
/// assert!(admission.verify(&token).outcome().await.is_ok());
///
/// view.merge(&[view.entry(&Revocation::session(issuer.name(), "s-1"))]);
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
    settings: RevocationViewBuilder,
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
    /// A view for tokens that live no longer than `horizon`.
    pub fn builder(horizon: Duration) -> RevocationViewBuilder {
        RevocationViewBuilder::new(horizon)
    }

    fn from_builder(settings: RevocationViewBuilder) -> Self {
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
        let mut names = NAMES.into_iter().filter(|(level, _)| rungs.levels().has(*level)).map(|(_, claim)| claim);
        if let Some(claim) = names.find(|claim| facts.require_type(*claim).is_err()) {
            return Verdict::Malformed(claim);
        }
        if rungs.has_horizon() && self.0.end_of_life(facts, now).is_none_or(|end| now >= end) {
            return Verdict::BeyondHorizon;
        }
        if self.0.is_fresh(now) { Verdict::Live } else { Verdict::Stale(self.0.age(now)) }
    }

    /// Takes entries in. Those that it had, or that are past remembering, change nothing. Gives how many of them revoke a token more.
    pub fn merge<'e>(&self, entries: impl IntoIterator<Item = &'e RevocationEntry>) -> usize {
        let inner = &*self.0;
        let now = inner.forget_by();
        let horizon = inner.settings.horizon;
        let mut batch = inner.signs.changes.batch();
        for entry in entries {
            if let Some(mark) = inner.ladder.merge(entry, now, horizon) {
                batch.add(entry.revocation().level(), mark);
            }
        }
        batch.len() // and it is published: a request that still sees the old epoch has asked before these entries came
    }

    /// To be taken down before a log is asked for what is new, for [`confirm`](Self::confirm).
    pub fn ask(&self) -> Asked {
        let clock = &self.0.settings.clock;
        Asked { uptime: clock.uptime(), calendar: clock.now() }
    }

    /// Says that the log had nothing newer when it was asked: when the question was **sent**, not when the answer came.
    ///
    /// For whoever follows the log, and nobody else: a view that is confirmed by somebody who does not know lets revoked tokens in.
    pub fn confirm(&self, asked: Asked) {
        self.0.signs.confirmation.confirm(asked);
    }

    /// Whether entries were forgotten, or not taken in, while the wall clock was wrongly ahead. Such a view is not fresh. The task that
    /// follows the log then calls [`begin_anew`](Self::begin_anew), and reads the log from its beginning.
    pub fn has_forgotten_too_much(&self) -> bool {
        self.0.has_forgotten_too_much(self.now())
    }

    /// Takes back that the log has confirmed this view. (What is revoked stays so.)
    pub fn begin_anew(&self) {
        self.0.signs.confirmation.withdraw();
        self.0.signs.forgotten_by.store(0, Ordering::Release);
    }

    /// Says that no task follows the log any more, and none will: once the view is stale it admits no token, whatever a route's [`WhenStale`]
    /// says. A view that cannot become fresh again must not be served as one that may at any moment.
    pub fn end(&self) {
        self.0.has_ended.store(true, Ordering::Release);
    }

    /// Whether the view was not [ended](Self::end).
    pub fn is_followed(&self) -> bool {
        !self.0.has_ended.load(Ordering::Acquire)
    }

    /// What the calendar shows.
    pub fn now(&self) -> UnixTime {
        self.0.settings.clock.now()
    }

    /// Returns what the calendar shows as finely as the [`Clock`] knows it.
    pub fn precise_now(&self) -> Duration {
        self.0.settings.clock.precise_now()
    }

    /// The entry that a log has to keep for a revocation that is made now.
    pub fn entry(&self, revocation: &Revocation) -> RevocationEntry {
        self.entry_at(revocation, self.now())
    }

    /// Returns the entry that a log has to keep for a revocation that is made when the calendar shows `now`: for a writer that knows the time
    /// better than this machine.
    pub fn entry_at(&self, revocation: &Revocation, now: UnixTime) -> RevocationEntry {
        revocation.entry(now, self.horizon())
    }

    /// How long tokens may live.
    pub fn horizon(&self) -> Duration {
        self.0.settings.horizon
    }

    /// Forgets a part of what needs no remembering any more; to be called every second or so. A call takes a two hundred and fifty-sixth of all
    /// entries, so that no request waits for long.
    pub fn forget_some(&self) {
        let inner = &*self.0;
        let now = inner.forget_by();
        let turn = inner.turn.fetch_add(1, Ordering::Relaxed);
        inner.ladder.forget(turn, now);
    }

    /// Whether the view has that entry already, remembered for about as long: then there is nothing to append.
    pub fn has(&self, entry: &RevocationEntry) -> bool {
        self.0.ladder.has(entry)
    }

    /// On which level the key that signed a token, or its issuer up to then, is revoked, if it is: what counts for tokens that are no
    /// access tokens.
    pub fn check_signer(&self, facts: &Facts) -> Option<Level> {
        self.0.ladder.few().find(facts.issuer(), facts.issued_at(), facts.key_id())
    }

    /// What the calendar shows, unless it has jumped ahead a moment ago: by which time entries are forgotten.
    pub fn trusted_now(&self) -> UnixTime {
        self.0.trusted_now()
    }

    /// Entries for revoked keys that the log would forget within half a horizon: to be appended anew, because keys are revoked for good.
    pub fn keys_to_renew(&self) -> Vec<RevocationEntry> {
        let (now, horizon) = (self.now(), self.horizon());
        self.0.ladder.few().keys_to_renew(now.plus(horizon / 2), now, horizon)
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

/// For the admission.
impl RevocationView {
    /// The verdict as an admission needs it.
    pub(crate) fn admit(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale) -> Result<(), AuthError> {
        self.admit_since(facts, now, when_stale, 0)
    }

    /// The same for a token that no level revoked in the epoch `checked`.
    fn admit_since(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale, checked: u64) -> Result<(), AuthError> {
        let news = self.0.signs.changes.since(checked); // before the check, so that a change meanwhile counts
        match self.check_levels(facts, now, self.0.ladder.levels_to_ask(facts, &news)) {
            Verdict::Live => {}
            Verdict::Stale(age) => self.admit_stale(age, when_stale)?,
            Verdict::Revoked(level) => {
                return Err(AuthError::new(Code::TokenRevoked).with_explanation(level.as_str()));
            }
            Verdict::BeyondHorizon => return Err(self.too_long_lived(facts)),
            Verdict::Malformed(claim) => return facts.require_type(claim),
        }
        facts.checked_at_epoch().store(news.epoch(), Ordering::Relaxed);
        Ok(())
    }

    /// Whether a token that was admitted before is so again.
    pub(crate) fn admits_again(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale) -> bool {
        let checked = facts.checked_at_epoch().load(Ordering::Relaxed);
        let is_unchanged = checked == self.0.signs.changes.epoch();
        (is_unchanged && self.0.is_fresh(now)) || self.admit_since(facts, now, when_stale, checked).is_ok()
    }

    fn admit_stale(&self, age: Option<Duration>, when_stale: WhenStale) -> Result<(), AuthError> {
        let is_admitted = match when_stale {
            WhenStale::FailClosed => false,
            WhenStale::Bounded(longest) => age.is_some_and(|age| age <= longest),
            WhenStale::DangerFailOpen => true,
        };
        if !self.is_followed() {
            let explanation = "the log of revocations is no longer followed: its handle (`Revocations`) was dropped, or its runtime has ended";
            return Err(AuthError::new(Code::RevocationsStale)
                .with_explanation(explanation)
                .with_retry_after(RETRY_AFTER));
        }
        if is_admitted {
            self.0.served_stale.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let explanation = age.map_or("the log of revocations was never read to its end".to_owned(), |age| {
            format!("the log of revocations has not confirmed the view for {:.1} s", age.as_secs_f64())
        });
        Err(AuthError::new(Code::RevocationsStale).with_explanation(explanation).with_retry_after(RETRY_AFTER))
    }

    fn too_long_lived(&self, facts: &Facts) -> AuthError {
        let horizon = self.horizon().as_secs();
        if facts.issued_at().is_none() && !self.0.settings.accepts_unknown_age {
            let explanation = "there is no `iat`, so nobody can tell whether its revocation would be remembered";
            return AuthError::new(Code::ClaimMissing).with_explanation(explanation);
        }
        AuthError::new(Code::TokenLifetimeTooLong)
            .with_explanation(format!("revocations are remembered for tokens that live up to {horizon} s"))
    }

    /// The part of a token's window in which the horizon admits it.
    pub(crate) fn window(&self, window: Window, facts: &Facts) -> Window {
        if !facts.rungs().has_horizon() {
            return window;
        }
        let window = self.early_end(facts).map_or(window, |end| window.ending_at(end));
        self.late_start(facts).map_or(window, |start| window.starting_at(start))
    }

    /// From when on a token is acceptable, if its age is unknown: its expiry has to be within the horizon.
    fn late_start(&self, facts: &Facts) -> Option<UnixTime> {
        let expiry = facts.expires_at().filter(|_| facts.issued_at().is_none());
        expiry.map(|expiry| expiry.minus(self.horizon()))
    }

    /// When a token ends, if before its expiry: the horizon after it was issued.
    fn early_end(&self, facts: &Facts) -> Option<UnixTime> {
        let is_bounded = self.0.settings.long_lived == LongLived::EndAtHorizon;
        facts.issued_at().filter(|_| is_bounded).map(|issued_at| issued_at.plus(self.horizon()))
    }
}

/// The claims by which revocations name tokens. (A token without a version is hit by every revocation of versions, so the type
/// of `ver` does not matter.)
const NAMES: [(Level, LenientClaim); 3] = [
    (Level::Token, LenientClaim::TokenId),
    (Level::Session, LenientClaim::SessionId),
    (Level::Client, LenientClaim::ClientId),
];

/// By how many seconds a calendar may be set back for nothing: entries stay ten minutes longer than tokens live.
const CORRECTION: u64 = 120;

/// A heartbeat: whoever asks then finds a view that the log has confirmed anew, or learns that it still has not.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Inner {
    /// Before when a token has to be presented to be live; `None` if it never is.
    fn end_of_life(&self, facts: &Facts, now: UnixTime) -> Option<UnixTime> {
        let RevocationViewBuilder { horizon, long_lived, accepts_unknown_age, .. } = self.settings;
        let Some(issued_at) = facts.issued_at() else {
            let is_near = facts.expires_at().is_some_and(|expiry| expiry.since(now) <= horizon);
            return (accepts_unknown_age && is_near).then_some(UnixTime::MAX);
        };
        match long_lived {
            LongLived::EndAtHorizon => Some(issued_at.plus(horizon)),
            LongLived::Refuse => {
                let lives = facts.expires_at().map(|expiry| expiry.since(issued_at));
                lives.is_some_and(|lives| lives <= horizon).then_some(UnixTime::MAX)
            }
        }
    }

    fn is_fresh(&self, now: UnixTime) -> bool {
        self.signs.confirmation.is_fresh(now, &*self.settings.clock) && !self.has_forgotten_too_much(now)
    }

    fn has_forgotten_too_much(&self, now: UnixTime) -> bool {
        now.as_secs().saturating_add(CORRECTION) < self.signs.forgotten_by.load(Ordering::Acquire)
    }

    /// By which time entries can go, noted.
    fn forget_by(&self) -> UnixTime {
        let now = self.trusted_now();
        self.signs.forgotten_by.fetch_max(now.as_secs(), Ordering::AcqRel);
        now
    }

    fn age(&self, now: UnixTime) -> Option<Duration> {
        self.signs.confirmation.age(now, &*self.settings.clock)
    }

    fn trusted_now(&self) -> UnixTime {
        let (now, uptime) = (self.settings.clock.now(), self.settings.clock.uptime());
        self.forgetting.lock().unwrap_or_else(PoisonError::into_inner).now(now, uptime)
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
