//! What people write by hand: jsonwebtoken in an extractor, keys and validation prepared once.

use std::sync::Arc;

use axum::{Router, extract::FromRequestParts, routing::get};
use http::{StatusCode, header::AUTHORIZATION, request::Parts};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use portcullis::Algorithm;
use serde::{Deserialize, de::DeserializeOwned};

use crate::Member;

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
        self.claims::<HandClaims>(token).map(|claims| claims.sub)
    }

    /// The router that people write.
    pub fn router(self) -> Router {
        async fn handler(subject: HandSubject) -> String {
            subject.0
        }
        Router::new().route("/", get(handler)).with_state(self)
    }

    /// The same with custom claims of six fields.
    pub fn member_router(self) -> Router {
        async fn handler(member: HandMember) -> String {
            member.0.sub
        }
        Router::new().route("/", get(handler)).with_state(self)
    }

    fn claims<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let (key, validation) = &*self.0;
        Some(jsonwebtoken::decode::<C>(token, key, validation).ok()?.claims)
    }
}

struct HandSubject(String);

struct HandMember(Member);

impl FromRequestParts<Hand> for HandSubject {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, hand: &Hand) -> Result<Self, StatusCode> {
        bearer(parts).and_then(|token| hand.subject(token)).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl FromRequestParts<Hand> for HandMember {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, hand: &Hand) -> Result<Self, StatusCode> {
        bearer(parts).and_then(|token| hand.claims(token)).map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    parts.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
