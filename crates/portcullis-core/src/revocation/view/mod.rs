//! What is revoked, as far as this process knows, and how sure that is.

mod builder;
mod few;
mod id_hash;
mod shards;
mod trusted_time;

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use self::builder::RevocationViewBuilder;
use self::{
    few::Few,
    id_hash::{IdHasher, IssuerTag},
    shards::{NoBound, Shards, UpTo},
    trusted_time::TrustedTime,
};
use super::{Level, LongLived, Revocation, RevocationEntry, WhenStale};
use crate::{AuthError, Clock, Code, Facts, UnixTime};

/// The revocations that this process knows: what every request is checked against, without waiting.
///
/// Cheap to clone; clones are one view. Whoever follows the log [merges](Self::merge) its entries, and
/// [confirms](Self::confirm) the view whenever the log has nothing newer. (`Revocations` of the crate `portcullis-store` does both.)
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::{Code, Revocation, RevocationView};
/// use portcullis_test::{FixedClock, MockIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = FixedClock::default();
/// let issuer = MockIssuer::new().clock(clock.clone());
/// let view = RevocationView::builder(Duration::from_secs(86_400)).clock(clock).build();
/// view.confirm(view.uptime()); // the log was read to its end
/// let authenticator = issuer.authenticator().revocations(&view);
///
/// let token = issuer.token().claim("sid", "s-1").sign();
/// assert!(authenticator.verify(&token).outcome().await.is_ok());
///
/// view.merge(&[view.entry(&Revocation::session(issuer.name(), "s-1"))]);
/// let refused = authenticator.verify(&token).outcome().await.unwrap_err();
/// assert_eq!(refused.code(), Code::TokenRevoked);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RevocationView(Arc<Inner>);

struct Inner {
    hasher: IdHasher,
    tokens: Shards<NoBound>,
    sessions: Shards<NoBound>,
    subjects: Shards<UpTo>,
    versions: Shards<UpTo>,
    clients: Shards<UpTo>,
    few: Few,
    /// Moves on whenever a token more is revoked: what was found live at this number is so still. Begins at 1.
    epoch: AtomicU64,
    confirmation: Confirmation,
    settings: RevocationViewBuilder,
    forgetting: Mutex<TrustedTime>,
    turn: AtomicUsize,
    served_stale: AtomicU64,
}

/// Until when the view counts as fresh, on both clocks: the uptime stands still while a virtual machine is suspended, and the
/// calendar can be set.
#[derive(Default)]
struct Confirmation {
    /// In milliseconds of uptime; zero before the first confirmation.
    fresh_until: AtomicU64,
    /// In seconds since 1970.
    fresh_until_time: AtomicU64,
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
            hasher: IdHasher::new(),
            tokens: Shards::new(),
            sessions: Shards::new(),
            subjects: Shards::new(),
            versions: Shards::new(),
            clients: Shards::new(),
            few: Few::default(),
            epoch: AtomicU64::new(1),
            confirmation: Confirmation::default(),
            settings,
            forgetting: Mutex::new(TrustedTime::new(now, uptime)),
            turn: AtomicUsize::new(0),
            served_stale: AtomicU64::new(0),
        }))
    }

    /// What this view says of a token, if the calendar shows `now`.
    pub fn check(&self, facts: &Facts, now: UnixTime) -> Verdict {
        if let Some(level) = self.0.find(facts) {
            return Verdict::Revoked(level);
        }
        if self.0.end_of_life(facts, now).is_none_or(|end| now >= end) {
            return Verdict::BeyondHorizon;
        }
        if self.0.is_fresh(now) { Verdict::Live } else { Verdict::Stale(self.age(now)) }
    }

    /// Takes entries in. Those that it had, or that are past remembering, change nothing. Gives how many of them revoke a token more.
    pub fn merge<'e>(&self, entries: impl IntoIterator<Item = &'e RevocationEntry>) -> usize {
        let inner = &*self.0;
        let now = inner.trusted_now();
        let changes = entries.into_iter().filter(|entry| inner.merge(entry, now)).count();
        if changes > 0 {
            // After the entries: who still sees the old number has asked before they came.
            inner.epoch.fetch_add(1, Ordering::Release);
        }
        changes
    }

    /// Says that the log had nothing newer at that [uptime](Self::uptime): when the question was **sent**, not when the answer came.
    pub fn confirm(&self, asked_at: Duration) {
        let Inner { confirmation, settings, .. } = &*self.0;
        let passed = settings.clock.uptime().saturating_sub(asked_at);
        let fresh_until = millis(asked_at.saturating_add(settings.max_staleness)).max(1);
        // A calendar in whole seconds has shown the second that is running for up to a second.
        let fresh_until_time = settings.clock.now().as_secs() + settings.max_staleness.as_secs() + 1;
        confirmation.fresh_until.fetch_max(fresh_until, Ordering::Release);
        confirmation.fresh_until_time.store(fresh_until_time.saturating_sub(passed.as_secs()), Ordering::Release);
    }

    /// Time as confirmations count it.
    pub fn uptime(&self) -> Duration {
        self.0.settings.clock.uptime()
    }

    /// What the calendar shows.
    pub fn now(&self) -> UnixTime {
        self.0.settings.clock.now()
    }

    /// The entry that a log has to keep for a revocation that is made now.
    pub fn entry(&self, revocation: &Revocation) -> RevocationEntry {
        revocation.entry(self.now(), self.horizon())
    }

    /// How long tokens may live.
    pub fn horizon(&self) -> Duration {
        self.0.settings.horizon
    }

    /// Forgets a part of what needs no remembering any more; to be called every second or so. A call takes a two hundred and fifty-sixth of all
    /// entries, so that no request waits for long.
    pub fn forget_some(&self) {
        let inner = &*self.0;
        let now = inner.trusted_now();
        let turn = inner.turn.fetch_add(1, Ordering::Relaxed);
        inner.tokens.forget(turn, now);
        inner.sessions.forget(turn, now);
        inner.subjects.forget(turn, now);
        inner.versions.forget(turn, now);
        inner.clients.forget(turn, now);
        if turn.is_multiple_of(Shards::<NoBound>::TURNS) {
            inner.few.forget(now);
        }
    }

    /// Entries for revoked keys that the log would forget within half a horizon: to be appended anew, because keys are revoked for good.
    pub fn keys_to_renew(&self) -> Vec<RevocationEntry> {
        let (now, horizon) = (self.now(), self.horizon());
        self.0.few.keys_to_renew(now.plus(horizon / 2), now, horizon)
    }

    /// How many entries there are.
    pub fn entries(&self) -> usize {
        let Inner { tokens, sessions, subjects, versions, clients, few, .. } = &*self.0;
        tokens.len() + sessions.len() + subjects.len() + versions.len() + clients.len() + few.len()
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
        match self.age(self.now()) {
            None => ViewState::Syncing,
            Some(_) if self.0.is_fresh(self.now()) => ViewState::Fresh,
            Some(age) => ViewState::Stale { age },
        }
    }

    /// How long ago the log confirmed it; `None` if it never did.
    pub fn last_confirmed(&self) -> Option<Duration> {
        self.age(self.now())
    }

    /// By that clock on which more time has passed.
    fn age(&self, now: UnixTime) -> Option<Duration> {
        let Inner { confirmation, settings, .. } = &*self.0;
        let fresh_until = confirmation.fresh_until.load(Ordering::Acquire);
        let fresh_until_time = confirmation.fresh_until_time.load(Ordering::Acquire);
        if fresh_until == 0 {
            return None;
        }
        let confirmed_at = Duration::from_millis(fresh_until).saturating_sub(settings.max_staleness);
        let by_uptime = settings.clock.uptime().saturating_sub(confirmed_at);
        let confirmed_at = fresh_until_time.saturating_sub(settings.max_staleness.as_secs() + 1);
        let by_calendar = Duration::from_secs(now.as_secs().saturating_sub(confirmed_at + 1));
        Some(by_uptime.max(by_calendar))
    }
}

/// For the authenticator.
impl RevocationView {
    /// The verdict as an authenticator needs it.
    pub(crate) fn admit(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale) -> Result<(), AuthError> {
        let epoch = self.0.epoch.load(Ordering::Acquire); // before the check, so that a change meanwhile counts
        match self.check(facts, now) {
            Verdict::Live => {}
            Verdict::Stale(age) => self.admit_stale(age, when_stale)?,
            Verdict::Revoked(level) => {
                return Err(AuthError::new(Code::TokenRevoked).with_explanation(level.as_str()));
            }
            Verdict::BeyondHorizon => return Err(self.too_long_lived(facts)),
        }
        facts.checked_at_epoch().store(epoch, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a token that was admitted before is so again.
    pub(crate) fn admits_again(&self, facts: &Facts, now: UnixTime, when_stale: WhenStale) -> bool {
        let is_unchanged = facts.checked_at_epoch().load(Ordering::Relaxed) == self.0.epoch.load(Ordering::Acquire);
        (is_unchanged && self.0.is_fresh(now)) || self.admit(facts, now, when_stale).is_ok()
    }

    fn admit_stale(&self, age: Option<Duration>, when_stale: WhenStale) -> Result<(), AuthError> {
        let is_admitted = match when_stale {
            WhenStale::FailClosed => false,
            WhenStale::Bounded(longest) => age.is_some_and(|age| age <= longest),
            WhenStale::FailOpen => true,
        };
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

    /// When a token ends, if before its expiry: the horizon after it was issued.
    pub(crate) fn early_end(&self, facts: &Facts) -> Option<UnixTime> {
        let is_bounded = self.0.settings.long_lived == LongLived::EndAtHorizon;
        facts.issued_at().filter(|_| is_bounded).map(|issued_at| issued_at.plus(self.horizon()))
    }
}

/// A heartbeat: whoever asks then finds a view that the log has confirmed anew, or learns that it still has not.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Inner {
    /// Up the ladder, the commonest rung first.
    fn find(&self, facts: &Facts) -> Option<Level> {
        let issued_at = facts.issued_at();
        if let Some(level) = self.few.find(facts.issuer(), issued_at, facts.key_id()) {
            return Some(level);
        }
        let mut tag = None;
        let mut hash = |level, id| {
            let tag: IssuerTag = *tag.get_or_insert_with(|| self.hasher.issuer(facts.issuer()));
            self.hasher.id(level, tag, id)
        };
        let is_before = |cut_off: u64| issued_at.is_none_or(|issued_at| issued_at.as_secs() <= cut_off);
        if !self.tokens.is_empty()
            && facts.token_id().is_some_and(|id| self.tokens.find(hash(Level::Token, id)).is_some())
        {
            return Some(Level::Token);
        }
        if !self.sessions.is_empty()
            && facts.session_id().is_some_and(|id| self.sessions.find(hash(Level::Session, id)).is_some())
        {
            return Some(Level::Session);
        }
        if let Some(subject) = facts.subject() {
            if !self.subjects.is_empty() && self.subjects.find(hash(Level::Subject, subject)).is_some_and(is_before) {
                return Some(Level::Subject);
            }
            let is_outdated = |current: u64| facts.version().is_none_or(|version| version < current);
            if !self.versions.is_empty() && self.versions.find(hash(Level::Version, subject)).is_some_and(is_outdated) {
                return Some(Level::Version);
            }
        }
        if !self.clients.is_empty()
            && facts.client_id().is_some_and(|id| self.clients.find(hash(Level::Client, id)).is_some_and(is_before))
        {
            return Some(Level::Client);
        }
        None
    }

    fn merge(&self, entry: &RevocationEntry, now: UnixTime) -> bool {
        let (revocation, until) = (entry.revocation(), entry.until());
        let level = revocation.level();
        if until <= now && level != Level::Key {
            return false;
        }
        if matches!(level, Level::Key | Level::Issuer) {
            return self.few.merge(revocation, until);
        }
        let id = self.hasher.id(level, self.hasher.issuer(revocation.of_issuer()), revocation.id());
        let bound = revocation.bound();
        match level {
            Level::Token => self.tokens.merge(id, bound, until),
            Level::Session => self.sessions.merge(id, bound, until),
            Level::Subject => self.subjects.merge(id, bound, until),
            Level::Version => self.versions.merge(id, bound, until),
            Level::Client => self.clients.merge(id, bound, until),
            Level::Key | Level::Issuer => false,
        }
    }

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
        let Self { confirmation, settings, .. } = self;
        millis(settings.clock.uptime()) < confirmation.fresh_until.load(Ordering::Acquire)
            && now.as_secs() <= confirmation.fresh_until_time.load(Ordering::Acquire)
    }

    fn trusted_now(&self) -> UnixTime {
        let (now, uptime) = (self.settings.clock.now(), self.settings.clock.uptime());
        self.forgetting.lock().unwrap_or_else(PoisonError::into_inner).now(now, uptime)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
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
