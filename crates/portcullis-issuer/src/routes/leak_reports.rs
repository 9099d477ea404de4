//! [`LeakReports`]: takes reports of leaked API tokens.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header::RETRY_AFTER};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use portcullis_core::revocation::Revoker;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::{PeerAddress, answer, serve::serve};
use crate::api_tokens::{ApiTokenStore, ApiTokens, Memberships};

/// Takes reports of leaked API tokens, and revokes those that are tokens: a service for `POST /token-reports`, for axum and every other server on `tower` and
/// `http`. Cheap to clone.
///
/// The body is JSON: `{"tokens": ["…"], "source": "where"}`, or an array of objects with `token`, and `url` or `source`, as GitHub sends it; at most 100 tokens and 64 KiB.
///
/// **Every report gets the same 202, at once**, whatever is in it: the tokens are looked up after the answer, so that not even the time says which were valid. What
/// is no report is answered with 400, 405, 413, or 429 beyond 60 reports a minute (on this instance, for each network of a [`PeerAddress`]; all requests without one
/// together), and while [too much](crate::api_tokens::ApiTokensBuilder::limit_at_once) is being revoked.
///
/// Anyone may report, because only a token that is known can be reported. **Set the [`PeerAddress`], or [`verify`](Self::verify)** for programs that sign their
/// reports: otherwise one who sends junk uses up the limit of all.
pub struct LeakReports<S, M, R>(Arc<Inner<S, M, R>>);

struct Inner<S, M, R> {
    tokens: ApiTokens<S, M, R>,
    verify: Option<Box<Verify>>,
    per_minute: u32,
    /// Those that are looked up.
    reports: Mutex<Minute>,
    /// Those that were not signed, though they had to be.
    forged: Mutex<Minute>,
}

type Verify = dyn Fn(&HeaderMap, &[u8]) -> bool + Send + Sync;

/// How long a body may be.
const MOST_BYTES: usize = 64 * 1024;

const MOST_TOKENS: usize = 100;

/// When to report again if too much is under way.
const BUSY: Duration = Duration::from_secs(1);

impl<S: ApiTokenStore, M: Memberships, R: Revoker> LeakReports<S, M, R> {
    /// Returns a service for these tokens.
    pub fn new(tokens: ApiTokens<S, M, R>) -> Self {
        Self(Arc::new(Inner::new(tokens, None)))
    }

    /// Answers reports with 403 for which this returns `false`: for those of one sender, who signs headers and body. It must not block.
    ///
    /// It is asked before the report is counted, so that what others send does not use up the sender's 60 a minute; beyond 60 of theirs, they get 429.
    ///
    /// Has no effect on clones that were made before.
    #[must_use]
    pub fn verify(self, verify: impl Fn(&HeaderMap, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner::new(self.0.tokens.clone(), Some(Box::new(verify)))))
    }

    async fn answer<B>(&self, request: Request<B>) -> Response<String>
    where
        B: Body,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return answer::method_not_allowed("POST");
        }
        // Without signatures, before anything is read.
        let peer = head.extensions.get::<PeerAddress>().map(|peer| peer.network());
        let wait = if self.0.verify.is_none() { self.0.wait(&self.0.reports, peer.clone()) } else { None };
        if let Some(wait) = wait {
            return too_many(wait);
        }
        let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let body = Zeroizing::new(body.to_bytes().to_vec());
        if let Some(verify) = &self.0.verify {
            let is_signed = verify(&head.headers, &body);
            let wait = if is_signed { self.0.wait(&self.0.reports, None) } else { self.0.wait(&self.0.forged, peer) };
            match wait {
                Some(wait) => return too_many(wait),
                None if !is_signed => return empty(StatusCode::FORBIDDEN),
                None => {}
            }
        }
        let Some(reports) = read(&body) else { return empty(StatusCode::BAD_REQUEST) };
        // After the answer: how long it takes says whether one was a token.
        if self.0.tokens.report_in_background(reports) { empty(StatusCode::ACCEPTED) } else { too_many(BUSY) }
    }
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> Inner<S, M, R> {
    fn new(tokens: ApiTokens<S, M, R>, verify: Option<Box<Verify>>) -> Self {
        Self { tokens, verify, per_minute: 60, reports: Mutex::default(), forged: Mutex::default() }
    }

    /// Counts a report from a network, or from an unknown one. Returns how long to wait if there were too many.
    fn wait(&self, minute: &Mutex<Minute>, network: Option<String>) -> Option<Duration> {
        const MINUTE: Duration = Duration::from_secs(60);
        let uptime = self.tokens.uptime();
        let mut minute = minute.lock().unwrap_or_else(PoisonError::into_inner);
        if uptime.saturating_sub(minute.since) >= MINUTE {
            *minute = Minute { since: uptime, by_network: HashMap::new() };
        }
        let count = minute.count(network);
        (count > self.per_minute).then(|| MINUTE.saturating_sub(uptime.saturating_sub(minute.since)))
    }
}

/// How many reports there were since the beginning of the current minute.
#[derive(Default)]
struct Minute {
    since: Duration,
    by_network: HashMap<Option<String>, u32>,
}

impl Minute {
    /// Returns how many there were from this network. Beyond 1 024 of them, others count together.
    fn count(&mut self, network: Option<String>) -> u32 {
        const MOST_NETWORKS: usize = 1_024;
        let is_kept = self.by_network.len() < MOST_NETWORKS || self.by_network.contains_key(&network);
        let count = self.by_network.entry(network.filter(|_| is_kept)).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

fn too_many(wait: Duration) -> Response<String> {
    let mut response = empty(StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    response
}

fn empty(status: StatusCode) -> Response<String> {
    answer::no_store(status, "application/json", "{}".to_owned())
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Report {
    Single { tokens: Vec<Zeroizing<String>>, source: Option<String> },
    Several(Vec<Reported>),
}

#[derive(Deserialize)]
struct Reported {
    token: Zeroizing<String>,
    url: Option<String>,
    source: Option<String>,
}

type Found = (Zeroizing<String>, Option<String>);

fn read(body: &[u8]) -> Option<Vec<Found>> {
    let reports: Vec<_> = match serde_json::from_slice(body).ok()? {
        Report::Single { tokens, source } => tokens.into_iter().map(|token| (token, source.clone())).collect(),
        Report::Several(reports) => {
            reports.into_iter().map(|report| (report.token, report.url.or(report.source))).collect()
        }
    };
    (reports.len() <= MOST_TOKENS).then_some(reports)
}

serve!(LeakReports<S, M, R>; S: ApiTokenStore, M: Memberships, R: Revoker);

impl<S, M, R> Clone for LeakReports<S, M, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, M, R> fmt::Debug for LeakReports<S, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeakReports").field("per_minute", &self.0.per_minute).finish_non_exhaustive()
    }
}
