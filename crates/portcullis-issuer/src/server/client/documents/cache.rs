//! [`Cache`]: documents that were fetched.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::Client;

/// What is known about a client's id.
#[derive(Clone)]
pub(super) enum Known {
    /// The client, and how long its document is fresh.
    Client(Arc<Client>, Duration),
    /// There is no such client.
    Wrong,
    /// The document could not be fetched: why.
    Unavailable(String),
}

/// Documents that were fetched, each until it is to be fetched again. The cache prefers those that were used again, so that many ids of an attacker do
/// not push them out.
pub(super) struct Cache {
    documents: quick_cache::sync::Cache<String, Entry>,
    /// The clients that were accepted last, and until when they stand in for a document that cannot be fetched.
    accepted: quick_cache::sync::Cache<String, (Arc<Client>, Instant)>,
}

#[derive(Clone)]
struct Entry {
    known: Known,
    until: Instant,
}

/// How many are kept.
const MOST_DOCUMENTS: usize = 1000;

/// How long a document is used, at least and at most.
const FRESHNESS: (Duration, Duration) = (Duration::from_secs(300), Duration::from_secs(86_400));

/// How long a client is used after its document was to be fetched again, while it cannot be. An answer that there is no such client ends it at once.
const GRACE: Duration = Duration::from_secs(3600);

/// How long a failed attempt is not repeated.
const NEGATIVE: Duration = Duration::from_secs(60);

impl Cache {
    pub(super) fn new() -> Self {
        let documents = quick_cache::sync::Cache::new(MOST_DOCUMENTS);
        Self { documents, accepted: quick_cache::sync::Cache::new(MOST_DOCUMENTS) }
    }

    /// Returns what is known about this id. If nothing is, one of the callers fetches, and the others wait for it. `None` of `fetch` is not kept. If the
    /// document cannot be fetched, the client that was accepted before is returned for [some time](GRACE).
    pub(super) async fn find(&self, client_id: &str, fetch: impl Future<Output = Option<Known>>) -> Option<Known> {
        match self.find_current(client_id, fetch).await {
            Some(known @ (Known::Client(..) | Known::Wrong)) => Some(known),
            failed => match self.accepted(client_id) {
                Some(client) => Some(Known::Client(client, Duration::ZERO)),
                None => failed,
            },
        }
    }

    /// Returns the client that was accepted before, if that is not too long ago.
    pub(super) fn accepted(&self, client_id: &str) -> Option<Arc<Client>> {
        let (client, until) = self.accepted.get(client_id)?;
        (Instant::now() < until).then_some(client)
    }

    async fn find_current(&self, client_id: &str, fetch: impl Future<Output = Option<Known>>) -> Option<Known> {
        self.documents.remove_if(client_id, |entry| entry.until <= Instant::now());
        let guard = match self.documents.get_value_or_guard_async(client_id).await {
            Ok(entry) => return Some(entry.known),
            Err(guard) => guard,
        };
        let known = fetch.await?;
        let fresh = match &known {
            Known::Client(_, freshness) => (*freshness).clamp(FRESHNESS.0, FRESHNESS.1),
            Known::Wrong | Known::Unavailable(_) => NEGATIVE,
        };
        let until = Instant::now() + fresh;
        match &known {
            Known::Client(client, _) => {
                self.accepted.insert(client_id.to_owned(), (Arc::clone(client), until + GRACE));
            }
            Known::Wrong => {
                self.accepted.remove(client_id);
            }
            Known::Unavailable(_) => {}
        }
        // It is not kept if it was pushed out meanwhile, which changes nothing for this caller.
        let _is_kept = guard.insert(Entry { known: known.clone(), until });
        Some(known)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}
