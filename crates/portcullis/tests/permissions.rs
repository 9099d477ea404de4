//! Tests the requirements about permissions of NATS users: which subjects they grant, and what a path can do to a subject.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use http::Method;
use portcullis::{
    AccessTable, AuthError, Code, Requirement, Verified,
    clock::UnixTime,
    requirement::{Circumstances, PathParams, RequirementExplanation, check_async, not, publish, scope, subscribe},
    verified::{AnyVerified, Conventions, CredentialKind, Facts, NoCustom},
};
use serde_json::{Value, json};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// Returns a caller whose claims have these permissions.
fn caller(kind: CredentialKind, permissions: &Value) -> AnyVerified {
    let claims = json!({"sub": "UALICE", "nats": {"account": "AORDERS", "permissions": permissions}});
    let facts = Facts::assertion_of(&claims, Conventions::new("nats:AORDERS")).unwrap();
    Verified::assertion(facts.with_credential(kind), NoCustom).into()
}

fn nats_user(permissions: &Value) -> AnyVerified {
    caller(CredentialKind::NatsUser, permissions)
}

async fn outcome(requirement: &Requirement, caller: &AnyVerified, params: &[(&str, &str)]) -> Result<(), AuthError> {
    let params: PathParams = params.iter().copied().collect();
    requirement.evaluate(Circumstances::new(caller, &params, NOW)).outcome().await
}

/// Returns the code of the refusal, if there is one.
async fn refusal(requirement: &Requirement, permissions: &Value, params: &[(&str, &str)]) -> Option<Code> {
    outcome(requirement, &nats_user(permissions), params).await.err().map(|error| error.code())
}

async fn explained(requirement: &Requirement, caller: &AnyVerified, params: &[(&str, &str)]) -> RequirementExplanation {
    let params: PathParams = params.iter().copied().collect();
    requirement.explain(Circumstances::new(caller, &params, NOW)).await
}

fn lists(allow: &[&str], deny: &[&str]) -> Value {
    json!({"allow": allow, "deny": deny})
}

#[tokio::test]
async fn a_message_is_published_if_it_is_allowed_and_not_denied() {
    let rows: [(&[&str], &[&str], &str, bool); 16] = [
        (&["orders.new"], &[], "orders.new", true),
        (&["orders.new"], &[], "orders.old", false),
        (&["orders.new"], &[], "ORDERS.new", false),
        (&["orders.*"], &[], "orders.new", true),
        (&["orders.*"], &[], "orders.new.eu", false),
        (&["orders.>"], &[], "orders.new.eu", true),
        (&["orders.>"], &[], "orders", false),
        (&["bills.*", "orders.*"], &[], "orders.new", true),
        (&[], &[], "orders.new", false),
        (&[">"], &[], "orders.new", true),
        (&[">"], &["orders.new"], "orders.new", false),
        (&[">"], &["orders.new"], "orders.old", true),
        (&["orders.new"], &["orders.*"], "orders.new", false),
        (&["orders.new"], &["orders.*.eu"], "orders.new", true),
        (&["orders.new"], &["bills.>", ">"], "orders.new", false),
        (&["orders.new"], &["bills.>", "a"], "orders.new", true),
    ];
    for (allow, deny, subject, is_met) in rows {
        let permissions = json!({"pub": lists(allow, deny), "sub": lists(&[], &[])});
        let expected = (!is_met).then_some(Code::RequirementNotMet);
        assert_eq!(refusal(&publish(subject), &permissions, &[]).await, expected, "{subject}: {permissions}");
    }
}

#[tokio::test]
async fn a_stream_is_allowed_as_a_whole_and_overlaps_nothing_that_is_denied() {
    let rows: [(&[&str], &[&str], &str, bool); 18] = [
        (&["orders.*"], &[], "orders.*", true),
        (&["orders.*"], &[], "orders.new", true),
        (&["orders.*"], &[], "orders.>", false),
        (&["orders.>"], &[], "orders.>", true),
        (&["orders.>"], &[], "orders.7.*", true),
        (&["orders.7.*"], &[], "orders.>", false),
        (&["orders.a", "orders.b"], &[], "orders.*", false),
        (&[">"], &["orders.secret"], "orders.*", false),
        (&[">"], &["orders.secret"], "orders.*.eu", true),
        (&[">"], &["orders.*"], "orders.secret", false),
        (&[">"], &["*.secret"], "orders.>", false),
        (&[">"], &["*.secret"], "orders.new", true),
        // An entry with a queue is about subscriptions in that queue.
        (&["orders.> workers"], &[], "orders.new", false),
        (&["orders.>", "orders.> workers"], &[], "orders.new", true),
        (&["orders.> work.*"], &[], "orders.> ", false),
        (&[">"], &["orders.> workers"], "orders.new", true),
        (&[">"], &["orders.>"], "orders.new", false),
        (&["orders.> workers"], &["orders.new"], "orders.new", false),
    ];
    for (allow, deny, subject, is_met) in rows {
        let permissions = json!({"pub": lists(&[], &[]), "sub": lists(allow, deny)});
        let code = if subject.ends_with(' ') { Code::ServiceMisconfigured } else { Code::RequirementNotMet };
        let expected = (!is_met).then_some(code);
        assert_eq!(refusal(&subscribe(subject), &permissions, &[]).await, expected, "{subject}: {permissions}");
    }
}

#[tokio::test]
async fn publishing_and_subscribing_are_different_permissions() {
    let permissions = json!({"pub": lists(&["a"], &[]), "sub": lists(&["b"], &[])});
    for (requirement, is_met) in
        [(publish("a"), true), (publish("b"), false), (subscribe("b"), true), (subscribe("a"), false)]
    {
        let expected = (!is_met).then_some(Code::RequirementNotMet);
        assert_eq!(refusal(&requirement, &permissions, &[]).await, expected, "{requirement}");
    }
}

/// A claim of a JSON Web Token may look the same, because its issuer writes what it likes.
#[tokio::test]
async fn only_a_nats_user_has_permissions() {
    let permissions = json!({"pub": lists(&[">"], &[]), "sub": lists(&[">"], &[])});
    for requirement in [publish("orders.new"), subscribe("orders.new")] {
        let kinds = [
            CredentialKind::Jwt,
            CredentialKind::ApiToken,
            CredentialKind::Introspected,
            CredentialKind::Session,
            CredentialKind::Asserted,
        ];
        for kind in kinds {
            let refused = outcome(&requirement, &caller(kind, &permissions), &[]).await.unwrap_err();
            assert_eq!(refused.code(), Code::RequirementNotMet, "{kind}");
        }
        assert!(outcome(&requirement, &nats_user(&permissions), &[]).await.is_ok());
    }
}

#[tokio::test]
async fn permissions_that_cannot_be_read_permit_nothing() {
    let malformed = [
        json!(null),
        json!([]),
        json!(">"),
        json!({}),
        json!({"allow": [">"]}),
        json!({"deny": []}),
        json!({"allow": ">", "deny": []}),
        json!({"allow": [">"], "deny": null}),
        json!({"allow": [">"], "deny": "bills"}),
        json!({"allow": [">", 7], "deny": []}),
        json!({"allow": [">"], "deny": [7]}),
        json!({"allow": [">"], "deny": [""]}),
        json!({"allow": [">"], "deny": ["bills."]}),
        json!({"allow": [">", "a..b"], "deny": []}),
        json!({"allow": [">"], "deny": ["a b c"]}),
        json!({"allow": [">"], "deny": [" a"]}),
        json!({"allow": [">"], "deny": [">.a b"]}),
        json!({"allow": [">"], "deny": ["a b..c"]}),
    ];
    for lists in malformed {
        let permissions = json!({"pub": lists, "sub": lists});
        for requirement in [publish("orders.new"), subscribe("orders.new")] {
            let refused = refusal(&requirement, &permissions, &[]).await;
            assert_eq!(refused, Some(Code::RequirementNotMet), "{requirement}: {permissions}");
        }
    }
    for absent in [json!(null), json!({}), json!([])] {
        assert_eq!(refusal(&publish("orders.new"), &absent, &[]).await, Some(Code::RequirementNotMet), "{absent}");
    }
    let readable = lists(&[">"], &["bills"]);
    let permissions = json!({"pub": readable, "sub": readable});
    for requirement in [publish("orders.new"), subscribe("orders.new")] {
        assert_eq!(refusal(&requirement, &permissions, &[]).await, None, "{requirement}");
    }
    let with_queue = json!({"allow": [">", "a b"], "deny": []});
    let permissions = json!({"pub": with_queue, "sub": with_queue});
    assert_eq!(refusal(&publish("orders.new"), &permissions, &[]).await, Some(Code::RequirementNotMet));
    assert_eq!(refusal(&subscribe("orders.new"), &permissions, &[]).await, None);
}

#[tokio::test]
async fn a_path_parameter_is_one_word() {
    let own = json!({"pub": lists(&["orders.7.read", "orders.a%2Eb.read", "orders.*.*.read"], &[])});
    let read = publish("orders.{id}.read");
    assert_eq!(refusal(&read, &own, &[("id", "7")]).await, None);
    for id in ["8", "", ".", "*", ">", "7.8", "7.", "7.read", "a b", "7 ", "7\t", "7\0", "7\u{a0}", "%2E", "a%2Eb"] {
        assert_eq!(refusal(&read, &own, &[("id", id)]).await, Some(Code::RequirementNotMet), "{id:?}");
    }

    let escaped = publish("orders.{id:escaped}.read");
    for id in ["7", "a.b"] {
        assert_eq!(refusal(&escaped, &own, &[("id", id)]).await, None, "{id:?}");
    }
    for id in ["a%2Eb", "a%2eb", "a%252Eb", "7.8", "*", ">", "", "a b"] {
        assert_eq!(refusal(&escaped, &own, &[("id", id)]).await, Some(Code::RequirementNotMet), "{id:?}");
    }
}

#[tokio::test]
async fn a_path_cannot_choose_its_way_around_a_denied_subject() {
    let all_but_admin =
        json!({"pub": lists(&[">"], &["orders.1.admin.>"]), "sub": lists(&["orders.>"], &["orders.secret.>"])});
    let write = publish("orders.{id}.{what}.write");
    assert_eq!(refusal(&write, &all_but_admin, &[("id", "1"), ("what", "lines")]).await, None);
    for (id, what) in [("1", "admin"), ("1.admin", "x"), ("*", "admin"), ("1", ">"), ("1", "")] {
        let refused = refusal(&write, &all_but_admin, &[("id", id), ("what", what)]).await;
        assert_eq!(refused, Some(Code::RequirementNotMet), "{id:?} {what:?}");
    }
    let follow = subscribe("orders.{id}.>");
    assert_eq!(refusal(&follow, &all_but_admin, &[("id", "7")]).await, None);
    for id in ["secret", "*", ">", ""] {
        assert_eq!(refusal(&follow, &all_but_admin, &[("id", id)]).await, Some(Code::RequirementNotMet), "{id:?}");
    }
}

#[tokio::test]
async fn a_missing_path_parameter_is_our_mistake_for_every_caller() {
    let permissions = json!({"pub": lists(&[">"], &[])});
    for requirement in [publish("orders.{id}"), not(publish("orders.{id}")), publish("{order}.{id:escaped}")] {
        for caller in [nats_user(&permissions), nats_user(&json!({})), caller(CredentialKind::Jwt, &permissions)] {
            let error = outcome(&requirement, &caller, &[("order", "*")]).await.unwrap_err();
            assert_eq!(error.code(), Code::ServiceMisconfigured, "{requirement}");
            assert!(error.to_string().contains(r#"no path parameter "id""#), "{error}");
        }
    }
    assert_eq!(refusal(&publish("orders.{id}"), &permissions, &[("id", "7")]).await, None);
}

#[tokio::test]
async fn a_malformed_subject_is_a_mistake_that_is_found_at_the_start() {
    let everything = json!({"pub": lists(&[">"], &[]), "sub": lists(&[">"], &[])});
    let rows = [
        (publish(""), "the subject is empty"),
        (publish("orders..read"), "write one dot between two words"),
        (publish("orders.{id"), "close its braces"),
        (publish("orders.{id:upper}"), "write {id:upper} as `{id}` or `{id:escaped}`"),
        (publish("orders.{a}{b}"), "at most one parameter into a word"),
        (publish("orders read"), "white space"),
        (publish("orders.*"), "leave out the wildcards"),
        (publish("orders.{id}.>"), "leave out the wildcards"),
        (subscribe("orders.>.{id}"), "write `>` last"),
        (subscribe("orders.new workers"), "white space"),
    ];
    for (requirement, why) in rows {
        let problem = requirement.clone().checked().unwrap_err().to_string();
        let expected = format!("{requirement} can never be met: ");
        assert!(problem.starts_with(&expected) && problem.contains(why), "{problem}");
        for requirement in [requirement.clone(), not(requirement)] {
            let refused = refusal(&requirement, &everything, &[("id", "7")]).await;
            assert_eq!(refused, Some(Code::ServiceMisconfigured), "{requirement}");
        }
    }
    for requirement in [publish("orders.{id}.read"), subscribe("orders.{id:escaped}.>"), subscribe("*.{a}.{b}")] {
        assert!(requirement.clone().checked().is_ok(), "{requirement}");
    }
}

#[test]
fn an_access_table_prints_subjects_and_knows_their_parameters() {
    let table = AccessTable::new()
        .require(Method::GET, "/orders/{id}", publish("orders.{id}.read"))
        .require(Method::GET, "/orders/{id}/events", subscribe("orders.{id:escaped}.>").and(not(scope("batch"))))
        .require(Method::POST, "/orders", publish("orders.new"));
    let expected = r#"METHOD  PATH                 REQUIREMENT
GET     /orders/{id}         publish("orders.{id}.read")
GET     /orders/{id}/events  subscribe("orders.{id:escaped}.>") and not scope("batch")
POST    /orders              publish("orders.new")"#;
    assert_eq!(table.to_string(), expected);
    assert_eq!(not(publish("orders.new")).to_string(), r#"not publish("orders.new")"#);

    let table = AccessTable::new().require(Method::GET, "/orders/{order}", publish("orders.{id}.read"));
    let problem = table.danger_layer_without_matched_path().unwrap_err().to_string();
    assert!(problem.contains("id") && problem.contains("/orders/{order}"), "{problem}");
}

#[tokio::test]
async fn an_explanation_names_the_entry_that_decided_and_no_text_of_it() {
    let permissions = json!({
        "pub": lists(&["tea.*", "orders.>"], &["coffee", "orders.secret-7.read"]),
        "sub": {"allow": "orders.>"},
    });
    let user = nats_user(&permissions);
    let read = publish("orders.{id}.read");
    let rows = [
        (read.clone(), "7", "passed   ", "allowed by /nats/permissions/pub/allow/1"),
        (read.clone(), "secret-7", "FAILED   ", "denied by /nats/permissions/pub/deny/1"),
        (read.clone(), "1.admin", "FAILED   ", "a path parameter is not one word of a subject"),
        (publish("milk.{id}"), "7", "FAILED   ", "no entry of /nats/permissions/pub/allow covers the subject"),
        (
            subscribe("orders.{id}"),
            "7",
            "FAILED   ",
            "the claims have no readable permissions at /nats/permissions/sub",
        ),
    ];
    for (requirement, id, outcome, grounds) in rows {
        let params = [("id", id)];
        let explanation = explained(&requirement, &user, &params).await;
        let line = explanation.finding.to_string();
        assert!(
            line.starts_with(outcome) && line.contains(&format!(": {grounds} (expected: {requirement})")),
            "{line}"
        );
        let either = requirement.clone().or(scope("x")).and(check_async("later", |_| async { true }));
        let tree = explained(&either, &user, &params).await.finding.to_string();
        assert!(tree.contains(&format!(": {grounds}\n")), "{tree}");
        for text in [line, tree, explanation.to_string()] {
            for value in ["tea", "coffee", "secret-7", "1.admin", "orders.>"] {
                assert!(!text.contains(value), "{value} in {text}");
            }
        }
    }
    let of_jwt = explained(&read, &caller(CredentialKind::Jwt, &permissions), &[("id", "7")]).await.to_string();
    assert!(of_jwt.contains("the credential is of the kind jwt"), "{of_jwt}");
}
