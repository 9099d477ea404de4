//! [`Row`]: one trusted issuer in a table.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::age::Age;
use crate::{ConfigError, TrustedIssuer, UnixTime, keys::KeySource, policy::Policy};

/// One trusted issuer: its policy, its keys, and the number for its cached tokens.
pub(crate) struct Row {
    pub(crate) policy: Policy,
    pub(crate) keys: Arc<dyn KeySource>,
    id: IssuerId,
    /// The number of issuers that had been learned when it last verified a token; zero if it never did. This is enough to find the issuer that
    /// was used least recently.
    used: AtomicU64,
    /// The age of the resolver's answer, if the issuer was learned.
    age: Option<Age>,
}

/// An issuer that may get a row. Its key source is the application's, and may be slow or use the list itself. It is therefore asked for its
/// problem before a table is changed.
pub(super) struct Candidate {
    policy: Policy,
    keys: Arc<dyn KeySource>,
}

impl Candidate {
    pub(super) fn of(issuer: TrustedIssuer) -> Self {
        let (policy, keys) = issuer.into_parts();
        Self { policy, keys }
    }

    /// # Errors
    ///
    /// Returns an error if the configuration cannot be used.
    pub(super) fn checked(issuer: TrustedIssuer) -> Result<Self, ConfigError> {
        let candidate = Self::of(issuer);
        ConfigError::check(candidate.problems()).map(|()| candidate)
    }

    /// Returns the problems of the issuer's configuration, each as a sentence.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.policy.problems().collect();
        let found = self.keys.problem().or_else(|| self.policy.problem_with_keys(self.keys.algorithms()));
        problems.extend(found.map(|problem| format!("issuer {}: {problem}", self.policy.label())));
        problems
    }
}

impl Row {
    /// `learned_at` is the time of the resolver's answer; `None` for an issuer on the list.
    pub(super) fn new(candidate: Candidate, id: IssuerId, learned_at: Option<UnixTime>) -> Self {
        let Candidate { policy, keys } = candidate;
        Self { policy, keys, id, used: AtomicU64::new(0), age: learned_at.map(Age::new) }
    }

    /// Whether the resolver should be asked about the issuer again.
    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        self.age.as_ref().is_some_and(|age| age.is_due(now))
    }

    /// Whether the caller should ask the resolver about the issuer again. Only one caller gets `true` within some seconds.
    pub(super) fn take_question(&self, now: UnixTime) -> bool {
        self.age.as_ref().is_some_and(|age| age.take_question(now))
    }

    /// Whether the resolver's answer is too old to be used.
    pub(crate) fn is_over(&self, now: UnixTime) -> bool {
        self.age.as_ref().is_some_and(|age| age.is_over(now))
    }

    /// Takes over the last use of the row that it replaces.
    pub(super) fn inherit_use(&self, before: &Self) {
        self.used.fetch_max(before.used.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// Whether the issuer is on trial, because it has not verified a token yet. An invented name that the rule allows can get this far.
    pub(super) fn is_on_trial(&self) -> bool {
        self.used.load(Ordering::Relaxed) == 0
    }

    /// Notes that the issuer has verified a token. `number` is the latest number of the table.
    pub(super) fn mark_used(&self, number: u64) {
        // Read first: a write would invalidate the cache line of other processors.
        if self.used.load(Ordering::Relaxed) != number {
            self.used.store(number, Ordering::Relaxed);
        }
    }

    /// Returns the last use of the issuer, for comparison: a smaller value is longer ago.
    pub(super) fn last_used(&self) -> (u64, u64) {
        (self.used.load(Ordering::Relaxed), self.id.number())
    }

    pub(crate) fn name(&self) -> &str {
        self.policy.issuer()
    }

    pub(crate) fn id(&self) -> IssuerId {
        self.id
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("policy", &self.policy).field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// The issuer of a cached token: a table, a place in it, and a number that is never used again for that place.
///
/// All are packed into one number, which is the content of [`Edition::part`](crate::authenticator::Edition::part).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IssuerId(u64);

impl IssuerId {
    const PLACE_BITS: u32 = 23;

    /// The bit for the table of learned issuers.
    const LEARNED: u64 = 1 << Self::PLACE_BITS;

    /// How many places a table can have: eight million.
    pub(super) const PLACES: usize = 1 << Self::PLACE_BITS;

    /// The 40 bits of `number` last for 35 years at a thousand changes a second.
    pub(super) const fn new(is_learned: bool, place: usize, number: u64) -> Self {
        let table = if is_learned { Self::LEARNED } else { 0 };
        Self(number << (Self::PLACE_BITS + 1) | table | place as u64)
    }

    pub(super) const fn is_learned(self) -> bool {
        self.0 & Self::LEARNED != 0
    }

    const fn number(self) -> u64 {
        self.0 >> (Self::PLACE_BITS + 1)
    }

    pub(crate) const fn from_packed(packed: u64) -> Self {
        Self(packed)
    }

    pub(crate) const fn packed(self) -> u64 {
        self.0
    }

    #[expect(clippy::cast_possible_truncation, reason = "23 bits fit into any usize")]
    pub(super) const fn place(self) -> usize {
        (self.0 & (Self::PLACES as u64 - 1)) as usize
    }
}
