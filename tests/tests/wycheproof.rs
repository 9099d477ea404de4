//! Project Wycheproof's tests of JWS and JWK, at the signature layer: their payloads are no claims sets.
#![cfg(test)]

#[path = "support/signature.rs"]
mod signature;
#[path = "support/vectors.rs"]
mod vectors;

use std::collections::BTreeMap;

use portcullis::keys::KeyErrorKind;
use serde_json::Value;
use signature::Verdict;

/// Tests that Wycheproof leaves open, or marks against the RFCs, and what we do: file, test, whether accepted, why.
///
/// Every entry of the vectors' `quirks.json` stands here, and every deviation of our own.
const REASONS: [(&str, u64, bool, &str); 12] = [
    (JWS, 259, false, EMPTY_PAYLOAD),
    (JWS, 264, false, EMPTY_PAYLOAD),
    (JWS, 268, false, EMPTY_PAYLOAD),
    (JWS, 272, false, EMPTY_PAYLOAD),
    (JWS, 320, false, EMPTY_PAYLOAD),
    (JWS, 325, false, EMPTY_PAYLOAD),
    (JWS, 347, false, "ES512 is no algorithm here, and the JWK's alg ES521 is none anywhere"),
    (JWS, 351, false, "ES512 is no algorithm here, and the JWK's alg ES521 is none anywhere"),
    (JWS, 367, true, "the same text as the valid test 357: the padding it is named for is not there"),
    (JWS, 373, false, "RFC 7515 section 2: no characters outside of base64url, so no question mark"),
    (JWK, 1, false, "a set of secrets and public keys will be published by mistake one day"),
    (JWK, 7, false, "a key by a broken generator (ROCA): its private half can be computed"),
];

/// The keys of the key set tests that cannot be used: the test and why.
const UNUSABLE: [(u64, KeyErrorKind); 9] = [
    (1, KeyErrorKind::Secret),
    (7, KeyErrorKind::Weak),
    (9, KeyErrorKind::Weak),
    (11, KeyErrorKind::Weak),
    (17, KeyErrorKind::Weak),
    (19, KeyErrorKind::Unsupported),
    (21, KeyErrorKind::WrongUse),
    (23, KeyErrorKind::Invalid),
    (25, KeyErrorKind::Unsupported),
];

const EMPTY_PAYLOAD: &str = "RFC 7519 section 7.2: a JWT's payload is a JSON object, so never empty";

const JWS: &str = "json_web_signature_test.json";
const JWK: &str = "json_web_key_test.json";

#[test]
fn signatures() {
    let expected = [
        ("accepted", 18),
        ("algorithm_not_allowed", 2),
        ("key_unknown", 2),
        ("signature_invalid", 149),
        ("token_malformed", 32),
    ];
    run(JWS, 203, &expected);
}

#[test]
fn key_sets() {
    let expected = [("accepted", 4), ("key_unknown", 8), ("token_malformed", 1)];
    run(JWK, 13, &expected);
}

#[test]
fn keys_that_cannot_be_used() {
    let Some(vectors) = vectors::read(&format!("wycheproof/{JWK}")) else { return };
    let mut found = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let (_, unusable) = signature::keys(key(group));
        found.extend(unusable.into_iter().map(|kind| (group["tests"][0]["tcId"].as_u64().unwrap(), kind)));
    }
    assert_eq!(found, UNUSABLE);
}

#[test]
fn every_quirk_is_decided_as_recommended_or_has_a_reason() {
    let Some(quirks) = vectors::read("wycheproof/quirks.json") else { return };
    let quirks = quirks.as_array().unwrap();
    let own = REASONS.iter().filter(|reason| reason.3 == EMPTY_PAYLOAD).count();
    assert_eq!(quirks.len() + own, REASONS.len(), "whatever has no reason is decided as marked");
    for quirk in quirks {
        let (file, test) = (quirk["file"].as_str().unwrap(), quirk["tcId"].as_u64().unwrap());
        let accepted = reason(file, test).expect("a reason");
        match quirk["recommended"].as_str().unwrap() {
            "accept" => assert!(accepted, "{quirk}"),
            "refuse" => assert!(!accepted, "{quirk}"),
            recommended => assert_eq!(recommended, "policy"),
        }
    }
}

/// Runs a file's tests and compares how many came to which verdict.
fn run(file: &str, count: usize, expected: &[(&str, usize)]) {
    let Some(vectors) = vectors::read(&format!("wycheproof/{file}")) else { return };
    let mut tally = BTreeMap::new();
    let mut failures = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let (keys, _) = signature::keys(key(group));
        for test in group["tests"].as_array().unwrap() {
            let verdict = signature::judge(&keys, test["jws"].as_str().unwrap());
            failures.extend(failure(file, test, verdict));
            *tally.entry(verdict.err().unwrap_or("accepted")).or_insert(0) += 1;
        }
    }
    eprintln!("{file}: {tally:?}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(tally.values().sum::<usize>(), count);
    assert_eq!(tally, expected.iter().copied().collect());
}

/// The half that verifies: the public one, or the secret.
fn key(group: &Value) -> &Value {
    group.get("public").unwrap_or(&group["private"])
}

fn failure(file: &str, test: &Value, verdict: Verdict) -> Option<String> {
    let id = test["tcId"].as_u64().unwrap();
    let accept = reason(file, id).unwrap_or_else(|| match test["result"].as_str().unwrap() {
        "valid" => true,
        result => result != "invalid",
    });
    let comment = &test["comment"];
    (accept != verdict.is_ok()).then(|| format!("{id} ({comment}): {verdict:?}, to be accepted: {accept}"))
}

fn reason(file: &str, test: u64) -> Option<bool> {
    REASONS.iter().find(|reason| reason.0 == file && reason.1 == test).map(|reason| reason.2)
}
