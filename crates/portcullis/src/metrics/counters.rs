//! [`LayerCounters`]: the counters of one layer.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    AuthError, Code,
    error::AuthErrorKind,
    metrics::{Buckets, Snapshot, names},
    verified::Conventions,
};

use super::{Telemetry, issuer_rows::IssuerRows, shards::Shards};

/// The counters of one layer.
#[derive(Debug)]
pub(crate) struct LayerCounters {
    name: String,
    issuers: IssuerRows,
    shards: Shards,
}

/// How a request passed a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admittance {
    /// Its credential was found in the cache.
    Cached,
    /// Its credential was verified.
    Verified,
    /// It has no credential.
    Anonymous,
    /// It is a CORS preflight.
    Preflight,
}

/// Counters of an issuer: one for each [`Admittance`], then one for each code.
const ADMITTANCES: usize = 4;
const CODES: usize = Code::ALL.len();
const OF_ISSUER: usize = ADMITTANCES + CODES;

/// The upper bound of each bucket: verifying a signature takes microseconds, fetching keys up to seconds.
const BOUNDS: [Duration; 14] = [
    Duration::from_micros(5),
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

impl LayerCounters {
    pub(super) fn new(name: String, issuers: Vec<Arc<Conventions>>) -> Self {
        let issuers = IssuerRows::new(issuers, Telemetry::MAX_ISSUERS);
        let shards = Shards::new(issuers.len() * OF_ISSUER + CODES + BOUNDS.len() + 2);
        Self { name, issuers, shards }
    }

    /// Counts a request with a credential of this issuer.
    #[inline]
    pub(crate) fn admitted(&self, admittance: Admittance, issuer: &str) {
        self.count(self.issuers.of(issuer), admittance as usize);
    }

    /// Counts a request without a credential.
    #[cold]
    pub(crate) fn without_credential(&self, admittance: Admittance) {
        self.count(self.issuers.unknown(), admittance as usize);
    }

    /// Counts a request that the layer did not let through.
    #[cold]
    pub(crate) fn refused(&self, error: &AuthError) {
        let row = error.issuer().map_or(self.issuers.unknown(), |issuer| self.issuers.of(issuer));
        self.count(row, ADMITTANCES + error.code() as usize);
    }

    /// Counts a request that was admitted, and then refused behind the layer.
    #[cold]
    pub(crate) fn refused_behind(&self, error: &AuthError) {
        self.shards.add(self.first_of_guards() + error.code() as usize, 1);
    }

    /// Counts the duration of a verification.
    #[cold]
    pub(crate) fn verified_in(&self, took: Duration) {
        let bucket = BOUNDS.iter().position(|bound| took <= *bound).unwrap_or(BOUNDS.len());
        self.shards.add(self.first_of_buckets() + bucket, 1);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.shards.add(self.first_of_buckets() + BOUNDS.len() + 1, nanoseconds);
    }

    #[inline]
    fn count(&self, row: usize, outcome: usize) {
        self.shards.add(row * OF_ISSUER + outcome, 1);
    }

    fn first_of_guards(&self) -> usize {
        self.issuers.len() * OF_ISSUER
    }

    fn first_of_buckets(&self) -> usize {
        self.first_of_guards() + CODES
    }

    /// Returns the maximum number of series.
    pub(super) fn series(&self) -> usize {
        // The cache hits are one more series for each issuer; a histogram has one for each bucket, a sum and a count.
        self.issuers.len() * (OF_ISSUER + 1) + CODES + BOUNDS.len() + 3
    }

    pub(super) fn measure(&self, snapshot: &mut Snapshot) {
        for (row, issuer) in self.issuers.labels().into_iter().enumerate() {
            self.measure_issuer(row, issuer, snapshot);
        }
        for (at, code) in Code::ALL.iter().enumerate() {
            let count = self.shards.sum(self.first_of_guards() + at);
            if count > 0 {
                snapshot.counter(&names::GUARD_REFUSALS, &[&self.name, code.as_str()], count);
            }
        }
        let counts = (0..=BOUNDS.len()).map(|bucket| self.shards.sum(self.first_of_buckets() + bucket)).collect();
        let sum = Duration::from_nanos(self.shards.sum(self.first_of_buckets() + BOUNDS.len() + 1));
        snapshot.histogram(&names::VERIFICATION, &[&self.name], Buckets::new(&BOUNDS, counts, sum));
    }

    /// The series for admitted requests of a configured issuer exist from the start, the others once they have a value.
    fn measure_issuer(&self, row: usize, issuer: &str, snapshot: &mut Snapshot) {
        let sum = |outcome: usize| self.shards.sum(row * OF_ISSUER + outcome);
        let [hits, verified] = [Admittance::Cached, Admittance::Verified].map(|admittance| sum(admittance as usize));
        let mut request = |result: &str, code: &str, count: u64| {
            snapshot.counter(&names::REQUESTS, &[&self.name, issuer, result, code], count);
        };
        for (admittance, result) in [(Admittance::Anonymous, "anonymous"), (Admittance::Preflight, "preflight")] {
            let count = sum(admittance as usize);
            if count > 0 {
                request(result, "", count);
            }
        }
        for (at, code) in Code::ALL.iter().enumerate() {
            let count = sum(ADMITTANCES + at);
            if count > 0 {
                request(result_of(*code), code.as_str(), count);
            }
        }
        if row < self.issuers.named() || hits + verified > 0 {
            request("admitted", "", hits.saturating_add(verified));
            snapshot.counter(&names::CACHE_HITS, &[&self.name, issuer], hits);
        }
    }
}

/// Returns the result of a request with this code.
fn result_of(code: Code) -> &'static str {
    match code.kind() {
        AuthErrorKind::Unavailable => "undecided",
        AuthErrorKind::Misconfigured => "misconfigured",
        _ => "refused",
    }
}
