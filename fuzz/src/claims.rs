//! Claims under a right signature, so that what is behind it is reached.

use portcullis::{claims::ClaimRef, clock::UnixTime, token::UnverifiedToken, verified::Facts};
use portcullis_test::MockIssuer;
use serde_json::{Map, Value};

use super::{
    scene,
    strict::{self, Reading},
};

type Members = Map<String, Value>;

/// The service's default leeway.
const LEEWAY: u64 = 30;

/// Signs the octets as claims. They are accepted exactly if the oracle finds them acceptable, and then say what it reads.
pub fn check(claims: &[u8]) {
    let token = scene::ISSUER.token().raw_claims(claims).sign();
    let verdict = scene::verify(&token);
    let acceptable = match strict::read(claims) {
        Reading::Strict(members) => Some(members).filter(|members| is_acceptable(members) && !tells_of_event(members)),
        // In claims, no object passes for a number.
        Reading::PerhapsNumber | Reading::Other => None,
    };
    match (verdict, acceptable) {
        (Ok(verified), Some(members)) => assert_reads(&verified, claims, members),
        (Ok(_), None) => panic!("accepted, which should not be"),
        (Err(error), Some(_)) => assert!(token.len() > UnverifiedToken::MAX_LEN, "refused as {error}"),
        (Err(_), None) => {}
    }
}

pub(crate) fn is_acceptable(members: &Members) -> bool {
    let absent_or = |name: &str, fits: fn(&Value) -> bool| members.get(name).is_none_or(fits);
    let has_come = |secs: Option<u64>| secs.is_some_and(|secs| secs <= scene::NOW + LEEWAY);
    members.get("iss").and_then(Value::as_str) == Some(MockIssuer::DEFAULT_NAME)
        && members.get("aud").is_some_and(names_us)
        && members.get("exp").and_then(seconds).is_some_and(|secs| scene::NOW < secs + LEEWAY)
        && members.get("nbf").is_none_or(|date| has_come(seconds_up(date)))
        && members.get("iat").is_none_or(|date| has_come(seconds(date)))
        && absent_or("sub", Value::is_string)
        && !members.contains_key("cnf")
}

/// RFC 8417 section 2.2: the names of events are URIs.
fn tells_of_event(members: &Members) -> bool {
    let events = members.get("events").and_then(Value::as_object);
    events.is_some_and(|events| events.keys().any(|name| name.contains(':')))
}

fn names_us(audience: &Value) -> bool {
    let is_us = |value: &Value| value == MockIssuer::DEFAULT_AUDIENCE;
    match audience {
        Value::Array(values) => values.iter().all(Value::is_string) && values.iter().any(is_us),
        value => is_us(value),
    }
}

/// The whole seconds of a `NumericDate`.
pub(crate) fn seconds(date: &Value) -> Option<u64> {
    numeric_date(date).map(f64::floor).map(whole)
}

/// The same for `nbf`, which must not come early.
pub(crate) fn seconds_up(date: &Value) -> Option<u64> {
    numeric_date(date).map(f64::ceil).map(whole)
}

fn numeric_date(date: &Value) -> Option<f64> {
    const YEAR_9999: f64 = 253_402_300_799.0;
    date.as_f64().filter(|date| (0.0..=YEAR_9999).contains(date))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(date: f64) -> u64 {
    date as u64
}

fn assert_reads(facts: &Facts, claims: &[u8], members: Members) {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let id = |name: &str| text(name).filter(|id| !id.is_empty());
    let time = |name: &str| members.get(name).and_then(seconds);
    assert_eq!(Some(facts.issuer()), text("iss"));
    assert_eq!(facts.audience(), Some(MockIssuer::DEFAULT_AUDIENCE));
    assert_eq!(facts.subject(), id("sub"));
    assert_eq!(facts.token_id(), id("jti"));
    assert_eq!(facts.client_id(), id("client_id"));
    assert_eq!(facts.session_id(), id("sid"));
    assert_eq!(facts.acr(), text("acr"));
    assert_eq!(facts.version(), members.get("ver").and_then(Value::as_u64));
    assert_eq!(facts.expires_at().map(UnixTime::as_secs), time("exp"));
    assert_eq!(facts.not_before().map(UnixTime::as_secs), members.get("nbf").and_then(seconds_up));
    assert_eq!(facts.issued_at().map(UnixTime::as_secs), time("iat"));
    assert_eq!(facts.authenticated_at().map(UnixTime::as_secs), time("auth_time"));
    assert_eq!(facts.scopes().iter().collect::<Vec<_>>(), granted(&members));
    assert_eq!(facts.claims_json().as_bytes(), claims);
    let tree = facts.claim("").and_then(ClaimRef::read::<Value>);
    assert_eq!(tree, Some(Value::Object(members)), "the tree is not what was signed");
}

/// `scope`, or else `scp`: the words of a text, or the texts of an array.
fn granted(members: &Members) -> Vec<&str> {
    let granted: Vec<_> = match members.get("scope").or_else(|| members.get("scp")) {
        Some(Value::String(text)) => text.split(' ').collect(),
        Some(Value::Array(scopes)) => scopes.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    granted.into_iter().filter(|scope| !scope.is_empty()).collect()
}
