//! What people write by hand who found verifying too slow: claims by token, in a cache that forgets after a minute.
//!
//! It accepts what has expired, or lost its key, within that minute.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::FromRequestParts, routing::get};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};
use moka::sync::Cache;
use portcullis_benches::Hand;

#[derive(Clone)]
struct HandCached {
    hand: Hand,
    cache: Cache<String, Arc<str>>,
}

struct Subject(Arc<str>);

impl FromRequestParts<HandCached> for Subject {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &HandCached) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
        let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        if let Some(subject) = state.cache.get(token) {
            return Ok(Self(subject));
        }
        let subject: Arc<str> = state.hand.subject(token).ok_or(StatusCode::UNAUTHORIZED)?.into();
        state.cache.insert(token.to_owned(), Arc::clone(&subject));
        Ok(Self(subject))
    }
}

pub fn router(hand: Hand) -> Router {
    async fn handler(subject: Subject) -> String {
        subject.0.to_string()
    }
    let cache = Cache::builder().max_capacity(10_000).time_to_live(Duration::from_secs(60)).build();
    Router::new().route("/", get(handler)).with_state(HandCached { hand, cache })
}
