//! [`Permits`]: how many documents are fetched at once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many documents of unknown clients are fetched at once.
const MOST_FETCHES: usize = 64;

/// How many more there may be of clients that were accepted before.
const MORE_OF_KNOWN: usize = 16;

/// How many documents of one host are fetched at once.
const MOST_OF_A_HOST: usize = 4;

/// How many documents are fetched at once: in all, and of one host. Some places are kept for clients that were accepted before, so that no outsider who
/// names slow documents keeps them out.
pub(super) struct Permits {
    any: Semaphore,
    known: Semaphore,
    by_host: Mutex<HashMap<String, usize>>,
}

/// The right to fetch one document.
pub(super) struct Permit<'a> {
    permits: &'a Permits,
    host: String,
    _place: SemaphorePermit<'a>,
}

impl Permits {
    pub(super) fn new() -> Self {
        Self { any: Semaphore::new(MOST_FETCHES), known: Semaphore::new(MORE_OF_KNOWN), by_host: Mutex::default() }
    }

    /// Returns the right to fetch a document of this host now; `None` if too many are fetched.
    pub(super) fn permit(&self, host: String, is_known: bool) -> Option<Permit<'_>> {
        let place = match self.any.try_acquire() {
            Ok(place) => place,
            Err(_) if is_known => self.known.try_acquire().ok()?,
            Err(_) => return None,
        };
        let mut hosts = self.hosts();
        let at_host = hosts.entry(host.clone()).or_default();
        if *at_host >= MOST_OF_A_HOST {
            return None;
        }
        *at_host += 1;
        Some(Permit { permits: self, host, _place: place })
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.by_host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut hosts = self.permits.hosts();
        if let Some(at_host) = hosts.get_mut(&self.host) {
            *at_host -= 1;
            if *at_host == 0 {
                hosts.remove(&self.host);
            }
        }
    }
}
