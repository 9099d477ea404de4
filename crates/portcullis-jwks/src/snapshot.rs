//! [`Snapshot`]: keys that outlive the process, so that a restart works during an outage of the issuer.

use std::{
    fmt,
    time::{Duration, Instant},
};

use portcullis_core::{ConfigError, KeySet, UnixTime, keys::VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{
    freshness::MAX_FRESHNESS,
    key_document::{KeyDocument, MAX_EXPOSED, PublicHalf},
    machine::Held,
    url::shown,
};

/// A key set with its age, to be stored and [restored](crate::RemoteKeysBuilder::restore) at the next start.
///
/// Its age counts from when it was fetched: keys older than freshness and outage together are not restored. It contains only public keys.
/// But anyone who can change it can sign for the issuer, so keep it where no other user can write.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis_jwks::{RemoteKeys, Snapshot};
///
/// let file = "/var/lib/orders/keys.json";
/// let mut builder = RemoteKeys::discover("https://login.example.com");
/// match std::fs::read_to_string(file).map(|text| Snapshot::from_json(&text)) {
///     Ok(Ok(snapshot)) => builder = builder.restore(snapshot),
///     Ok(Err(problem)) => eprintln!("{file}: {problem}"), // start without it
///     Err(_) => {} // the first start
/// }
/// let keys = builder.start()?;
/// // from time to time, and at the end
/// if let Some(snapshot) = keys.snapshot() {
///     std::fs::write(file, snapshot.to_json())?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Snapshot(Written);

/// The stored form. Earlier versions ignore what a later version adds, so a roll-back keeps its keys.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    /// The source as it was configured: a snapshot of one issuer is not restored for another.
    source: String,
    key_set: String,
    fetched_at: u64,
    freshness: u64,
    /// Keys of the set that must not be used, as JWKs: their private halves were published once.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    exposed: Vec<String>,
}

impl Snapshot {
    /// Returns the snapshot as one JSON object.
    pub fn to_json(&self) -> String {
        // Strings and numbers always serialize.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// If the text is something else.
    pub fn from_json(text: &str) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        serde_json::from_str(text).map(Self).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            ConfigError::new(format!(
                "this is not a snapshot of keys (line {line}, column {column}): delete it, and the keys are fetched again"
            ))
        })
    }

    pub(crate) fn of(source: &str, held: &Held) -> Self {
        Self(Written {
            source: source.to_owned(),
            key_set: (*held.text).to_owned(),
            fetched_at: held.asked_at_time.as_secs(),
            freshness: held.freshness.as_secs(),
            exposed: held.exposed.iter().map(|exposed| exposed.jwk().to_owned()).collect(),
        })
    }

    /// Returns the keys, if they belong to this source and may still be used, otherwise why not; and the exposed keys, which must not be
    /// used in any case, however old the snapshot is. `now` has the time of the monotonic clock and of the wall clock.
    pub(crate) fn restore(
        self,
        source: &str,
        now: (Instant, UnixTime),
        outage: Duration,
    ) -> (Result<Held, &'static str>, Vec<PublicHalf>) {
        if self.0.source != source {
            return (Err("it is of another source"), Vec::new());
        }
        let exposed: Vec<_> = self.0.exposed.iter().cloned().filter_map(PublicHalf::read).take(MAX_EXPOSED).collect();
        (self.0.held(&exposed, now, outage), exposed)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (source, fetched_at) = (shown(&self.0.source), self.0.fetched_at);
        f.debug_struct("Snapshot").field("source", &source).field("fetched_at", &fetched_at).finish_non_exhaustive()
    }
}

impl Written {
    fn held(self, exposed: &[PublicHalf], now: (Instant, UnixTime), outage: Duration) -> Result<Held, &'static str> {
        let ((instant, now), fetched_at) = (now, UnixTime::from_secs(self.fetched_at));
        if fetched_at > now.plus(CLOCKS) {
            return Err("it is from the future: a clock is wrong");
        }
        let (age, freshness) = (now.since(fetched_at), Duration::from_secs(self.freshness).min(MAX_FRESHNESS));
        if age >= freshness.saturating_add(outage) {
            return Err("its keys are too old to be used");
        }
        let KeyDocument::Usable { keys, .. } = KeyDocument::read(&self.key_set) else {
            return Err("it holds no key set that can be used");
        };
        let is_good = |key: &&VerifyingKey| !exposed.iter().any(|half| half.is_of(key));
        let keys: KeySet = keys.iter().filter(is_good).cloned().collect();
        if keys.is_empty() {
            return Err("it holds no key that can be used");
        }
        Ok(Held {
            keys,
            text: self.key_set.into(),
            exposed: exposed.to_vec(),
            asked_at: instant.checked_sub(age).ok_or("it is older than this machine")?,
            asked_at_time: fetched_at,
            freshness,
        })
    }
}

/// How far the clock may have been set back since.
const CLOCKS: Duration = Duration::from_secs(5 * 60);
