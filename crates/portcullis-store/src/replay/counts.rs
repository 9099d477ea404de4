//! [`Counts`]: what a store tells metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_core::{
    AuthError,
    metrics::{Snapshot, names},
    possession::Once,
};

/// How many proofs were repeated, and how often the store could not decide, on this instance.
#[derive(Default)]
pub(super) struct Counts {
    repeated: AtomicU64,
    undecided: AtomicU64,
}

impl Counts {
    pub(super) fn count(&self, answer: &Result<Once, AuthError>) {
        let counter = match answer {
            Ok(Once::First) => return,
            Ok(Once::Repeated) => &self.repeated,
            Err(_) => &self.undecided,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        snapshot.counter(&names::REPLAY_REPEATED, &[source], self.repeated.load(Ordering::Relaxed));
        snapshot.counter(&names::REPLAY_UNDECIDED, &[source], self.undecided.load(Ordering::Relaxed));
    }
}
