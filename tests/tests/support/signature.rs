//! How a plain JWS is judged by a JWK or a set of them.

use portcullis::{
    Admission, Code, JwtAuthenticator, KeySet, TrustedIssuer,
    authenticator::Attempt,
    clock::UnixTime,
    keys::{KeyErrorKind, KeyHint, KeySource, Resolved, SkippedKey, VerifyingKey},
    token::UnverifiedToken,
};
use serde_json::{Value, json};

/// What the signature layer says: accepted, or why not.
pub(crate) type Verdict = Result<(), &'static str>;

/// The keys of a JWK or a JWK Set, and what is wrong with those that cannot be used.
///
/// Public keys are read as those from elsewhere: what cannot be used is skipped. Secrets are read as one's own: then
/// there are no keys at all.
pub(crate) fn keys(key: &Value) -> (KeySet, Vec<KeyErrorKind>) {
    let set = if key.get("keys").is_some() { key.clone() } else { json!({ "keys": [key] }) };
    let has_secrets = set["keys"].as_array().unwrap().iter().any(|key| key["kty"] == "oct");
    let kinds = |skipped: &[SkippedKey]| skipped.iter().map(|key| key.reason().kind()).collect();
    if !has_secrets {
        let (keys, skipped) = KeySet::from_jwks(&set.to_string()).unwrap();
        return (keys, kinds(&skipped));
    }
    match KeySet::from_jwks_with_secrets(&set.to_string()) {
        Ok(keys) => (keys, Vec::new()),
        Err(error) => (KeySet::new::<VerifyingKey>([]), kinds(error.problems())),
    }
}

/// Judges one JWS.
pub(crate) fn judge(keys: &KeySet, jws: &str) -> Verdict {
    check_form(keys, jws)?;
    check_signature(keys, jws)
}

/// The parts are decoded by the verifier, not by the signature layer. It must find no fault with their form; that no
/// vector has claims that it accepts goes without saying, and is checked.
fn check_form(keys: &KeySet, jws: &str) -> Verdict {
    if keys.is_empty() {
        return Ok(()); // no admission can be made of it; the signature layer has the say
    }
    let issuer = TrustedIssuer::new("https://issuer.example", keys.clone()).audience("service");
    let Attempt::Done(Err(refusal)) = Admission::new(JwtAuthenticator::new(issuer).unwrap()).verify(jws) else {
        panic!("accepted as a token: {jws}")
    };
    if refusal.code() == Code::TokenMalformed { Err(refusal.code().as_str()) } else { Ok(()) }
}

fn check_signature(keys: &KeySet, jws: &str) -> Verdict {
    let token = UnverifiedToken::parse(jws).map_err(|error| error.code().as_str())?;
    let hint = KeyHint::new(token.header().algorithm(), token.header().key_id());
    let keys = match keys.resolve(hint, UnixTime::EPOCH) {
        Resolved::Keys(keys) => keys,
        Resolved::Unknown => return Err(Code::KeyUnknown.as_str()),
        other => panic!("{other:?}"),
    };
    let mut verdicts = keys.iter().map(|key| token.check_signature(key));
    match verdicts.find(Result::is_ok) {
        Some(_) => Ok(()),
        None => token.check_signature(keys.iter().next().unwrap()).map_err(|error| error.code().as_str()),
    }
}
