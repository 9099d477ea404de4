//! [`MockKeys`]: the current keys of a mock issuer.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;
use portcullis_core::{
    Algorithm, KeySet, UnixTime,
    keys::{KeyHint, KeySource, Resolved},
};

use crate::key::SigningKey;

/// The live keys of a [`MockIssuer`](crate::MockIssuer): a [`KeySource`] that follows its rotation. Cloning is cheap.
#[derive(Clone)]
pub struct MockKeys(Arc<Shared>);

struct Shared {
    published: ArcSwap<Published>,
    /// How often the keys have changed. Written after the keys, so a reader of this number gets keys that are no older.
    edition: AtomicU64,
    made: AtomicUsize,
}

/// The keys at one moment.
struct Published {
    current: Arc<SigningKey>,
    others: Vec<Arc<SigningKey>>,
    verifying: KeySet,
}

impl MockKeys {
    pub(super) fn new(first: SigningKey) -> Self {
        let published = ArcSwap::from_pointee(Published::new(Arc::new(first), Vec::new()));
        Self(Arc::new(Shared { published, edition: AtomicU64::new(0), made: AtomicUsize::new(1) }))
    }

    pub(crate) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&self.0.published.load().current)
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<SigningKey>> {
        self.all().into_iter().find(|key| key.id() == id)
    }

    /// Returns the key that signs, then the others.
    pub(crate) fn all(&self) -> Vec<Arc<SigningKey>> {
        let published = self.0.published.load();
        std::iter::once(&published.current).chain(&published.others).cloned().collect()
    }

    pub(super) fn rotate(&self) -> String {
        let new = self.make(self.current().algorithm());
        self.change(|now| {
            let others = now.others.iter().chain([&now.current]).cloned().collect();
            Published::new(Arc::clone(&new), others)
        });
        new.id().to_owned()
    }

    pub(super) fn replace(&self) {
        let current = self.current();
        let new = Arc::new(SigningKey::generate(current.id().to_owned(), current.algorithm()));
        self.change(|now| Published::new(Arc::clone(&new), now.others.clone()));
    }

    pub(super) fn add(&self, algorithm: Algorithm) -> String {
        let new = self.make(algorithm);
        self.change(|now| {
            let others = now.others.iter().chain([&new]).cloned().collect();
            Published::new(Arc::clone(&now.current), others)
        });
        new.id().to_owned()
    }

    pub(super) fn retire_old(&self) {
        self.change(|now| Published::new(Arc::clone(&now.current), Vec::new()));
    }

    fn change(&self, change: impl FnMut(&Arc<Published>) -> Published) {
        self.0.published.rcu(change);
        self.0.edition.fetch_add(1, Ordering::SeqCst);
    }

    fn make(&self, algorithm: Algorithm) -> Arc<SigningKey> {
        let number = self.0.made.fetch_add(1, Ordering::SeqCst) + 1;
        Arc::new(SigningKey::generate(id(algorithm, number), algorithm))
    }
}

/// Returns the id of the `number`th key, readable in a test's output.
pub(super) fn id(algorithm: Algorithm, number: usize) -> String {
    format!("{}-{number}", algorithm.name().to_ascii_lowercase())
}

impl Published {
    fn new(current: Arc<SigningKey>, others: Vec<Arc<SigningKey>>) -> Self {
        let verifying = std::iter::once(&current).chain(&others).map(|key| key.verifying().clone()).collect();
        Self { current, others, verifying }
    }
}

impl KeySource for MockKeys {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.0.published.load().verifying.resolve(hint, now)
    }

    fn edition(&self, _now: UnixTime) -> Option<u64> {
        Some(self.0.edition.load(Ordering::SeqCst))
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.0.published.load().verifying.describe(hint)
    }
}

impl fmt::Debug for MockKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockKeys").field(&self.0.published.load().verifying).finish()
    }
}
