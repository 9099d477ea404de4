//! Headers under a right signature.

use portcullis::token::UnverifiedToken;
use serde_json::{Map, Value};

use super::{
    scene,
    strict::{self, Reading},
};

/// Signs the octets as a header. The token is accepted exactly if the oracle finds the header acceptable.
pub fn check(header: &[u8]) {
    let token = scene::ISSUER.token().raw_header(header).sign();
    let verdict = scene::verify(&token);
    let acceptable = match strict::read(header) {
        Reading::Strict(members) => is_acceptable(&members),
        Reading::PerhapsNumber => return,
        Reading::Other => false,
    };
    match verdict {
        Ok(verified) => {
            assert!(acceptable, "accepted, which should not be");
            assert_eq!(verified.key_id(), Some(scene::KEY_ID));
        }
        Err(error) => assert!(!acceptable || token.len() > UnverifiedToken::MAX_LEN, "refused as {error}"),
    }
}

fn is_acceptable(members: &Map<String, Value>) -> bool {
    members.get("alg").is_some_and(|alg| alg == "HS256")
        && members.get("kid").is_none_or(|kid| kid == scene::KEY_ID)
        && members.get("typ").is_none_or(is_access_token)
        && members.get("b64").is_none_or(|b64| *b64 == Value::Bool(true))
        && !members.contains_key("crit")
}

fn is_access_token(kind: &Value) -> bool {
    let kind = kind.as_str().map(str::to_ascii_lowercase);
    kind.is_some_and(|kind| ["jwt", "at+jwt"].contains(&kind.strip_prefix("application/").unwrap_or(&kind)))
}
