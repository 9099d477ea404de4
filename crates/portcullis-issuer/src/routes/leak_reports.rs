//! [`LeakReports`]: takes reports of leaked API tokens.

use std::{
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

use super::{answer, serve::serve};
use crate::{
    api_tokens::{ApiTokenStore, ApiTokens, Memberships},
    refresh::in_background,
};

/// Takes reports of leaked API tokens, and revokes those that are tokens: a service for `POST /token-reports`, for axum and every other server on `tower` and
/// `http`. Cheap to clone.
///
/// The body is JSON: `{"tokens": ["…"], "source": "where"}`, or an array of objects with `token`, and `url` or `source`, as GitHub sends it; at most 100 tokens and 64 KiB.
///
/// **Every report gets the same 202, at once**, whatever is in it: the tokens are looked up after the answer, so that not even the time says which were valid. What
/// is no report is answered with 400, 405, 413, or 429 beyond 60 reports a minute (on this instance).
///
/// Anyone may report, because only a token that is known can be reported. [`verify`](Self::verify) is for programs that sign their reports.
pub struct LeakReports<S, M, R>(Arc<Inner<S, M, R>>);

struct Inner<S, M, R> {
    tokens: ApiTokens<S, M, R>,
    verify: Option<Box<Verify>>,
    per_minute: u32,
    /// The beginning of the current minute, and how many reports it had.
    minute: Mutex<(Duration, u32)>,
}

type Verify = dyn Fn(&HeaderMap, &[u8]) -> bool + Send + Sync;

/// How long a body may be.
const MOST_BYTES: usize = 64 * 1024;

const MOST_TOKENS: usize = 100;

impl<S: ApiTokenStore, M: Memberships, R: Revoker> LeakReports<S, M, R> {
    /// Returns a service for these tokens.
    pub fn new(tokens: ApiTokens<S, M, R>) -> Self {
        Self(Arc::new(Inner { tokens, verify: None, per_minute: 60, minute: Mutex::default() }))
    }

    /// Answers reports with 403 for which this returns `false`: for those of one sender, who signs headers and body. It must not block.
    ///
    /// Has no effect on clones that were made before.
    #[must_use]
    pub fn verify(self, verify: impl Fn(&HeaderMap, &[u8]) -> bool + Send + Sync + 'static) -> Self {
        let Inner { tokens, per_minute, .. } = &*self.0;
        let (tokens, per_minute) = (tokens.clone(), *per_minute);
        Self(Arc::new(Inner { tokens, verify: Some(Box::new(verify)), per_minute, minute: Mutex::default() }))
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
        if let Some(wait) = self.0.wait() {
            let mut response = answer::no_store(StatusCode::TOO_MANY_REQUESTS, "application/json", "{}".to_owned());
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
            return response;
        }
        let Ok(body) = Limited::new(body, MOST_BYTES).collect().await else {
            return empty(StatusCode::PAYLOAD_TOO_LARGE);
        };
        let body = Zeroizing::new(body.to_bytes().to_vec());
        if self.0.verify.as_ref().is_some_and(|verify| !verify(&head.headers, &body)) {
            return empty(StatusCode::FORBIDDEN);
        }
        let Some(reports) = read(&body) else { return empty(StatusCode::BAD_REQUEST) };
        let tokens = self.0.tokens.clone();
        // After the answer: how long it takes says whether one was a token.
        in_background(async move {
            for (token, source) in reports {
                // The service tells its listener of a failure.
                let _ = tokens.report_leaks(&[token.as_str()], source.as_deref()).await;
            }
        });
        empty(StatusCode::ACCEPTED)
    }
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> Inner<S, M, R> {
    /// Counts a report. Returns how long to wait if there were too many.
    fn wait(&self) -> Option<Duration> {
        const MINUTE: Duration = Duration::from_secs(60);
        let uptime = self.tokens.uptime();
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        if uptime.saturating_sub(minute.0) >= MINUTE {
            *minute = (uptime, 0);
        }
        minute.1 = minute.1.saturating_add(1);
        (minute.1 > self.per_minute).then(|| MINUTE.saturating_sub(uptime.saturating_sub(minute.0)))
    }
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
