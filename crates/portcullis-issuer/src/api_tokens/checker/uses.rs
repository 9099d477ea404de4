//! [`Uses`]: when tokens were used, until the store knows.

use std::{
    collections::{HashMap, HashSet},
    fmt, mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::api_tokens::{ApiTokenId, ApiTokenUse, LastUse};

/// The last use of each token since the last statement, in memory: recording a use never waits for the store.
#[derive(Default)]
pub(super) struct Uses(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    last: HashMap<ApiTokenId, LastUse>,
    lost: u64,
    /// The tokens of which it was told that they were used after their successor.
    told: HashSet<ApiTokenId>,
}

/// How many tokens are remembered between two statements: about 10 MB.
const MOST: usize = 100_000;

const MOST_TOLD: usize = 1_024;

impl Uses {
    pub(super) fn note(&self, id: ApiTokenId, last_use: LastUse) {
        let mut kept = self.lock();
        if kept.last.len() < MOST || kept.last.contains_key(&id) {
            kept.last.insert(id, last_use);
        } else {
            kept.lost += 1;
        }
    }

    pub(super) fn has(&self, id: ApiTokenId) -> bool {
        self.lock().last.contains_key(&id)
    }

    /// Returns all that is not recorded yet, and how many uses were lost.
    pub(super) fn take(&self) -> (Vec<ApiTokenUse>, u64) {
        let mut kept = self.lock();
        let last = mem::take(&mut kept.last);
        (last.into_iter().map(|(id, last_use)| ApiTokenUse::new(id, last_use)).collect(), mem::take(&mut kept.lost))
    }

    /// Takes back what could not be recorded, unless there is a later use.
    pub(super) fn take_back(&self, uses: Vec<ApiTokenUse>) {
        let mut kept = self.lock();
        for ApiTokenUse { id, last_use } in uses {
            if kept.last.len() < MOST {
                kept.last.entry(id).or_insert(last_use);
            }
        }
    }

    /// Whether it was not told yet that this token was used after its successor.
    pub(super) fn is_news(&self, id: ApiTokenId) -> bool {
        let mut kept = self.lock();
        if kept.told.len() >= MOST_TOLD {
            kept.told.clear();
        }
        kept.told.insert(id)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uses").field("tokens", &self.lock().last.len()).finish_non_exhaustive()
    }
}
