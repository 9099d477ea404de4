//! axum-jwt-auth: an extractor, with the key at hand.

use std::sync::Arc;

use axum::{Router, extract::FromRef, routing::get};
use axum_jwt_auth::{Claims, Decoder, LocalDecoder};
use jsonwebtoken_10::{DecodingKey, Validation, jwk::JwkSet};
use portcullis_benches::Member;

use crate::trust::Trust;

#[derive(Clone, FromRef)]
struct App {
    decoder: Decoder<Member>,
}

pub fn router(trust: &Trust) -> Router {
    async fn handler(claims: Claims<Member>) -> String {
        claims.claims.sub
    }
    let set: JwkSet = serde_json::from_str(&trust.jwks).expect("a key set");
    let key = DecodingKey::from_jwk(&set.keys[0]).expect("a key");
    let mut validation = Validation::new(trust.algorithm.name().parse().expect("an algorithm"));
    validation.set_audience(&[trust.audience()]);
    validation.set_issuer(&[trust.issuer.name()]);
    validation.validate_nbf = true;
    let decoder = LocalDecoder::builder().keys(vec![key]).validation(validation).build().expect("a decoder");
    Router::new().route("/", get(handler)).with_state(App { decoder: Arc::new(decoder) })
}
