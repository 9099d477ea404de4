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
    pub(super) fn take(&self) -> (Taken<'_>, u64) {
        let mut kept = self.lock();
        let last = mem::take(&mut kept.last);
        let taken = last.into_iter().map(|(id, last_use)| ApiTokenUse::new(id, last_use)).collect();
        (Taken { uses: self, taken }, mem::take(&mut kept.lost))
    }

    /// Takes back what could not be recorded, unless there is a later use.
    fn take_back(&self, taken: Vec<ApiTokenUse>) {
        let mut kept = self.lock();
        for ApiTokenUse { id, last_use } in taken {
            if kept.last.contains_key(&id) {
                continue;
            }
            if kept.last.len() < MOST {
                kept.last.insert(id, last_use);
            } else {
                kept.lost += 1;
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

/// Uses that are being recorded. They are taken back when this is dropped, unless the store has them: also if no one waits for the statement any more.
pub(super) struct Taken<'a> {
    uses: &'a Uses,
    taken: Vec<ApiTokenUse>,
}

impl Taken<'_> {
    pub(super) fn as_slice(&self) -> &[ApiTokenUse] {
        &self.taken
    }

    /// Says that the store has them. Returns how many they are.
    pub(super) fn recorded(mut self) -> usize {
        mem::take(&mut self.taken).len()
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.uses.take_back(mem::take(&mut self.taken));
    }
}

impl fmt::Debug for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uses").field("tokens", &self.lock().last.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refresh::Millis;

    #[test]
    fn what_does_not_fit_when_it_is_taken_back_is_counted() {
        let uses = Uses::default();
        let note = |number: usize, at| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            uses.note(ApiTokenId::from_bytes(bytes), LastUse::new(Millis::new(at), None));
        };
        for number in 0..MOST {
            note(number, 1);
        }
        let (taken, lost) = uses.take();
        assert_eq!((taken.as_slice().len(), lost), (MOST, 0));
        note(0, 2); // one of them again, and two others
        note(MOST, 2);
        note(MOST + 1, 2);
        drop(taken);
        let (taken, lost) = uses.take();
        assert_eq!((taken.recorded(), lost), (MOST, 2));
        assert_eq!(uses.take().1, 0);
    }
}
