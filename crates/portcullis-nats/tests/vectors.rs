//! Every case of `tests/vectors/nats.json` and `nats-rules.json`: chains, operators, activations, nkeys, creds, subjects, times, addresses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::{collections::BTreeMap, fs, net::IpAddr, path::Path};

use portcullis_core::UnixTime;
use portcullis_nats::{
    chain::{Bearer, Chain, Circumstances, Operators, Policy, Unrestricted},
    connect,
    creds::Creds,
    nkey::{AccountKey, KeyPair, PublicKey},
    token::Token,
};
use serde_json::Value;

/// The files.
const FILES: [&str; 2] = ["nats.json", "nats-rules.json"];

fn vectors(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The elements of a list that may be missing from one of the files, but not from both.
fn rows(section: &str) -> Vec<Value> {
    let rows: Vec<_> = FILES
        .into_iter()
        .flat_map(|file| vectors(file).get(section).and_then(Value::as_array).cloned().unwrap_or_default())
        .collect();
    assert!(!rows.is_empty(), "no {section}");
    rows
}

/// A policy as near to a nats-server's as possible: what is stricter is not an option.
fn policy() -> Policy {
    Policy::new().bearer(Bearer::Accept).unrestricted(Unrestricted::Allow).max_token_bytes(1024 * 1024)
}

fn chain(trust: &Value) -> Chain {
    let operators = trust["operators"].as_array().unwrap().iter();
    let operators = operators.fold(Operators::new(), |all, jwt| all.jwt(jwt.as_str().unwrap()).unwrap());
    let chain = Chain::new(operators, policy());
    match trust.get("pinned_accounts").and_then(Value::as_array) {
        Some(pinned) => chain.accounts(pinned.iter().map(|id| id.as_str().unwrap().parse().unwrap())),
        None => chain,
    }
}

/// Returns why a case is refused, or what its user may do.
fn decide(case: &Value, chain: &Chain) -> Result<portcullis_nats::chain::AdmittedUser, String> {
    let ctx = &case["ctx"];
    let mut at = Circumstances::at(UnixTime::from_secs(ctx["now"].as_u64().unwrap()));
    at.source = ctx["host"].as_str().and_then(|host| host.parse::<IpAddr>().ok());
    at.connection_type = ctx["conn_type"].as_str().unwrap();
    let user =
        chain.screen(case["user_jwt"].as_str().unwrap(), &at).map_err(|refusal| refusal.kind().as_str().to_owned())?;
    let account = case["accounts"].get(user.account().as_str()).and_then(Value::as_str).ok_or("account_unknown")?;
    let account = chain.account(user.account(), account, &at).map_err(|refusal| refusal.kind().as_str().to_owned())?;
    let admitted = chain.admit(&user, &account, &at).map_err(|refusal| refusal.kind().as_str().to_owned())?;
    if !admitted.is_bearer {
        let proof = &case["proof"];
        let signature = proof["sig"].as_str().unwrap_or_default();
        if signature.is_empty() {
            return Err("proof_missing".to_owned());
        }
        if !connect::is_signed(&admitted.key, proof["nonce"].as_str().unwrap(), signature) {
            return Err("proof_invalid".to_owned());
        }
    }
    Ok(admitted)
}

#[test]
fn chains_are_decided_as_the_vectors_say() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for file in FILES {
        let file = vectors(file);
        let trust: BTreeMap<_, _> =
            file["trust"].as_object().unwrap().iter().map(|(name, trust)| (name.clone(), chain(trust))).collect();
        for case in file["cases"].as_array().unwrap() {
            count += 1;
            let id = case["id"].as_str().unwrap();
            let outcome = decide(case, &trust[case["trust"].as_str().unwrap()]);
            match (case["expect"].as_str().unwrap(), &outcome) {
                ("accept", Ok(_)) | ("reject", Err(_)) | ("either", _) => {}
                (expected, _) => wrong.push(format!("{id}: expected {expected}, got {:?}", outcome.as_ref().err())),
            }
            if let (Some(reason), Err(got)) = (case["reason"].as_str(), &outcome)
                && !same_reason(id, reason, got)
            {
                wrong.push(format!("{id}: expected {reason}, got {got}"));
            }
            let Ok(user) = outcome else { continue };
            for check in case.get("perms").and_then(Value::as_array).into_iter().flatten() {
                let subject = check["subject"].as_str().unwrap();
                let is_allowed = match check["op"].as_str().unwrap() {
                    "pub" => user.permissions.may_publish(subject),
                    "sub" => user.permissions.may_subscribe(subject),
                    other => panic!("{id}: {other}"),
                };
                let expected = check["expect"].as_str().unwrap();
                let is_ours = is_stricter_over_http(check);
                assert!(!is_ours || !is_allowed, "{id}: {check}");
                if expected != "either" && !is_ours && is_allowed != (expected == "allow") {
                    wrong.push(format!("{id}: {check}"));
                }
            }
        }
    }
    assert_eq!(count, 16 + 93);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a nats-server allows and we do not (M3, M4): a subscription of which a part is denied, because nothing holds back the messages of that
/// part; and a subscription with a queue, because there are none over HTTP.
fn is_stricter_over_http(check: &Value) -> bool {
    check.get("queue").is_some()
        || (check["op"] == "sub" && ["s.>", "s.*.x"].contains(&check["subject"].as_str().unwrap()))
}

/// Where two things are wrong with a token, either may be found first.
fn same_reason(id: &str, expected: &str, got: &str) -> bool {
    expected == got
        || match id {
            // Its header says version 1, and its claims version 2: that is seen before its signature is checked.
            "shr-086-v2-payload-only-sig" => got == "version_mismatch",
            _ => false,
        }
}

#[test]
fn operators_are_trusted_as_the_vectors_say() {
    let mut wrong = Vec::new();
    for row in rows("operators") {
        let expected = row["expect"].as_str().unwrap();
        let operators = Operators::new().jwt(row["operator_jwt"].as_str().unwrap());
        // One that has expired is not refused when it is configured, but accepts no account.
        let now = UnixTime::from_secs(row["now"].as_u64().unwrap());
        let is_accepted =
            operators.is_ok_and(|operators| operators.keys().next().is_some_and(|key| operators.trusts(key, now)));
        if expected != "either" && is_accepted != (expected == "accept") {
            wrong.push(format!("{}: {}", row["id"], row["title"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn activations_are_decided_as_the_vectors_say() {
    let trust = chain(&vectors("nats-rules.json")["trust"]["default"]);
    let mut wrong = Vec::new();
    for row in rows("activations") {
        let at = Circumstances::at(UnixTime::from_secs(row["now"].as_u64().unwrap()));
        let id = |name: &str| row[name].as_str().unwrap().parse::<AccountKey>().unwrap();
        let exporter = trust.account(&id("exporter"), row["exporter_jwt"].as_str().unwrap(), &at).unwrap();
        let subject = row["publish"].as_str().unwrap();
        let outcome = trust.account(&id("importer"), row["importer_jwt"].as_str().unwrap(), &at).and_then(|importer| {
            let user = trust.screen(row["importer_user"]["jwt"].as_str().unwrap(), &at)?;
            trust.admit_to_service_of(&exporter, &user, &importer, &at)
        });
        // Stream or service: the case says by what the exporter exports.
        let is_allowed = outcome
            .as_ref()
            .is_ok_and(|user| user.permissions.may_subscribe(subject) || user.permissions.may_publish(subject));
        let expected = row["expect"].as_str().unwrap();
        if expected != "either" && is_allowed != (expected == "accept") {
            wrong.push(format!("{}: {} (expected {expected}, {outcome:?})", row["id"], row["title"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nkeys_are_read_as_the_vectors_say() {
    for file in FILES {
        let nkeys = &vectors(file)["nkeys"];
        let list = |name: &str| nkeys.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        assert!(!list("valid").is_empty());
        for row in list("valid") {
            let text = row["public"].as_str().unwrap();
            let public: PublicKey = text.parse().unwrap();
            assert_eq!(public.to_string(), text);
            assert_eq!(hex(public.bytes()), row["raw_public"].as_str().unwrap());
            let seed = row["seed"].as_str().unwrap();
            if row["role"] == "curve" {
                assert!(KeyPair::from_seed(seed).is_err(), "a key for encryption cannot sign");
                continue;
            }
            let pair = KeyPair::from_seed(seed).unwrap();
            assert_eq!((pair.public_key(), pair.seed().reveal()), (&public, seed));
            if let Some(signature) = row["signature"].as_str() {
                use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
                assert_eq!(URL_SAFE_NO_PAD.encode(pair.sign(row["message"].as_str().unwrap().as_bytes())), signature);
            }
        }
        for row in list("invalid_public") {
            assert!(row["text"].as_str().unwrap().parse::<PublicKey>().is_err(), "{}", row["why"]);
        }
        for row in list("invalid_seed") {
            assert!(KeyPair::from_seed(row["text"].as_str().unwrap()).is_err(), "{}", row["why"]);
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[test]
fn creds_are_read_as_the_vectors_say() {
    for row in rows("creds") {
        let creds = Creds::parse(row["text"].as_str().unwrap());
        assert_eq!(creds.is_ok(), row["expect"] == "ok", "{}: {creds:?}", row["why"]);
        let Ok(creds) = creds else { continue };
        assert_eq!(creds.jwt(), row["jwt"].as_str().unwrap(), "{}", row["why"]);
        assert_eq!(creds.key().seed().reveal(), row["seed"].as_str().unwrap(), "{}", row["why"]);
        let again = Creds::parse(&creds.format()).unwrap();
        assert_eq!(again.jwt(), creds.jwt());
    }
}

#[test]
fn hash_ids_of_activations_are_those_of_the_vectors() {
    for row in rows("activation_hash_id") {
        let text = |name: &str| row[name].as_str().unwrap();
        let id = portcullis_nats::claims::activation_hash_id(
            &text("iss").parse().unwrap(),
            &text("sub").parse().unwrap(),
            text("subject"),
        );
        assert_eq!(id, text("hash_id"), "{}", text("subject"));
    }
}

#[test]
fn tokens_of_any_other_kind_are_told_apart() {
    let case = &vectors("nats.json")["cases"][0];
    let user = case["user_jwt"].as_str().unwrap();
    assert!(Token::<portcullis_nats::claims::User>::read(user).is_ok());
    assert!(Token::<portcullis_nats::claims::Account>::read(user).is_err());
}
