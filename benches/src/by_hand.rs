//! What people write by hand: jsonwebtoken in an extractor, keys and validation prepared once.

use std::sync::Arc;

use axum::{Router, extract::FromRequestParts, routing::get};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use portcullis::Algorithm;
use serde::Deserialize;

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

/// The router of whoever trusts `issuer`, whose one key is in the JWK set `jwks`.
pub fn by_hand(algorithm: Algorithm, jwks: &str, issuer: &str, audience: &str) -> Router {
    async fn handler(identity: HandIdentity) -> String {
        identity.0.sub
    }
    let set: JwkSet = serde_json::from_str(jwks).expect("a key set");
    let key = DecodingKey::from_jwk(&set.keys[0]).expect("a key");
    let mut validation = Validation::new(algorithm.name().parse().expect("an algorithm"));
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.validate_nbf = true;
    Router::new().route("/", get(handler)).with_state(Hand(Arc::new((key, validation))))
}
