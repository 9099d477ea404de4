//! The JWS examples printed in RFC 7515, 7520, 7797 and 8037, at the signature layer.
#![cfg(test)]

#[path = "support/signature.rs"]
mod signature;

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const TEXT: &str = include_str!("../vectors/rfc-examples.json");

#[test]
fn every_example_is_decided_as_its_rfc_says() {
    let vectors: Value = serde_json::from_str(TEXT).unwrap();
    let mut tally = BTreeMap::new();
    for example in vectors["examples"].as_array().unwrap() {
        let names = example["keys"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        let (keys, _) = signature::keys(&key(names.map(|name| vectors["keys"][name].clone()).collect()));
        let verdict = signature::judge(&keys, &text(example)).err().unwrap_or("accepted");
        assert_eq!(verdict, example["verdict"], "RFC {} section {}", example["rfc"], example["section"]);
        *tally.entry(verdict).or_insert(0) += 1;
    }
    let expected = [("accepted", 8), ("algorithm_not_allowed", 2), ("token_malformed", 9)];
    assert_eq!(tally, BTreeMap::from(expected));
}

/// One key, as most examples have it, or a set.
fn key(mut keys: Vec<Value>) -> Value {
    if keys.len() == 1 { keys.remove(0) } else { json!({ "keys": keys }) }
}

/// The compact serialization, or JSON text that a client might send in its place.
fn text(example: &Value) -> String {
    if let Some(json) = example.get("json") {
        return json.to_string();
    }
    let encoded = |part: &str| URL_SAFE_NO_PAD.encode(example[part].as_str().unwrap());
    format!("{}.{}.{}", encoded("header"), encoded("payload"), example["signature"].as_str().unwrap())
}
