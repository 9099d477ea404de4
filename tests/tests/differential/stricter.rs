//! Where we are stricter than jsonwebtoken on purpose.

use portcullis::Code;
use serde_json::Value;

use super::{text::Seen, token::LEEWAY};

/// The code, the reason, and whether it applies. A code that is not here must not be our only objection.
pub(crate) const STRICTER: [Reason; 9] = [
    (Code::TokenTooLong, "jsonwebtoken has no limit; ours is 16 KiB", |seen| seen.len > 16 * 1024),
    (
        Code::HeaderMalformed,
        "RFC 7515 section 4: members stand once; null is no string; a key id of more than 512 bytes is none",
        |seen| seen.header.has_duplicates || seen.header.depth > MAX_DEPTH || has_malformed_header(&seen.header.value),
    ),
    (Code::ExtensionNotUnderstood, "RFC 7515 section 4.1.11, RFC 7797: we understand none", |seen| {
        seen.header.value.get("crit").is_some() || seen.header.value["b64"] == false
    }),
    (Code::TypeNotAccepted, "RFC 8725 section 3.11: another kind of token", |seen| {
        let typ = seen.header.value["typ"].as_str().unwrap_or_default().to_ascii_lowercase();
        !["jwt", "at+jwt"].contains(&typ.strip_prefix("application/").unwrap_or(&typ))
    }),
    (Code::KeyUnknown, "a key id selects: what it does not name is not tried", |seen| {
        seen.header.value.get("kid").is_some_and(|kid| *kid != seen.key.id())
    }),
    (
        Code::ClaimsMalformed,
        "RFC 7519 sections 4 and 4.1: members stand once and have their types; null is not absence; iss is one string",
        |seen| seen.claims.has_duplicates || seen.claims.depth > MAX_DEPTH || has_malformed_claim(&seen.claims.value),
    ),
    (Code::TokenExpired, "RFC 7519 section 4.1.4: not *on* or after exp; no rounding up", |seen| {
        let exp = seen.claims.value["exp"].as_f64().unwrap();
        exp.floor() + seconds(LEEWAY) <= seconds(seen.now)
    }),
    (
        Code::TokenNotYetValid,
        "RFC 7519 section 4.1.5: not before nbf, not by a fraction of a second; no rounding down",
        |seen| seen.claims.value["nbf"].as_f64().unwrap() > seconds(seen.now + LEEWAY),
    ),
    (Code::TokenIssuedInFuture, "a token from the future: a clock is wrong, or lies", |seen| {
        seen.claims.value["iat"].as_f64().unwrap() > seconds(seen.now + LEEWAY)
    }),
];

pub(crate) type Reason = (Code, &'static str, fn(&Seen) -> bool);

const MAX_DEPTH: usize = 32;

fn has_malformed_header(header: &Value) -> bool {
    let bad_text = ["typ", "kid"].iter().any(|name| header.get(name).is_some_and(Value::is_null));
    let long = header["kid"].as_str().is_some_and(|kid| kid.len() > 512);
    bad_text || long || header.get("b64").is_some_and(|b64| !b64.is_boolean())
}

fn has_malformed_claim(claims: &Value) -> bool {
    let any = |names: &[&str], bad: fn(&Value) -> bool| names.iter().any(|name| claims.get(name).is_some_and(bad));
    !claims.is_object()
        || any(&["iss", "sub", "jti", "sid", "client_id", "acr"], |claim| !claim.is_string())
        || any(&["exp", "nbf", "iat", "auth_time"], |claim| !is_date(claim))
        || any(&["ver"], |claim| !claim.is_u64() && !claim.is_string())
}

/// Up to the year 9999: a larger number is a way to say "never".
fn is_date(claim: &Value) -> bool {
    claim.as_f64().is_some_and(|date| (0.0..=253_402_300_799.0).contains(&date))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn seconds(time: u64) -> f64 {
    time as f64
}
