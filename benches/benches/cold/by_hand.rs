//! What people write by hand: jsonwebtoken in an extractor, keys and validation prepared once.

use std::sync::Arc;

use axum::{Router, extract::FromRequestParts, routing::get};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde::Deserialize;

use crate::contenders::Case;

#[derive(Deserialize)]
struct HandClaims {
    sub: String,
    #[expect(dead_code, reason = "read as everybody does, to be checked")]
    scope: Option<String>,
}

#[derive(Clone)]
struct Hand(Arc<(DecodingKey, Validation)>);

struct HandIdentity(HandClaims);

impl FromRequestParts<Hand> for HandIdentity {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, state: &Hand) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
        let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let (key, validation) = &*state.0;
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        let data = jsonwebtoken::decode::<HandClaims>(token, key, validation).map_err(|_| StatusCode::UNAUTHORIZED)?;
        Ok(Self(data.claims))
    }
}

pub fn router(case: &Case) -> Router {
    async fn handler(identity: HandIdentity) -> String {
        identity.0.sub
    }
    let set: JwkSet = serde_json::from_str(&case.jwks()).expect("a key set");
    let key = DecodingKey::from_jwk(&set.keys[0]).expect("a key");
    let mut validation = Validation::new(case.algorithm.name().parse().expect("an algorithm"));
    validation.set_audience(&["https://service.test"]);
    validation.set_issuer(&[case.issuer_name()]);
    validation.validate_nbf = true;
    Router::new().route("/", get(handler)).with_state(Hand(Arc::new((key, validation))))
}
