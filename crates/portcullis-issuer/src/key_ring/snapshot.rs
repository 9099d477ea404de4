//! [`Snapshot`]: the keys as an instance has read them.

use std::{collections::HashMap, sync::Arc, time::Duration};

use portcullis_core::{Clock, KeySet, UnixTime};

use super::{KeyPlan, KeyRingError, RingDocument, RingKey, Sealing};
use crate::{SigningKey, documents::PublishedDocument};

/// The keys as this instance has read them, and when. Immutable: each read makes a new one.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) contents: Arc<Contents>,
    reading: Reading,
}

/// What follows from a document.
#[derive(Debug)]
pub(super) struct Contents {
    pub(super) document: RingDocument,
    /// Another one for each document.
    pub(super) edition: u64,
    pub(super) active: Option<Active>,
    pub(super) keys: KeySet,
    /// `None` for secrets.
    pub(super) published: Option<Arc<PublishedDocument>>,
    /// The opened keys by their ids.
    opened: HashMap<String, SigningKey>,
}

/// The key that signs.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) signer: Arc<SigningKey>,
    pub(super) longest_life: Duration,
}

/// The time at which a read began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    uptime: Duration,
    wall: UnixTime,
}

impl Reading {
    pub(super) fn now(clock: &dyn Clock) -> Self {
        Self { uptime: clock.uptime(), wall: clock.now() }
    }
}

impl Snapshot {
    /// Opens all keys of a document, except those that an earlier snapshot has opened.
    pub(super) fn new(
        document: RingDocument,
        reading: Reading,
        earlier: Option<&Self>,
        sealing: &Sealing,
        plan: &KeyPlan,
    ) -> Result<Self, KeyRingError> {
        let earlier = earlier.map(|snapshot| &snapshot.contents);
        if let Some(contents) = earlier.filter(|contents| contents.document == document) {
            return Ok(Self { contents: Arc::clone(contents), reading });
        }
        let edition = earlier.map_or(0, |contents| contents.edition.wrapping_add(1));
        let mut opened = HashMap::new();
        for key in document.keys().filter(|key| key.verifies()) {
            let is_same = |contents: &&Arc<Contents>| contents.document.key(key.id()).is_some_and(RingKey::verifies);
            let known = earlier.filter(is_same).and_then(|contents| contents.opened.get(key.id()));
            let signing = known.cloned().map_or_else(|| key.open(sealing), Ok)?;
            opened.insert(key.id().to_owned(), signing);
        }
        let contents = Contents::new(document, edition, opened, plan);
        Ok(Self { contents: Arc::new(contents), reading })
    }

    /// Returns how long ago the document was read. The uptime stands still while a machine sleeps, and the wall clock can be set back: the
    /// longer time counts.
    pub(super) fn age(&self, clock: &dyn Clock) -> Duration {
        let by_uptime = clock.uptime().saturating_sub(self.reading.uptime);
        by_uptime.max(clock.now().since(self.reading.wall))
    }
}

impl Contents {
    fn new(document: RingDocument, edition: u64, opened: HashMap<String, SigningKey>, plan: &KeyPlan) -> Self {
        let in_order = || document.keys().filter_map(|key| opened.get(key.id()));
        let keys: KeySet = in_order().map(SigningKey::verifying_key).collect();
        let published = plan.is_published().then(|| {
            let public = in_order().filter_map(SigningKey::public_jwk);
            Arc::new(PublishedDocument::key_set_of_ring(public, plan.published_max_age()))
        });
        let active = document.active().and_then(|active| {
            let signer = Arc::new(opened.get(active.id())?.clone());
            Some(Active { signer, longest_life: active.longest_life() })
        });
        Self { document, edition, active, keys, published, opened }
    }
}
