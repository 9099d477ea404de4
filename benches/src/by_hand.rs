//! What people write by hand: jsonwebtoken in an extractor, keys and validation prepared once.

use std::sync::Arc;

use axum::{Router, extract::FromRequestParts, routing::get};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use portcullis::Algorithm;
use serde::Deserialize;

/// Whom the hand-written extractor trusts.
#[derive(Clone)]
pub struct Hand(Arc<(DecodingKey, Validation)>);

#[derive(Deserialize)]
struct HandClaims {
    sub: String,
    #[expect(dead_code, reason = "read as everybody does, to be checked")]
    scope: Option<String>,
}

impl Hand {
    /// Trusts `issuer`, whose one key is in the JWK set `jwks`.
    pub fn new(algorithm: Algorithm, jwks: &str, issuer: &str, audience: &str) -> Self {
        let set: JwkSet = serde_json::from_str(jwks).expect("a key set");
        let key = DecodingKey::from_jwk(&set.keys[0]).expect("a key");
        let mut validation = Validation::new(algorithm.name().parse().expect("an algorithm"));
        validation.set_audience(&[audience]);
        validation.set_issuer(&[issuer]);
        validation.validate_nbf = true;
        Self(Arc::new((key, validation)))
    }

    /// The caller's name, if the token is good.
    pub fn subject(&self, token: &str) -> Option<String> {
        let (key, validation) = &*self.0;
        let data = jsonwebtoken::decode::<HandClaims>(token, key, validation).ok()?;
        Some(data.claims.sub)
    }

    /// The router of whoever writes this.
    pub fn router(self) -> Router {
        async fn handler(subject: HandSubject) -> String {
            subject.0
        }
        Router::new().route("/", get(handler)).with_state(self)
    }
}

struct HandSubject(String);

impl FromRequestParts<Hand> for HandSubject {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, hand: &Hand) -> Result<Self, StatusCode> {
        let header = parts.headers.get(AUTHORIZATION).ok_or(StatusCode::UNAUTHORIZED)?;
        let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
        let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
        hand.subject(token).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}
