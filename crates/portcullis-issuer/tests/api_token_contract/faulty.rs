//! [`Faulty`]: a store of API tokens with a fault, and what it does wrong.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
};

use super::fault::Fault;
use portcullis_issuer::{
    StoreError,
    api_tokens::{ApiTokenDigest, ApiTokenId, ApiTokenKind, ApiTokenRow, ApiTokenUse, FoundApiToken, Owner},
    refresh::Millis,
};

/// An instance of the store, with a fault or without.
#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) fault: Option<Fault>,
    shared: Arc<Mutex<Shared>>,
    /// What it has read.
    pub(crate) seen: Mutex<HashMap<ApiTokenDigest, Option<FoundApiToken>>>,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// In the order in which they were added.
    pub(crate) rows: Vec<ApiTokenRow>,
    pub(crate) unreadable: HashSet<ApiTokenId>,
    pub(crate) first_ends: HashMap<ApiTokenId, Option<Millis>>,
    pub(crate) offsets: HashMap<ApiTokenId, usize>,
    pub(crate) first_ancestors: HashMap<ApiTokenId, Vec<ApiTokenRow>>,
    pub(crate) old_digests: HashMap<ApiTokenDigest, ApiTokenId>,
    pub(crate) refused: Vec<ApiTokenRow>,
    pub(crate) forgotten: Vec<ApiTokenRow>,
    /// What was there before the last change.
    before: Vec<ApiTokenRow>,
    is_cut_off: bool,
}

impl Shared {
    pub(crate) fn row(&self, id: ApiTokenId) -> Option<&ApiTokenRow> {
        self.rows.iter().find(|row| row.id == id)
    }

    fn of_digest(&self, digest: &ApiTokenDigest) -> Option<&ApiTokenRow> {
        self.rows.iter().find(|row| row.digest == *digest)
    }

    fn put(&mut self, row: ApiTokenRow) {
        match self.rows.iter_mut().find(|before| before.id == row.id) {
            Some(before) => *before = row,
            None => self.rows.push(row),
        }
    }
}

impl Faulty {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { fault, shared: Arc::default(), seen: Mutex::default() }
    }

    pub(crate) fn instance(&self) -> Self {
        Self { fault: self.fault, shared: Arc::clone(&self.shared), seen: Mutex::default() }
    }

    pub(crate) fn make_unreadable(&self, id: ApiTokenId) {
        self.shared().unreadable.insert(id);
    }

    pub(crate) fn crash(&self) {
        let mut shared = self.shared();
        match self.fault {
            Some(Fault::ForgetsInACrash) => shared.rows = std::mem::take(&mut shared.before),
            Some(Fault::ForgetsUsesInACrash) => shared.rows.iter_mut().for_each(|row| row.last_used = None),
            Some(Fault::BringsBackInACrash) => {
                let forgotten = shared.forgotten.clone();
                shared.rows.extend(forgotten);
            }
            _ => {}
        }
    }

    pub(crate) fn cut_off(&self, is_cut_off: bool) {
        self.shared().is_cut_off = is_cut_off;
        if self.has(Fault::ForgetsInAnOutage) {
            self.shared().rows.clear();
        }
    }

    pub(crate) fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Fails while the store is cut off; `Ok(false)` if it answers all the same.
    pub(crate) fn reach(&self, answers: &[Fault]) -> Result<bool, StoreError> {
        let is_answered = answers.iter().any(|fault| self.has(*fault));
        match self.shared().is_cut_off {
            false => Ok(true),
            true if is_answered => Ok(false),
            true => Err(StoreError::new("cut off")),
        }
    }

    /// Returns a row as it is kept.
    pub(crate) fn kept(&self, row: &ApiTokenRow) -> Result<ApiTokenRow, StoreError> {
        let mut kept = row.clone();
        if !self.has(Fault::AnyRow) {
            row.checked()?;
        }
        match self.fault {
            Some(Fault::Trims) => row.name.trim().clone_into(&mut kept.name),
            Some(Fault::EndsAtNul) => row.name.split('\0').next().unwrap().clone_into(&mut kept.name),
            Some(Fault::Cuts) => kept.name = row.name.chars().take(9_999).collect(),
            Some(Fault::Composes) => kept.name = row.name.replace("i\u{301}", "\u{ed}"),
            Some(Fault::VersionOf53Bits) if row.version == (1 << 53) + 1 => kept.version -= 1,
            Some(Fault::RoundsTimes) => kept.created_at = Millis::new(row.created_at.get() / 1000 * 1000),
            _ => {}
        }
        Ok(kept)
    }

    pub(crate) fn is_free(&self, shared: &Shared, row: &ApiTokenRow) -> bool {
        let has_digest = shared.of_digest(&row.digest).is_some() && !self.has(Fault::SameDigest);
        let had_digest = self.has(Fault::KeepsForgottenDigest)
            && shared.forgotten.iter().any(|forgotten| forgotten.digest == row.digest);
        let is_over_unreadable = self.has(Fault::InsertsOverUnreadable) && shared.unreadable.contains(&row.id);
        let has_id = shared.row(row.id).is_some() && !self.has(Fault::SameId) && !is_over_unreadable;
        !has_id && !has_digest && !had_digest
    }

    pub(crate) fn add(&self, shared: &mut Shared, row: ApiTokenRow) {
        if self.has(Fault::ForgetsInACrash) {
            shared.before.clone_from(&shared.rows);
        }
        let ancestors = row.path.iter().filter_map(|id| shared.row(*id)).cloned().collect();
        shared.first_ancestors.insert(row.id, ancestors);
        shared.first_ends.insert(row.id, row.ends_at());
        shared.put(row);
    }

    pub(crate) fn unreadable() -> StoreError {
        StoreError::new("a later version wrote it")
    }

    /// Returns the ids of the ancestors of which the rows are returned.
    pub(crate) fn ancestors(&self, shared: &Shared, row: &ApiTokenRow) -> Vec<ApiTokenId> {
        let mut ids = row.path.clone();
        match self.fault {
            Some(Fault::NoAncestors) => ids.clear(),
            Some(Fault::SortsAncestors) => ids.sort_unstable(),
            Some(Fault::AncestorsOfAncestors) => {
                let above = row.path.iter().filter_map(|id| shared.row(*id)).flat_map(|row| row.path.clone());
                ids = above.chain(row.path.clone()).collect();
            }
            _ => {}
        }
        ids
    }

    /// Whether the row may be written over that of its id.
    fn is_next(&self, before: Option<&ApiTokenRow>, row: &ApiTokenRow) -> bool {
        let Some(before) = before else { return self.has(Fault::ChangesNothing) };
        let is_version = match self.fault {
            Some(Fault::IgnoresVersion) => true,
            Some(Fault::TakesLaterVersion) => before.version < row.version,
            _ => before.version + 1 == row.version,
        };
        let is_owner = before.owner == row.owner || self.has(Fault::MovesOwner);
        let is_path = before.path == row.path || self.has(Fault::MovesPath);
        is_version && is_owner && is_path
    }

    pub(crate) fn write_over(&self, shared: &mut Shared, mut row: ApiTokenRow) {
        if self.has(Fault::ForgetsInACrash) {
            shared.before.clone_from(&shared.rows);
        }
        if let Some(before) = shared.row(row.id).cloned() {
            match self.fault {
                Some(Fault::ReplacesUse) => {}
                Some(Fault::ForgetsUse) => row.last_used = None,
                _ => row.last_used = before.last_used,
            }
            if self.has(Fault::KeepsDigest) {
                row.digest = before.digest;
            }
            if before.digest != row.digest {
                shared.old_digests.insert(before.digest, row.id);
            }
        }
        shared.put(row);
    }

    pub(crate) fn by_digest(&self, digest: &ApiTokenDigest) -> Option<ApiTokenRow> {
        let shared = self.shared();
        let old = shared.old_digests.get(digest).filter(|_| self.has(Fault::KeepsOldDigest));
        let refused = shared.refused.iter().find(|row| row.digest == *digest && self.has(Fault::FindsRefused));
        shared.of_digest(digest).or_else(|| shared.row(*old?)).or(refused).cloned()
    }

    /// Whether the row may be written, and whether its successor may be added.
    pub(crate) fn may(&self, row: &ApiTokenRow, successor: Option<&ApiTokenRow>) -> (bool, bool) {
        let shared = self.shared();
        let holder = shared.of_digest(&row.digest).map(|holder| holder.id);
        let is_its_own = holder.is_none_or(|id| id == row.id) || self.has(Fault::TakesDigest);
        let is_free = successor.is_none_or(|next| {
            let has_id = shared.row(next.id).is_some() && !self.has(Fault::SuccessorReplaces);
            let has_digest = shared.of_digest(&next.digest).is_some() && !self.has(Fault::SuccessorSharesDigest);
            !has_id && !has_digest
        });
        (self.is_next(shared.row(row.id), row) && is_its_own, is_free)
    }

    pub(crate) fn use_one(&self, shared: &mut Shared, used: &ApiTokenUse) -> bool {
        let Some(row) = shared.rows.iter_mut().find(|row| row.id == used.id) else {
            if self.has(Fault::UseMakesRow) {
                let digest = ApiTokenDigest::from_bytes([9; 32]);
                shared.rows.push(ApiTokenRow::new(used.id, digest, ApiTokenKind::Imported, Owner::user("")));
            }
            return false;
        };
        if self.has(Fault::UseOfLive) && row.revoked.is_some() {
            return true;
        }
        let known = row.last_used.as_ref().map(|known| known.at);
        let is_later = match self.fault {
            Some(Fault::LastUseWins) => true,
            Some(Fault::FirstUseWins) => known.is_none(),
            Some(Fault::SameUseWins) => known.is_none_or(|known| known <= used.last_use.at),
            _ => known.is_none_or(|known| known < used.last_use.at),
        };
        if is_later {
            let before = row.last_used.replace(used.last_use.clone());
            if self.has(Fault::KeepsSource) && used.last_use.source.is_none() {
                row.last_used.as_mut().unwrap().source = before.and_then(|before| before.source);
            }
            row.version += u64::from(self.has(Fault::UseIsAChange));
        }
        true
    }

    pub(crate) fn is_over(&self, row: &ApiTokenRow, before: Millis) -> bool {
        let over = match self.fault {
            Some(Fault::KeepsRevoked) => row.ends_at(),
            Some(Fault::KeepsSuperseded) => {
                row.until.into_iter().chain(row.revoked.as_ref().map(|revoked| revoked.at)).min()
            }
            Some(Fault::ForgetsAllRevoked) if row.revoked.is_some() => return true,
            Some(Fault::ForgetsEndless) if row.over_at().is_none() => return true,
            _ => row.over_at(),
        };
        over.is_some_and(|over| over < before || self.has(Fault::ForgetsAtInstant) && over == before)
    }
}
