//! The JWS examples printed in RFC 7515, 7520, 7797 and 8037, at the signature layer.
#![cfg(test)]

#[path = "support/signature.rs"]
mod signature;
#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;

use serde_json::Value;

#[test]
fn every_example() {
    let Some(vectors) = vectors::read("rfc-examples.json") else { return };
    let mut tally = BTreeMap::new();
    for example in vectors["examples"].as_array().unwrap() {
        let (keys, _) = signature::keys(&example["key"]);
        let verdict = signature::judge(&keys, &text(&example["jws"]));
        let expected = match example["verifier"].as_str().unwrap() {
            "signature-ok" => verdict.is_ok(),
            "unsupported-alg" => verdict == Err("algorithm_not_allowed"),
            "refuse" => verdict.is_err(),
            other => panic!("{other}: the vectors have a new meaning"),
        };
        assert!(expected, "{}: {verdict:?}, expected {}", example["id"], example["verifier"]);
        *tally.entry(verdict.err().unwrap_or("accepted")).or_insert(0) += 1;
    }
    eprintln!("rfc-examples.json: {tally:?}");
    let expected = [("accepted", 8), ("algorithm_not_allowed", 2), ("token_malformed", 9)];
    assert_eq!(tally, BTreeMap::from(expected));
}

/// A JSON serialization as the text that somebody might send in place of a token.
fn text(jws: &Value) -> String {
    jws.as_str().map_or_else(|| jws.to_string(), ToOwned::to_owned)
}
