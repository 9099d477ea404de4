//! [`MemoryRefreshStore`]: families in memory.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_core::{Clock, clock::SystemClock};

use super::{EndReason, Family, FamilyId, Millis, Opened, Outcome, RefreshStore, Step, StoreError};

/// Families in memory, for tests: all sessions end with the process. Clones share them.
#[derive(Clone)]
pub struct MemoryRefreshStore(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    families: Mutex<Families>,
}

#[derive(Default)]
struct Families {
    by_id: HashMap<FamilyId, Family>,
    by_subject: HashMap<String, HashSet<FamilyId>>,
}

impl MemoryRefreshStore {
    /// Returns an empty store with the system's clock.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// Returns an empty store with this clock.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self(Arc::new(Shared { clock: Arc::new(clock), families: Mutex::default() }))
    }

    /// Returns a copy of all families as they are now, for [`restore`](Self::restore) and for tests of what a store has.
    pub fn dump(&self) -> Vec<Family> {
        self.families().by_id.values().cloned().collect()
    }

    /// Replaces all families, as restoring a backup does.
    pub fn restore(&self, families: impl IntoIterator<Item = Family>) {
        let mut restored = Families::default();
        families.into_iter().for_each(|family| restored.insert(family));
        *self.families() = restored;
    }

    fn families(&self) -> MutexGuard<'_, Families> {
        self.0.families.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn time(&self) -> Millis {
        self.0.clock.precise_now().into()
    }
}

impl Default for MemoryRefreshStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Families {
    fn insert(&mut self, family: Family) {
        self.by_subject.entry(family.log_in.subject.clone()).or_default().insert(family.id);
        self.by_id.insert(family.id, family);
    }

    fn live_of<'f>(&'f self, subject: &str, now: Millis) -> impl Iterator<Item = &'f Family> {
        let ids = self.by_subject.get(subject).into_iter().flatten();
        let families = ids.filter_map(|id| self.by_id.get(id));
        families.filter(move |family| family.is_live(now))
    }
}

impl RefreshStore for MemoryRefreshStore {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.time())
    }

    async fn open(&self, family: Family) -> Result<Opened, StoreError> {
        let mut families = self.families();
        if families.by_id.contains_key(&family.id) {
            return Ok(Opened::Exists);
        }
        families.insert(family);
        Ok(Opened::New)
    }

    async fn find(&self, family: FamilyId) -> Result<(Option<Family>, Millis), StoreError> {
        Ok((self.families().by_id.get(&family).cloned(), self.time()))
    }

    async fn rotate(&self, step: Step<'_>) -> Result<Outcome, StoreError> {
        let mut families = self.families();
        // Read while the lock is held, so that ages are never negative.
        let (outcome, write) = step.decide(families.by_id.get(&step.family), self.time());
        if let Some(family) = write {
            families.by_id.insert(family.id, family);
        }
        Ok(outcome)
    }

    async fn end(&self, family: FamilyId, reason: EndReason) -> Result<(), StoreError> {
        if let Some(family) = self.families().by_id.get_mut(&family) {
            family.end(reason);
        }
        Ok(())
    }

    async fn end_all_of(
        &self,
        subject: &str,
        except: Option<FamilyId>,
        reason: EndReason,
    ) -> Result<Vec<FamilyId>, StoreError> {
        let mut families = self.families();
        let live = families.live_of(subject, self.time()).map(|family| family.id);
        let ended = live.filter(|id| Some(*id) != except).collect();
        let all: Vec<_> = families.by_subject.get(subject).into_iter().flatten().copied().collect();
        for id in all.into_iter().filter(|id| Some(*id) != except) {
            if let Some(family) = families.by_id.get_mut(&id) {
                family.end(reason);
            }
        }
        Ok(ended)
    }

    async fn families_of(&self, subject: &str) -> Result<Vec<Family>, StoreError> {
        let families = self.families();
        Ok(families.live_of(subject, self.time()).cloned().collect())
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        let before = before.min(self.time());
        let mut families = self.families();
        let over: Vec<_> =
            families.by_id.extract_if(|_, family| family.ends_at() < before).map(|(_, over)| over).collect();
        for family in &over {
            let subject = &family.log_in.subject;
            if let Some(ids) = families.by_subject.get_mut(subject) {
                ids.remove(&family.id);
                if ids.is_empty() {
                    families.by_subject.remove(subject);
                }
            }
        }
        Ok(over.len())
    }
}

/// Shows how many families there are.
impl fmt::Debug for MemoryRefreshStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryRefreshStore").field("families", &self.families().by_id.len()).finish_non_exhaustive()
    }
}
