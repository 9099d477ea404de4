//! What is revoked, level by level.

use std::time::Duration;

use super::{
    few::Few,
    id_hash::{IdHasher, IssuerTag},
    shards::{NoBound, Shards, UpTo},
};
use crate::{
    Facts, UnixTime,
    revocation::{Level, RevocationEntry},
};

/// An entry that ends so much earlier does as well: it is remembered for ten minutes longer than tokens live.
const NEARLY: Duration = Duration::from_secs(60);

/// All entries that this process has.
pub(super) struct Ladder {
    hasher: IdHasher,
    tokens: Shards<NoBound>,
    sessions: Shards<NoBound>,
    subjects: Shards<UpTo>,
    versions: Shards<UpTo>,
    clients: Shards<UpTo>,
    few: Few,
}

impl Ladder {
    pub(super) fn new() -> Self {
        Self {
            hasher: IdHasher::new(),
            tokens: Shards::new(),
            sessions: Shards::new(),
            subjects: Shards::new(),
            versions: Shards::new(),
            clients: Shards::new(),
            few: Few::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        let Self { tokens, sessions, subjects, versions, clients, few, .. } = self;
        tokens.len() + sessions.len() + subjects.len() + versions.len() + clients.len() + few.len()
    }

    pub(super) fn few(&self) -> &Few {
        &self.few
    }

    /// The least version of a subject's tokens that is not revoked.
    pub(super) fn current_version(&self, issuer: &str, subject: &str) -> Option<u64> {
        self.versions.find(self.hasher.id(Level::Version, self.hasher.issuer(issuer), subject))
    }

    /// Up the ladder, the commonest rung first.
    pub(super) fn find(&self, facts: &Facts) -> Option<Level> {
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

    /// Takes an entry in. Whether that revokes any token more.
    pub(super) fn merge(&self, entry: &RevocationEntry, now: UnixTime, horizon: Duration) -> bool {
        let (revocation, until) = (entry.revocation(), entry.until());
        let level = revocation.level();
        if until <= now && level != Level::Key {
            return false;
        }
        // Remembered by our horizon, too: whoever wrote it may serve tokens that live shorter than those that we let in.
        let until =
            if level == Level::Token { until } else { until.max(now.plus(horizon).plus(RevocationEntry::MARGIN)) };
        if matches!(level, Level::Key | Level::Issuer) {
            return self.few.merge(revocation, if level == Level::Key { entry.until() } else { until });
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

    /// Whether that entry is here, remembered for at least nearly as long.
    pub(super) fn has(&self, entry: &RevocationEntry) -> bool {
        let (revocation, bound) = (entry.revocation(), entry.revocation().bound());
        let until = entry.until().minus(NEARLY);
        let id = || self.hasher.id(revocation.level(), self.hasher.issuer(revocation.of_issuer()), revocation.id());
        match revocation.level() {
            Level::Token => self.tokens.has(id(), bound, until),
            Level::Session => self.sessions.has(id(), bound, until),
            Level::Subject => self.subjects.has(id(), bound, until),
            Level::Version => self.versions.has(id(), bound, until),
            Level::Client => self.clients.has(id(), bound, until),
            Level::Key | Level::Issuer => self.few.has(revocation, until),
        }
    }

    /// Forgets, in one part of each level, what needs no remembering at `now`. `turn` says in which: each has its turn.
    pub(super) fn forget(&self, turn: usize, now: UnixTime) {
        self.tokens.forget(turn, now);
        self.sessions.forget(turn, now);
        self.subjects.forget(turn, now);
        self.versions.forget(turn, now);
        self.clients.forget(turn, now);
        if turn.is_multiple_of(Self::TURNS) {
            self.few.forget(now);
        }
    }

    /// How many turns it takes to forget everywhere.
    pub(super) const TURNS: usize = Shards::<NoBound>::TURNS;
}
