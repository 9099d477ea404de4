//! Assertions of clients: octets as claims under a right signature.

use std::sync::LazyLock;

use portcullis::token::UnverifiedToken;
use portcullis_issuer::{
    documents::GrantType,
    server::{Client, ClientList, EndpointRequest, OAuthErrorCode},
};
use portcullis_test::{FixedClock, MockIssuer};
use serde_json::{Map, Value};

use super::{
    claims::{seconds, seconds_up},
    desk::{Desk, ISSUER, ORDERS},
    now::now,
    scene::NOW,
    strict::{self, Reading},
};

const CLIENT: &str = "signer";

/// The server's leeway.
const LEEWAY: u64 = 30;

/// How long an assertion may be valid.
const LIFE: u64 = 300;

/// Signs the octets as claims. They authenticate the client exactly if the oracle finds them acceptable, and once.
pub fn check(claims: &[u8]) {
    let assertion = KEYS.token().raw_claims(claims).typ("JWT").sign();
    let keys = KEYS.keys();
    let client = Client::with_keys(CLIENT, keys).grants([GrantType::ClientCredentials]).resource(ORDERS);
    let desk = Desk::new(ClientList::new([client]).unwrap(), |builder| builder);
    let body = format!(
        "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion={assertion}"
    );
    let present = || now(desk.server.token(&EndpointRequest::new(body.as_bytes()))).map_err(|error| error.code());
    let acceptable = matches!(strict::read(claims), Reading::Strict(members) if is_acceptable(&members));
    match present() {
        Ok(_) => {
            assert!(acceptable, "accepted, which should not be");
            assert_eq!(present().err(), Some(OAuthErrorCode::InvalidClient), "accepted twice");
        }
        Err(OAuthErrorCode::InvalidRequest) => assert!(body.len() > EndpointRequest::MOST_BYTES),
        Err(code) => {
            assert_eq!(code, OAuthErrorCode::InvalidClient);
            assert!(!acceptable || assertion.len() > UnverifiedToken::MAX_LEN, "refused");
        }
    }
}

fn is_acceptable(members: &Map<String, Value>) -> bool {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let date = |name: &str| members.get(name).and_then(seconds);
    let expires_at = date("exp");
    let is_short = expires_at.is_some_and(|end| {
        let is_of_now = NOW < end + LEEWAY && end <= NOW + LIFE + LEEWAY;
        is_of_now && date("iat").is_none_or(|begin| begin <= NOW + LEEWAY && end.saturating_sub(begin) <= LIFE)
    });
    [text("iss"), text("sub"), text("aud")] == [Some(CLIENT), Some(CLIENT), Some(ISSUER)]
        && text("jti").is_some_and(|id| !id.is_empty())
        && is_short
        && is_for_now(members)
}

/// The rules of every token.
fn is_for_now(members: &Map<String, Value>) -> bool {
    let absent_or = |name: &str, fits: fn(&Value) -> bool| members.get(name).is_none_or(fits);
    let has_begun = |date: &Value| seconds_up(date).is_some_and(|begin| begin <= NOW + LEEWAY);
    let events = members.get("events").and_then(Value::as_object);
    let is_event = events.is_some_and(|events| events.keys().any(|name| name.contains(':')));
    absent_or("iat", |date| seconds(date).is_some())
        && absent_or("nbf", has_begun)
        && !is_event
        && !members.contains_key("cnf")
}

static KEYS: LazyLock<MockIssuer> =
    LazyLock::new(|| MockIssuer::with_algorithm(portcullis::Algorithm::EdDsa).clock(FixedClock::default()));
