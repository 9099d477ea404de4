//! [`Ladder`]: all revocations, by level.

use std::time::Duration;

use super::{
    changes::News,
    few::Few,
    id_hash::{IdHash, IdHasher, IssuerTag, Mark},
    shards::{NoBound, Shards, UpTo},
};
use crate::{
    UnixTime,
    revocation::{Level, Levels, Revocation, RevocationEntry},
    verified::Facts,
};

/// The level under which a subject's id is hashed: cut-offs and versions are stored separately, and one hash serves for both.
const SUBJECT: Level = Level::Subject;

/// The id of an issuer's mark, whatever its entry says.
const NO_ID: &str = "";

/// All entries that this process knows.
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

    /// Returns the lowest version of a subject's tokens that is not revoked.
    pub(super) fn current_version(&self, issuer: &str, subject: &str) -> Option<u64> {
        self.versions.find(self.hasher.id(SUBJECT, self.hasher.issuer(issuer), subject))
    }

    /// Returns the levels on which changes may hit a token: those that have changed, or none if no id of the token has changed there.
    ///
    /// An entry's mark is made of its level, its issuer and its id; this covers all marks of entries that [`find`](Self::find) could
    /// find.
    pub(super) fn levels_to_ask(&self, facts: &Facts, news: &News<'_>) -> Levels {
        let rungs = facts.rungs();
        let levels = news.levels().and(rungs.levels());
        if levels == Levels::NONE || !news.is_marked() {
            return levels;
        }
        let issuer = self.hasher.issuer(facts.issuer());
        let id = |level| match level {
            Level::Token => facts.token_id(),
            Level::Session => facts.session_id(),
            Level::Subject | Level::Version => facts.subject(),
            Level::Client => facts.client_id(),
            Level::Key => facts.key_id(),
            Level::Issuer => Some(NO_ID),
        };
        let may_name = |level, id: &str| news.may_name(self.hasher.mark(level, issuer, id));
        let may_be_hit = |level| id(level).is_some_and(|id| may_name(level, id));
        if levels.has(Level::Token) && rungs.ancestor_ids().iter().any(|id| may_name(Level::Token, id)) {
            return levels;
        }
        let mut changed = Level::ALL.into_iter().filter(|level| levels.has(*level));
        if changed.any(may_be_hit) { levels } else { Levels::NONE }
    }

    /// Searches the levels in order of frequency; only those of `levels` that apply to this credential. Nothing is hashed for a level
    /// without entries.
    pub(super) fn find(&self, facts: &Facts, levels: Levels) -> Option<Level> {
        let rungs = facts.rungs();
        let levels = self.in_use(levels.and(rungs.levels()));
        if levels == Levels::NONE {
            return None;
        }
        let issuer = self.hasher.issuer(facts.issuer());
        if levels.has(Level::Key) || levels.has(Level::Issuer) {
            let is_perhaps_there =
                self.few.may_have(issuer, facts.key_id().map(|key| self.hasher.mark(Level::Key, issuer, key)));
            let found = || self.few.find(facts.issuer(), facts.issued_at(), facts.key_id());
            if let Some(level) = is_perhaps_there.then(found).flatten() {
                return Some(level);
            }
        }
        let hash = |level, id: &str| self.hasher.id(level, issuer, id);
        if levels.has(Level::Token) {
            let mut ids = facts.token_id().into_iter().chain(rungs.ancestor_ids().iter().map(|id| &**id));
            if ids.any(|id| self.tokens.find(hash(Level::Token, id)).is_some()) {
                return Some(Level::Token);
            }
        }
        if levels.has(Level::Session)
            && facts.session_id().is_some_and(|id| self.sessions.find(hash(Level::Session, id)).is_some())
        {
            return Some(Level::Session);
        }
        self.find_subject_or_client(facts, levels, issuer)
    }

    /// Whether a credential that is revoked as a token is so by one from which it was derived, and not by its own id.
    pub(super) fn ends_by_an_ancestor(&self, facts: &Facts) -> bool {
        let issuer = self.hasher.issuer(facts.issuer());
        let has_own = |id| self.tokens.find(self.hasher.id(Level::Token, issuer, id)).is_some();
        !facts.rungs().ancestor_ids().is_empty() && !facts.token_id().is_some_and(has_own)
    }

    fn find_subject_or_client(&self, facts: &Facts, levels: Levels, issuer: IssuerTag) -> Option<Level> {
        let issued_at = facts.issued_at();
        let is_before = |cut_off: u64| issued_at.is_none_or(|issued_at| issued_at.as_secs() <= cut_off);
        if (levels.has(Level::Subject) || levels.has(Level::Version))
            && let Some(subject) = facts.subject()
        {
            let id = self.hasher.id(SUBJECT, issuer, subject);
            if levels.has(Level::Subject) && self.subjects.find(id).is_some_and(is_before) {
                return Some(Level::Subject);
            }
            let is_outdated = |current: u64| facts.version().is_none_or(|version| version < current);
            if levels.has(Level::Version) && self.versions.find(id).is_some_and(is_outdated) {
                return Some(Level::Version);
            }
        }
        let client = facts.client_id().filter(|_| levels.has(Level::Client))?;
        let found = self.clients.find(self.hasher.id(Level::Client, issuer, client));
        found.filter(|cut_off| is_before(*cut_off)).map(|_| Level::Client)
    }

    /// Returns those of the levels that have entries.
    fn in_use(&self, levels: Levels) -> Levels {
        let is_empty = |level| match level {
            Level::Token => self.tokens.is_empty(),
            Level::Session => self.sessions.is_empty(),
            Level::Subject => self.subjects.is_empty(),
            Level::Version => self.versions.is_empty(),
            Level::Client => self.clients.is_empty(),
            Level::Key | Level::Issuer => self.few.len() == 0,
        };
        levels.without(is_empty)
    }

    /// Merges an entry. Returns its mark if it revokes another token.
    pub(super) fn merge(&self, entry: &RevocationEntry, now: UnixTime, horizon: Duration) -> Option<Mark> {
        let (revocation, until) = (entry.revocation(), entry.until());
        let (level, bound) = (revocation.level(), revocation.bound());
        if until <= now && level != Level::Key {
            return None;
        }
        // Also remembered for our own horizon: the writer may accept only tokens that live shorter than ours.
        let at_least = now.plus(horizon).plus(RevocationEntry::MARGIN);
        let issuer = self.hasher.issuer(revocation.of_issuer());
        let id = if level == Level::Issuer { NO_ID } else { revocation.id() };
        let mark = self.hasher.mark(level, issuer, id);
        let id = || self.id(revocation, issuer);
        let revokes_more = match level {
            Level::Token => self.tokens.merge(id(), bound, until),
            Level::Session => self.sessions.merge(id(), bound, until.max(at_least)),
            Level::Subject => self.subjects.merge(id(), bound, until.max(at_least)),
            Level::Version => self.versions.merge(id(), bound, until.max(at_least)),
            Level::Client => self.clients.merge(id(), bound, until.max(at_least)),
            Level::Key => {
                self.few.will_have(issuer, Some(mark));
                self.few.merge(revocation, until)
            }
            Level::Issuer => {
                self.few.will_have(issuer, None);
                self.few.merge(revocation, until.max(at_least))
            }
        };
        revokes_more.then_some(mark)
    }

    fn id(&self, revocation: &Revocation, issuer: IssuerTag) -> IdHash {
        let level = if revocation.level() == Level::Version { SUBJECT } else { revocation.level() };
        self.hasher.id(level, issuer, revocation.id())
    }

    /// Forgets expired entries in one part of each level at `now`. `turn` selects the part.
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
