//! A store of records with a fault.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard},
};

use portcullis_core::Clock;
use portcullis_issuer::{
    StoreError,
    records::{NewRecord, Record, RecordGroup, RecordKey, RecordStore, RecordVersion, Swapped},
    refresh::Millis,
};
use portcullis_test::FixedClock;

use super::fault::Fault;

/// A record, and the first end that it had.
type Row = (Record, Option<Millis>);

/// Kind, group and id, as the store tells them apart.
type Key = (&'static str, String, String);

/// An instance of the store, with a fault or without.
#[derive(Debug)]
pub(crate) struct Faulty {
    fault: Option<Fault>,
    clock: FixedClock,
    shared: Arc<Mutex<Shared>>,
    /// What it has read.
    seen: Mutex<HashMap<Key, Option<Record>>>,
}

#[derive(Debug, Default)]
struct Shared {
    records: HashMap<Key, Row>,
    deleted: HashMap<Key, RecordVersion>,
    unreadable: HashSet<Key>,
    /// What was there before the last change.
    before: Option<(Key, Option<Row>)>,
    changes: u64,
    forgotten: usize,
    is_cut_off: bool,
}

impl Faulty {
    pub(crate) fn new(clock: FixedClock, fault: Option<Fault>) -> Self {
        Self { fault, clock, shared: Arc::default(), seen: Mutex::default() }
    }

    pub(crate) fn instance(&self) -> Self {
        Self { fault: self.fault, clock: self.clock.clone(), shared: Arc::clone(&self.shared), seen: Mutex::default() }
    }

    pub(crate) fn make_unreadable(&self, key: &RecordKey) {
        let key = self.key(key.group(), key.id());
        self.shared().unreadable.insert(key);
    }

    pub(crate) fn crash(&self) {
        let mut shared = self.shared();
        let Some((key, before)) = shared.before.take() else { return };
        let is_back = self.has(Fault::BringsBackInACrash) && !shared.records.contains_key(&key);
        if let (true, Some(before)) = (is_back, before) {
            shared.records.insert(key, before);
        } else if self.has(Fault::ForgetsInACrash) {
            shared.records.clear();
        }
    }

    pub(crate) fn cut_off(&self, is_cut_off: bool) {
        self.shared().is_cut_off = is_cut_off;
        if self.has(Fault::ForgetsInAnOutage) {
            self.shared().records.clear();
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn time(&self) -> Millis {
        self.clock.precise_now().into()
    }

    fn reach(&self) -> Result<(), StoreError> {
        if self.shared().is_cut_off { Err(StoreError::new("cut off")) } else { Ok(()) }
    }

    fn key(&self, group: &RecordGroup, id: &str) -> Key {
        let named = |name: &str| match self.fault {
            Some(Fault::IgnoresCase) => name.to_lowercase(),
            Some(Fault::TrimsNames) => name.trim().to_owned(),
            Some(Fault::CutsNames) => name.chars().take(1000).collect(),
            Some(Fault::Composes) => name.replace("i\u{301}", "\u{ed}"),
            _ => name.to_owned(),
        };
        let (kind, group, id) = (group.kind().name(), named(group.name()), named(id));
        match self.fault {
            Some(Fault::JoinsBySlash) => (kind, String::new(), format!("{group}/{id}")),
            Some(Fault::Joins) => (kind, String::new(), format!("{group}{id}")),
            _ => (kind, group, id),
        }
    }

    fn has_ended(&self, record: &Record) -> bool {
        record.until().is_some_and(|until| until <= self.time())
    }

    /// Returns the version that counts for a change, for a record that is or was there.
    fn current(&self, shared: &Shared, key: &Key, deletes: bool) -> Option<RecordVersion> {
        let Some((record, _)) = shared.records.get(key) else {
            return self.has(Fault::BringsBack).then(|| shared.deleted.get(key).copied()).flatten();
        };
        let counts = !self.has_ended(record)
            || self.has(Fault::EndedInTheWay)
            || self.has(Fault::ChangesEnded) && !deletes
            || self.has(Fault::DeletesEnded) && deletes;
        counts.then_some(record.version())
    }

    /// Whether the change may be made although its version is another one.
    fn forgives(
        &self,
        current: Option<RecordVersion>,
        expected: Option<RecordVersion>,
        deletes: bool,
        is_live: bool,
    ) -> bool {
        match self.fault {
            Some(Fault::IgnoresVersion | Fault::OneVersion) => current.is_some() == expected.is_some(),
            Some(Fault::IgnoresVersionOfDelete) => deletes && current.is_some() && expected.is_some(),
            Some(Fault::ChangesNothing) => current.is_none(),
            Some(Fault::CreatesTwice) => expected.is_none(),
            // It is also absent.
            Some(Fault::BringsBack | Fault::ChangesEnded | Fault::DeletesEnded) => expected.is_none() && !is_live,
            _ => false,
        }
    }

    fn new_version(&self, shared: &mut Shared, key: &Key, text: &str) -> RecordVersion {
        shared.changes += 1;
        let number = match self.fault {
            Some(Fault::VersionOfText) => {
                let mut hasher = DefaultHasher::new();
                text.hash(&mut hasher);
                hasher.finish()
            }
            Some(Fault::CountsAgain) => shared.records.get(key).map_or(0, |(record, _)| record.version().number()) + 1,
            Some(Fault::OneVersion) => 1,
            _ => shared.changes,
        };
        RecordVersion::new(number)
    }

    fn write(&self, key: &Key, next: Option<NewRecord>) {
        let mut shared = self.shared();
        let before = shared.records.get(key).cloned();
        shared.before = Some((key.clone(), before.clone()));
        let Some(next) = next else {
            if let Some((record, _)) = before {
                shared.deleted.insert(key.clone(), record.version());
                if !self.has(Fault::KeepsDeleted) {
                    shared.records.remove(key);
                }
            }
            return;
        };
        let text = match self.fault {
            Some(Fault::Trims) => next.text().trim(),
            Some(Fault::EndsAtNul) if !next.text().starts_with('\0') => next.text().split('\0').next().unwrap(),
            Some(Fault::Cuts) => cut(next.text(), 60_000),
            Some(Fault::CutsTooLong) => cut(next.text(), Record::MOST_BYTES),
            _ => next.text(),
        };
        let until = match self.fault {
            Some(Fault::ForgetsEnd) => None,
            Some(Fault::RoundsEnd) => next.ends_at().map(|at| Millis::new(at.get() / 1000 * 1000)),
            Some(Fault::KeepsEnd) if before.is_some() => before.as_ref().and_then(|(record, _)| record.until()),
            Some(Fault::PastNeverEnds) => next.ends_at().filter(|at| *at > self.time()),
            _ => next.ends_at(),
        };
        let version = self.new_version(&mut shared, key, text);
        let first = before.and_then(|(_, first)| first).or(until);
        shared.records.insert(key.clone(), (Record::new(text.to_owned(), version, until), first));
    }

    fn unreadable() -> StoreError {
        StoreError::new("a later version wrote it")
    }
}

impl RecordStore for Faulty {
    async fn now(&self) -> Result<Millis, StoreError> {
        Ok(self.time())
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        if self.has(Fault::NoneIfUnreachable) && self.reach().is_err() {
            return Ok(None);
        }
        self.reach()?;
        let key = self.key(key.group(), key.id());
        if self.shared().unreadable.contains(&key) {
            return if self.has(Fault::NoneIfUnreadable) { Ok(None) } else { Err(Self::unreadable()) };
        }
        let record = self.shared().records.get(&key).map(|(record, _)| record.clone());
        let record = record.filter(|record| self.has(Fault::FindsEnded) || !self.has_ended(record));
        if self.has(Fault::Caches) {
            return Ok(self.seen.lock().unwrap().entry(key).or_insert(record).clone());
        }
        Ok(record)
    }

    async fn list(&self, group: &RecordGroup) -> Result<Vec<(String, Record)>, StoreError> {
        if self.has(Fault::EmptyIfUnreachable) && self.reach().is_err() {
            return Ok(Vec::new());
        }
        self.reach()?;
        let (kind, name, prefix) = self.key(group, "");
        let shared = self.shared();
        let is_of_group = |(of_kind, of, id): &Key| match self.fault {
            Some(Fault::ListsPrefix) => *of_kind == kind && of.starts_with(&name),
            Some(Fault::ListsKinds) => *of == name,
            Some(Fault::JoinsBySlash | Fault::Joins) => *of_kind == kind && id.starts_with(&prefix),
            _ => *of_kind == kind && *of == name,
        };
        if shared.unreadable.iter().any(&is_of_group) && !self.has(Fault::LeavesOutUnreadable) {
            return Err(Self::unreadable());
        }
        let mut listed = Vec::new();
        for (key, (record, _)) in shared.records.iter().filter(|(key, _)| is_of_group(key)) {
            let is_shown = (self.has(Fault::ListsEnded) || !self.has_ended(record)) && !shared.unreadable.contains(key);
            let id = key.2.strip_prefix(&*prefix).unwrap_or(&key.2).to_owned();
            let mut record = record.clone();
            if self.has(Fault::ListsOtherVersion) {
                record = Record::new(record.text().to_owned(), RecordVersion::new(0), record.until());
            }
            let times = if self.has(Fault::ListsTwice) { 2 } else { usize::from(is_shown) };
            listed.extend((0..times).map(|_| (id.clone(), record.clone())));
        }
        if self.has(Fault::ListsFewer) && listed.len() > 1 {
            listed.pop();
        }
        Ok(listed)
    }

    async fn swap(
        &self,
        key: &RecordKey,
        expected: Option<RecordVersion>,
        next: Option<NewRecord>,
    ) -> Result<Swapped, StoreError> {
        if self.reach().is_err() {
            match self.fault {
                Some(Fault::ConflictIfUnreachable) => return Ok(Swapped::Conflict),
                Some(Fault::StoredIfUnreachable) => return Ok(Swapped::Stored),
                _ => self.reach()?,
            }
        }
        let (key, deletes) = (self.key(key.group(), key.id()), next.is_none());
        let next = match self.fault {
            Some(Fault::AnyLength | Fault::CutsTooLong) => next,
            Some(Fault::StoresTooLong) if next.as_ref().is_some_and(|next| next.text().len() > Record::MOST_BYTES) => {
                self.write(&key, next);
                return Err(StoreError::new("too long"));
            }
            _ => next.map(NewRecord::checked).transpose()?,
        };
        if self.shared().unreadable.contains(&key) {
            match self.fault {
                Some(Fault::ReplacesUnreadable) if expected.is_none() => {}
                Some(Fault::ConflictIfUnreadable) => return Ok(Swapped::Conflict),
                _ => return Err(Self::unreadable()),
            }
        }
        let current = self.current(&self.shared(), &key, deletes);
        let is_live = self.shared().records.get(&key).is_some_and(|(record, _)| !self.has_ended(record));
        let is_current = current == expected || self.forgives(current, expected, deletes, is_live);
        if self.has(Fault::NotAtomic) && !deletes || self.has(Fault::DeleteNotAtomic) && deletes {
            tokio::task::yield_now().await;
        }
        if self.has(Fault::DeletesNothingNever) && deletes && expected.is_none() {
            return Ok(Swapped::Conflict);
        }
        if is_current || self.has(Fault::StoresConflicts) {
            self.write(&key, next);
        }
        let is_stored = (is_current || self.has(Fault::HidesConflicts)) && !self.has(Fault::AlwaysConflicts);
        Ok(if is_stored { Swapped::Stored } else { Swapped::Conflict })
    }

    async fn forget_before(&self, before: Millis) -> Result<usize, StoreError> {
        self.reach()?;
        let now = self.time();
        let before = if self.has(Fault::ForgetsLive) { before } else { before.min(now) };
        let before = if self.has(Fault::ForgetsTooMuch) { now } else { before };
        let mut shared = self.shared();
        let all = shared.records.len();
        let unreadable = shared.unreadable.clone();
        shared.records.retain(|key, (record, first)| {
            let until = if self.has(Fault::ForgetsProlonged) { *first } else { record.until() };
            let stays = until.map_or(!self.has(Fault::ForgetsEndless), |until| until > before);
            stays || unreadable.contains(key)
        });
        if self.has(Fault::ForgetsUnreadable) {
            shared.unreadable.clear();
        }
        let forgotten = all - shared.records.len();
        shared.forgotten += forgotten;
        Ok(if self.has(Fault::CountsForgotten) { shared.forgotten } else { forgotten })
    }
}

/// Returns at most this many bytes of the text, without half a letter.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}
