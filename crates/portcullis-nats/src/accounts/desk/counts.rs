//! [`Counts`]: the numbers for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use portcullis_core::metrics::{Measured, Snapshot, names};

use super::{
    Desk,
    failure::{Answer, Failure},
};
use crate::accounts::AccountResolver;

#[derive(Debug, Default)]
pub(super) struct Counts {
    found: AtomicU64,
    unknown: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    asking: AtomicU64,
    staples_accepted: AtomicU64,
    staples_refused: AtomicU64,
    rolled_back: AtomicU64,
}

impl Counts {
    pub(super) fn looked_up(&self, answer: &Answer) {
        let count = match answer {
            Ok(_) => &self.found,
            Err(Failure::Unknown) => &self.unknown,
            Err(Failure::Refused(_) | Failure::RolledBack(_)) => &self.refused,
            Err(Failure::Resolver(_) | Failure::Floors(_) | Failure::Busy | Failure::Ended) => &self.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stapled(&self, is_accepted: bool) {
        let count = if is_accepted { &self.staples_accepted } else { &self.staples_refused };
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn rolled_back(&self) {
        self.rolled_back.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a question to the resolver until the result is dropped.
    pub(super) fn asking(&self) -> Asking<'_> {
        self.asking.fetch_add(1, Ordering::Relaxed);
        Asking(self)
    }
}

pub(super) struct Asking<'a>(&'a Counts);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<R: AccountResolver> Measured for Desk<R> {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        let (shared, gauge) =
            (&self.shared, |count: usize| u32::try_from(count).map_or(f64::from(u32::MAX), f64::from));
        let (accounts, oldest) = {
            let state = shared.lock();
            (state.table.len(), state.table.oldest())
        };
        let counts = &shared.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        snapshot.gauge(&names::ACCOUNTS, &[source], gauge(accounts));
        snapshot.gauge(&names::ACCOUNT_FLOORS, &[source], gauge(shared.floors.len()));
        if let Some(oldest) = oldest {
            snapshot.gauge(&names::ACCOUNTS_AGE, &[source], oldest.as_secs_f64());
        }
        let asking = usize::try_from(read(&counts.asking)).unwrap_or(usize::MAX);
        snapshot.gauge(&names::ACCOUNT_LOOKUPS_UNDER_WAY, &[source], gauge(asking));
        for (result, count) in [
            ("found", &counts.found),
            ("unknown", &counts.unknown),
            ("refused", &counts.refused),
            ("failed", &counts.failed),
        ] {
            snapshot.counter(&names::ACCOUNT_LOOKUPS, &[source, result], read(count));
        }
        snapshot.counter(&names::ACCOUNT_STAPLES, &[source, "accepted"], read(&counts.staples_accepted));
        snapshot.counter(&names::ACCOUNT_STAPLES, &[source, "refused"], read(&counts.staples_refused));
        snapshot.counter(&names::ACCOUNT_ROLLBACKS, &[source], read(&counts.rolled_back));
    }
}
