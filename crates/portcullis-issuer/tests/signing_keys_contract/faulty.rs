//! A store of signing keys with a fault.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use portcullis_issuer::{
    key_ring::{DocumentVersion, MemorySigningKeys, Replaced, SigningKeys, StoredDocument},
    refresh::StoreError,
};

crate::planted::faults! {
    /// An empty store has an empty document.
    EmptyText,
    /// A document that does not exist can be replaced.
    ReplacesNothing,
    /// Several callers create the document.
    CreatesTwice,
    /// The version is not compared.
    IgnoresVersion,
    /// The version is compared, and then the document is written, with a turn for others in between.
    NotAtomic,
    /// A conflict is reported, and the change is stored.
    StoresConflicts,
    /// A conflict is reported as a success.
    HidesConflicts,
    /// All documents have the same version.
    OneVersion,
    /// The version follows from the text alone.
    VersionOfText,
    /// The version of a change is not that of the next load.
    OtherVersion,
    /// White space at the ends is lost.
    Trims,
    /// A long text is cut off.
    Cuts,
    /// An instance sees what it has read first.
    Caches,
    /// A change is kept in memory until the next one.
    ForgetsInACrash,
    /// A store that cannot be reached seems to be empty.
    NoneIfUnreachable,
    /// A store that cannot be reached seems to have another version.
    ConflictIfUnreachable,
    /// The document is gone after an outage.
    ForgetsInAnOutage,
}

/// An instance of the store in memory, with a fault or without.
#[derive(Debug)]
pub(crate) struct Faulty {
    fault: Option<Fault>,
    shared: Arc<Shared>,
    /// What it has read first: a list of one, or none yet.
    seen: Mutex<Vec<Option<StoredDocument>>>,
}

#[derive(Debug, Default)]
struct Shared {
    store: MemorySigningKeys,
    before: Mutex<Option<String>>,
    is_cut_off: AtomicBool,
}

impl Faulty {
    pub(crate) fn new(fault: Option<Fault>) -> Self {
        Self { fault, shared: Arc::default(), seen: Mutex::default() }
    }

    pub(crate) fn instance(&self) -> Self {
        Self { fault: self.fault, shared: Arc::clone(&self.shared), seen: Mutex::default() }
    }

    pub(crate) fn crash(&self) {
        if self.fault == Some(Fault::ForgetsInACrash) {
            self.shared.store.restore(self.shared.before.lock().unwrap().as_deref());
        }
    }

    pub(crate) fn cut_off(&self, is_cut_off: bool) {
        self.shared.is_cut_off.store(is_cut_off, Ordering::SeqCst);
        if self.fault == Some(Fault::ForgetsInAnOutage) {
            self.shared.store.restore(None);
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn reach(&self) -> Result<(), StoreError> {
        let is_cut_off = self.shared.is_cut_off.load(Ordering::SeqCst);
        if is_cut_off { Err(StoreError::new("cut off")) } else { Ok(()) }
    }

    async fn overwrite(&self, text: &str) -> Result<Replaced, StoreError> {
        let current = self.shared.store.load().await?.map(|stored| stored.version());
        self.shared.store.replace(current, text).await
    }

    /// Returns whether the change may be made although its version is another one.
    async fn forgives(&self, expected: Option<DocumentVersion>) -> Result<bool, StoreError> {
        let current = self.shared.store.load().await?.map(|stored| stored.version());
        let forgives = self.has(Fault::IgnoresVersion)
            || self.has(Fault::OneVersion)
            || self.has(Fault::ReplacesNothing) && current.is_none()
            || self.has(Fault::CreatesTwice) && expected.is_none();
        if self.has(Fault::NotAtomic) {
            tokio::task::yield_now().await;
            return Ok(current == expected);
        }
        Ok(forgives)
    }
}

impl SigningKeys for Faulty {
    async fn load(&self) -> Result<Option<StoredDocument>, StoreError> {
        if self.has(Fault::NoneIfUnreachable) && self.reach().is_err() {
            return Ok(None);
        }
        self.reach()?;
        let mut stored = self.shared.store.load().await?;
        if self.has(Fault::EmptyText) && stored.is_none() {
            stored = Some(StoredDocument::new(String::new(), DocumentVersion::new(0)));
        }
        if self.has(Fault::OneVersion) {
            let text = |stored: StoredDocument| StoredDocument::new(stored.text().to_owned(), DocumentVersion::new(1));
            stored = stored.map(text);
        }
        if self.has(Fault::VersionOfText) {
            stored = stored.map(|stored| StoredDocument::new(stored.text().to_owned(), hash(stored.text())));
        }
        if self.has(Fault::Caches) {
            let mut seen = self.seen.lock().unwrap();
            seen.push(stored);
            return Ok(seen[0].clone());
        }
        Ok(stored)
    }

    async fn replace(&self, expected: Option<DocumentVersion>, text: &str) -> Result<Replaced, StoreError> {
        if self.has(Fault::ConflictIfUnreachable) && self.reach().is_err() {
            return Ok(Replaced::Conflict);
        }
        self.reach()?;
        *self.shared.before.lock().unwrap() = self.shared.store.dump();
        let text = match self.fault {
            Some(Fault::Trims) => text.trim(),
            Some(Fault::Cuts) => &text[..text.len().min(65_536)],
            _ => text,
        };
        if self.has(Fault::VersionOfText) {
            if self.load().await?.map(|stored| stored.version()) != expected {
                return Ok(Replaced::Conflict);
            }
            return self.overwrite(text).await.map(|_| Replaced::Stored(hash(text)));
        }
        if self.forgives(expected).await? {
            return self.overwrite(text).await;
        }
        let outcome = self.shared.store.replace(expected, text).await?;
        Ok(match (self.fault, outcome) {
            (Some(Fault::StoresConflicts), Replaced::Conflict) => self.overwrite(text).await.map(|_| outcome)?,
            (Some(Fault::HidesConflicts), Replaced::Conflict) => Replaced::Stored(DocumentVersion::new(99)),
            (Some(Fault::OtherVersion), Replaced::Stored(version)) => {
                Replaced::Stored(DocumentVersion::new(version.number() + 1))
            }
            _ => outcome,
        })
    }
}

fn hash(text: &str) -> DocumentVersion {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    DocumentVersion::new(hasher.finish())
}
