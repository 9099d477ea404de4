//! Where we are stricter than jsonwebtoken on purpose.

use portcullis::Code;
use serde_json::Value;

use super::{text::Seen, token::LEEWAY};

/// A code, why it is right, and whether that is so of a token.
pub(crate) type Reason = (Code, &'static str, fn(&Seen) -> bool);

/// All reasons. A refusal of ours that none of them explains must not be our only objection.
pub(crate) const STRICTER: [Reason; 16] = [
    (Code::TokenTooLong, "jsonwebtoken has no limit; ours is 16 KiB", |seen| seen.len > 16 * 1024),
    (Code::HeaderMalformed, "RFC 7515 section 4: a member stands once", |seen| seen.header.has_duplicates),
    (Code::HeaderMalformed, "nesting is bounded (header)", |seen| seen.header.depth > MAX_DEPTH),
    (Code::HeaderMalformed, "null is no type and no key id", |seen| {
        has(&seen.header.value, &["typ", "kid"], Value::is_null)
    }),
    (Code::HeaderMalformed, "a key id has at most 512 bytes", |seen| {
        seen.header.value["kid"].as_str().is_some_and(|kid| kid.len() > 512)
    }),
    (Code::ExtensionNotUnderstood, "RFC 7515 section 4.1.11: there is none that we understand", |seen| {
        seen.header.value.get("crit").is_some()
    }),
    (Code::TypeNotAccepted, "RFC 8725 section 3.11: another kind of token", |seen| {
        let typ = seen.header.value["typ"].as_str().unwrap_or_default().to_ascii_lowercase();
        !["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
    }),
    (Code::KeyUnknown, "a key id selects: what it does not name is not tried", |seen| {
        has(&seen.header.value, &["kid"], Value::is_string) && seen.header.value["kid"] != seen.key.id()
    }),
    (Code::ClaimsMalformed, "RFC 7519 section 7.2: claims are an object; an array is not read by position", |seen| {
        seen.claims.value.is_array()
    }),
    (Code::ClaimsMalformed, "RFC 7519 section 4: a claim stands once", |seen| seen.claims.has_duplicates),
    (Code::ClaimsMalformed, "nesting is bounded (claims)", |seen| seen.claims.depth > MAX_DEPTH),
    (Code::ClaimsMalformed, "RFC 7519 section 4.1: claims that we read have their types, and null is none", |seen| {
        has(&seen.claims.value, &["iss", "sub"], |claim| !claim.is_string())
            || has(&seen.claims.value, &["exp", "nbf", "iat"], |claim| !is_date(claim))
    }),
    (Code::TokenExpired, "RFC 7519 section 4.1.4: not *on* or after exp", |seen| {
        seen.claims.value["exp"].as_f64() == Some(seconds(seen.now - LEEWAY))
    }),
    (Code::TokenExpired, "exp is not rounded up", |seen| {
        let exp = seen.claims.value["exp"].as_f64().unwrap();
        exp.fract() > 0.0 && exp.floor() + seconds(LEEWAY) <= seconds(seen.now)
    }),
    (Code::TokenNotYetValid, "RFC 7519 section 4.1.5: not before nbf, not by a fraction of a second", |seen| {
        seen.claims.value["nbf"].as_f64().unwrap() > seconds(seen.now + LEEWAY)
    }),
    (Code::TokenIssuedInFuture, "a token from the future: a clock is wrong, or lies", |seen| {
        seen.claims.value["iat"].as_f64().unwrap() > seconds(seen.now + LEEWAY)
    }),
];

const MAX_DEPTH: usize = 32;

fn has(object: &Value, names: &[&str], quality: fn(&Value) -> bool) -> bool {
    names.iter().any(|name| object.get(name).is_some_and(quality))
}

/// Up to the year 9999: a larger number is a way to say "never".
fn is_date(claim: &Value) -> bool {
    claim.as_f64().is_some_and(|date| (0.0..=253_402_300_799.0).contains(&date))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn seconds(time: u64) -> f64 {
    time as f64
}
