//! The log of revocations, and what requests are checked against.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use portcullis::{
    clock::UnixTime,
    revocation::{Cursor, LogError, Page, Revocation, RevocationEntry, Revoker, ViewWriter},
};

/// Counts entries, and keeps none.
#[derive(Clone, Debug, Default)]
pub struct Counted(Arc<AtomicUsize>);

impl Counted {
    /// Returns how many entries there were since the last call.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Revoker for Counted {
    async fn revoke_all(&self, revocations: Vec<Revocation>) -> Result<(), LogError> {
        self.0.fetch_add(revocations.len(), Ordering::SeqCst);
        Ok(())
    }

    async fn list(&self, _: Option<&Cursor>) -> Result<Page, LogError> {
        Err(LogError::unavailable("nothing is kept"))
    }
}

/// Returns a view of ten thousand revocations of other tokens of these issuers.
pub fn view(issuers: [&str; 2]) -> ViewWriter {
    const LONG: Duration = Duration::from_secs(86_400);
    let writer = ViewWriter::builder(LONG).max_staleness(LONG).build(); // fresh for as long as this takes
    writer.confirm(writer.ask());
    let late = UnixTime::from_secs(4_000_000_000);
    let revocation = |at: usize| Revocation::token(issuers[at % 2], &format!("revoked-{at}"), late);
    let entries: Vec<_> = (0..10_000).map(|at| RevocationEntry::new(revocation(at), late)).collect();
    writer.merge(&entries);
    assert_eq!(writer.view().entries(), entries.len());
    writer
}
