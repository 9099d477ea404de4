//! Chains, operators and activations.

use std::{collections::BTreeMap, net::IpAddr};

use portcullis_core::{UnixTime, policy::Leeway};
use portcullis_nats::{
    chain::{AdmittedUser, Chain, Circumstances, Connection, Operators, Policy, Refusal, TemplateDots, V1},
    connect,
    nkey::AccountKey,
};
use serde_json::Value;

use super::{FILES, rows, vectors};

/// A policy as near to a nats-server's as possible: what is stricter is not an option.
fn policy() -> Policy {
    Policy::new().danger_bearer_tokens().danger_unrestricted_users().max_token_bytes(1024 * 1024)
}

/// The policy with the settings that a case has.
fn policy_of(case: &Value) -> Policy {
    let setting = |policy: Policy, (name, value): (&String, &Value)| match (name.as_str(), value.as_str()) {
        ("leeway", None) => policy.leeway(Leeway::from_secs(value.as_u64().unwrap()).unwrap()),
        ("v1", Some("accept")) => policy.v1(V1::Accept),
        ("v1", Some("refuse")) => policy.v1(V1::Refuse),
        ("connection", Some("require_http")) => policy.connection(Connection::RequireHttp),
        // These two are on in a nats-server, and can only be switched on here.
        ("bearer", Some("refuse")) | ("unrestricted", Some("allow" | "deny")) => policy,
        ("template_dots", Some("allow")) => policy.template_dots(TemplateDots::Allow),
        ("template_dots", Some("refuse")) => policy.template_dots(TemplateDots::Refuse),
        other => panic!("{other:?}"),
    };
    let is_off = |name: &str, off: &str| case["policy"][name] == off;
    let base = Policy::new().max_token_bytes(1024 * 1024);
    let base = if is_off("bearer", "refuse") { base } else { base.danger_bearer_tokens() };
    let base = if is_off("unrestricted", "deny") { base } else { base.danger_unrestricted_users() };
    case.get("policy").and_then(Value::as_object).into_iter().flatten().fold(base, setting)
}

pub(crate) fn chain(trust: &Value, policy: Policy) -> Chain {
    let operators = trust["operators"].as_array().unwrap().iter();
    let operators = operators.fold(Operators::new(), |all, token| all.token(token.as_str().unwrap()).unwrap());
    let chain = Chain::new(operators, policy);
    match trust.get("pinned_accounts").and_then(Value::as_array) {
        Some(pinned) => chain.accounts(pinned.iter().map(|id| id.as_str().unwrap().parse().unwrap())),
        None => chain,
    }
}

/// Returns why a case is refused, or what its user may do.
pub(crate) fn decide(case: &Value, trust: &Value) -> Result<AdmittedUser, String> {
    let chain = chain(trust, policy_of(case));
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
    let mut counts = BTreeMap::new();
    for name in FILES {
        let file = vectors(name);
        for case in file["cases"].as_array().unwrap() {
            *counts.entry(name).or_insert(0) += 1;
            let outcome = decide(case, &file["trust"][case["trust"].as_str().unwrap()]);
            wrong.extend(differences(case, &outcome).into_iter().map(|what| format!("{}: {what}", case["id"])));
        }
    }
    assert_eq!((counts["nats.json"], counts["nats-rules.json"]), (16, 93));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns in what the outcome of a case is not as expected.
fn differences(case: &Value, outcome: &Result<AdmittedUser, String>) -> Vec<String> {
    let mut wrong = Vec::new();
    match (case["expect"].as_str().unwrap(), outcome) {
        ("accept", Ok(_)) | ("reject", Err(_)) | ("either", _) => {}
        (expected, _) => wrong.push(format!("expected {expected}, got {:?}", outcome.as_ref().err())),
    }
    let user = match outcome {
        Ok(user) => user,
        Err(got) => {
            let reason = case["reason"].as_str().filter(|reason| !same_reason(&case["id"], reason, got));
            wrong.extend(reason.map(|reason| format!("expected {reason}, got {got}")));
            return wrong;
        }
    };
    if let Some(limits) = case.get("limits") {
        let got = [("payload", user.payload), ("subs", user.subscriptions)];
        let is_other =
            |(name, limit): &(&str, portcullis_nats::claims::Limit)| limits[*name].as_u64() != limit.at_most();
        wrong.extend(got.into_iter().filter(is_other).map(|other| format!("{other:?}")));
    }
    if let Some(until) = case.get("until") {
        let got = user.valid_until.map(UnixTime::as_secs);
        wrong.extend((until.as_u64() != got).then(|| format!("it ends at {got:?}")));
    }
    let checks = case.get("perms").and_then(Value::as_array).into_iter().flatten();
    wrong.extend(checks.filter(|check| !is_as_expected(check, user)).map(Value::to_string));
    wrong
}

fn is_as_expected(check: &Value, user: &AdmittedUser) -> bool {
    let subject = check["subject"].as_str().unwrap();
    let is_allowed = match check["op"].as_str().unwrap() {
        "pub" => user.permissions.may_publish(subject),
        "sub" => user.permissions.may_subscribe(subject),
        other => panic!("{other}"),
    };
    if is_stricter_over_http(check) {
        return !is_allowed;
    }
    let expected = check["expect"].as_str().unwrap();
    expected == "either" || is_allowed == (expected == "allow")
}

/// What a nats-server allows and we do not (M3, M4): a subscription of which a part is denied, because nothing holds back the messages of that
/// part; and a subscription with a queue, because there are none over HTTP.
fn is_stricter_over_http(check: &Value) -> bool {
    check.get("queue").is_some()
        || (check["op"] == "sub" && ["s.>", "s.*.x"].contains(&check["subject"].as_str().unwrap()))
}

/// Where two things are wrong with a token, either may be found first.
fn same_reason(id: &Value, expected: &str, got: &str) -> bool {
    expected == got
        || match id.as_str().unwrap() {
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
        let operators = Operators::new().token(row["operator_jwt"].as_str().unwrap());
        // One that has expired is not refused when it is configured, but accepts no account.
        if expected == "reject" && row["reason"] != "expired" && operators.is_ok() {
            wrong.push(format!("{}: {}, is configured", row["id"], row["title"]));
        }
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
    let mut wrong = Vec::new();
    for file in ["nats-rules.json", "nats-more.json"] {
        let file = vectors(file);
        let trust = chain(&file["trust"]["default"], policy());
        for row in file["activations"].as_array().unwrap() {
            let outcome = use_import(row, &trust);
            let subject = row["publish"].as_str().unwrap();
            // Stream or service: the case says by what the exporter exports.
            let is_allowed = outcome
                .as_ref()
                .is_ok_and(|user| user.permissions.may_subscribe(subject) || user.permissions.may_publish(subject));
            if is_allowed != (row["expect"] == "accept") {
                wrong.push(format!("{}: {} ({outcome:?})", row["id"], row["title"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lets a user of the importing account into a service of the exporting one.
fn use_import(row: &Value, trust: &Chain) -> Result<AdmittedUser, Refusal> {
    let at = Circumstances::at(UnixTime::from_secs(row["now"].as_u64().unwrap()));
    let id = |name: &str| row[name].as_str().unwrap().parse::<AccountKey>().unwrap();
    let exporter = trust.account(&id("exporter"), row["exporter_jwt"].as_str().unwrap(), &at)?;
    let importer = trust.account(&id("importer"), row["importer_jwt"].as_str().unwrap(), &at)?;
    let user = trust.screen(row["importer_user"]["jwt"].as_str().unwrap(), &at)?;
    trust.admit_to_service_of(&exporter, &user, &importer, &at)
}
