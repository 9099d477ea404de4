//! Tokens of accounts that are right or wrong as a whole: A1, and what of imports is a mistake of the account (I9).

use serde_json::{Value, json};

use super::{
    Rows,
    tokens::row,
    world::{IAT, account, activation, id, over, token, unlimited},
};

pub(super) fn add(rows: &mut Rows) {
    accounts(rows);
    limits(rows);
    exports(rows);
    import_forms(rows);
}

fn account_row(rows: &mut Rows, rules: &[&str], name: &str, title: &str, reason: Option<&str>, nats: &Value) {
    row(rows, rules, name, title, "account", reason, &token("op", &account("op", "acc", nats)));
}

fn accounts(rows: &mut Rows) {
    let invalid = Some("invalid");
    let mut with = |name: &str, title: &str, reason: Option<&str>, nats: Value| {
        account_row(rows, &["A1"], &format!("a1-{name}"), title, reason, &nats);
    };
    let key = |label: &str| json!({"signing_keys": [id(label)]});
    with("signing-key", "a signing key of an account", None, key("acc-signing"));
    with("signing-key-user", "a signing key of a user", Some("bad_key"), key("user"));
    let twice = json!({"signing_keys": [id("acc-signing"), id("acc-signing")]});
    with("signing-key-twice", "a signing key twice", invalid, twice);
    let scope = |kind: &str| json!({"signing_keys": [{"kind": kind, "key": id("acc-scoped"), "role": "r"}]});
    with("scope", "a scope", None, scope("user_scope"));
    with("scope-kind", "a scope of a kind that is not known", invalid, scope("account_scope"));
    with("imports", "no imports", None, json!({"imports": []}));
    with("import-null", "an import that is null", Some("malformed"), json!({"imports": [null]}));
    with("export-null", "an export that is null", Some("malformed"), json!({"exports": [null]}));
    let mapping = |one: i64, other: i64| json!({"mappings": {"a": [{"subject": "b", "weight": one}, {"subject": "c", "weight": other}]}});
    with("mapping", "weights of 100 percent", None, mapping(40, 60));
    with("mapping-weights", "weights of more than 100 percent", invalid, mapping(60, 60));
    let to = |subject: &str| json!({"mappings": {"a": [{ "subject": subject }]}});
    with("mapping-subject", "a mapping to a subject", None, to("b.c"));
    with("mapping-wrong-subject", "a mapping to no subject", invalid, to("b..c"));
    with("cluster-traffic", "cluster_traffic is owner", None, json!({"cluster_traffic": "owner"}));
    with("cluster-traffic-other", "cluster_traffic is something else", invalid, json!({"cluster_traffic": "all"}));
    let trace = |destination: &str| json!({"trace": {"dest": destination, "sampling": 100}});
    with("trace", "a trace", None, trace("t.a"));
    with("trace-wildcard", "a trace to a wildcard", invalid, trace("t.*"));
    let callout =
        |accounts: Value| json!({"authorization": {"auth_users": [id("user-2")], "allowed_accounts": accounts}});
    with("callout", "an outside service for an account", None, callout(json!([id("acc-2")])));
    with("callout-user", "an outside service for a user", invalid, callout(json!([id("user")])));
    with("callout-all-and-one", "an outside service for all and one", invalid, callout(json!(["*", id("acc-2")])));
    let no_users = json!({"authorization": {"auth_users": [], "allowed_accounts": ["*"]}});
    with("callout-no-users", "an outside service without users", invalid, no_users);
}

fn limits(rows: &mut Rows) {
    let invalid = Some("invalid");
    let mut with = |name: &str, title: &str, reason: Option<&str>, limits: Value, more: Value| {
        let nats = over(json!({"limits": over(unlimited(), &limits)}), &more);
        account_row(rows, &["A1"], &format!("a1-{name}"), title, reason, &nats);
    };
    let exports = json!({"exports": [{"subject": "a", "type": "stream"}, {"subject": "b", "type": "stream"}]});
    with("two-exports", "as many exports as allowed", None, json!({"exports": 2}), exports.clone());
    with("three-exports", "more exports than allowed", invalid, json!({"exports": 1}), exports);
    let import = |subject: &str| json!({"subject": subject, "type": "stream", "account": id("acc-2")});
    let imports = json!({"imports": [import("a"), import("b")]});
    with("two-imports", "as many imports as allowed", None, json!({"imports": 2}), imports.clone());
    with("three-imports", "more imports than allowed", invalid, json!({"imports": 1}), imports);
    let wild = json!({"exports": [{"subject": "a.*", "type": "stream"}]});
    let limited = |wildcards: bool| json!({"exports": 5, "wildcards": wildcards});
    with("wildcard", "a wildcard where it is allowed", None, limited(true), wild.clone());
    with("wildcard-not-allowed", "a wildcard where it is not allowed", invalid, limited(false), wild);
    with("tier", "a tier", None, json!({"tiered_limits": {"R1": {}}}), json!({}));
    with("tier-without-name", "a tier without a name", invalid, json!({"tiered_limits": {"": {}}}), json!({}));
    let both = json!({"tiered_limits": {"R1": {}}, "streams": 1});
    with("tier-and-limit", "a tier beside a limit of JetStream", invalid, both, json!({}));
}

fn exports(rows: &mut Rows) {
    let invalid = Some("invalid");
    let mut with = |rule: &str, name: &str, title: &str, reason: Option<&str>, exports: Value| {
        account_row(rows, &[rule], name, title, reason, &json!({ "exports": exports }));
    };
    let two =
        |one: &str, other: &str| json!([{"subject": one, "type": "stream"}, {"subject": other, "type": "stream"}]);
    with("A1", "a1-exports-apart", "exports apart", None, two("a.*", "b.*"));
    with("A1", "a1-exports-overlap", "an export within another one", invalid, two("a.*", "a.b"));
    let kinds = json!([{"subject": "a.*", "type": "stream"}, {"subject": "a.b", "type": "service"}]);
    with("A1", "a1-exports-of-two-kinds", "the same of two kinds", None, kinds);
    let of = |kind: &str, more: Value| json!([over(json!({"subject": "a.*", "type": kind}), &more)]);
    with("A1", "a1-export-kind", "an export of a kind that is not known", Some("malformed"), of("queue", json!({})));
    let response = json!({"response_type": "Stream"});
    with("A1", "a1-response", "a response type of a service", None, of("service", response.clone()));
    with("A1", "a1-response-of-stream", "a response type of a stream", invalid, of("stream", response));
    let latency = |results: &str| json!({"service_latency": {"sampling": 100, "results": results}});
    with("A1", "a1-latency", "a latency", None, of("service", latency("l")));
    with("A1", "a1-latency-wildcard", "a latency with a wildcard", invalid, of("service", latency("l.*")));
    with("I10", "i10-at-wildcard", "the position of a *", None, of("stream", json!({"account_token_position": 2})));
    with("I10", "i10-at-word", "the position of a word", invalid, of("stream", json!({"account_token_position": 1})));
    with("I10", "i10-behind", "a position behind", invalid, of("stream", json!({"account_token_position": 3})));
}

fn import_forms(rows: &mut Rows) {
    let invalid = Some("invalid");
    let import = |more: Value| over(json!({"subject": "s.*.*", "type": "service", "account": id("acc-2")}), &more);
    let mut with = |rule: &str, name: &str, title: &str, reason: Option<&str>, more: Value| {
        account_row(rows, &[rule], name, title, reason, &json!({"imports": [import(more)]}));
    };
    let local = |subject: &str| json!({ "local_subject": subject });
    with("I11", "i11-order", "the wildcards in another order", None, local("l.$2.$1"));
    with("I11", "i11-too-few", "one wildcard is not used", invalid, local("l.$1"));
    with("I11", "i11-no-such", "a wildcard that is not there", invalid, local("l.$1.$3"));
    with("I11", "i11-open", "an open end that is not there", invalid, local("l.*.*.>"));
    let both = json!({"local_subject": "l.*.*", "to": "t.a.b"});
    with("I11", "i11-two-names", "two local subjects", invalid, both);
    with("A1", "a1-import-share", "a service that shares", None, json!({"share": true}));
    let stream = |more: Value| over(json!({"type": "stream"}), &more);
    with("A1", "a1-import-share-stream", "a stream that shares", invalid, stream(json!({"share": true})));
    with("A1", "a1-import-trace", "a stream that is traced", None, stream(json!({"allow_trace": true})));
    with("A1", "a1-import-trace-service", "a service that is traced", invalid, json!({"allow_trace": true}));
    with("A1", "a1-import-without-account", "from no account", invalid, json!({"account": ""}));
    let two = |one: Value, other: Value| json!({"imports": [import(one), import(other)]});
    let apart = two(local("l.*.*"), local("m.*.*"));
    account_row(rows, &["I11"], "i11-apart", "two services apart", None, &apart);
    let overlap = two(local("l.*.*"), local("l.*.*"));
    account_row(rows, &["I11"], "i11-overlap", "two services that overlap", invalid, &overlap);
    activations(rows);
}

/// What is wrong with an activation and is a mistake of the whole account.
fn activations(rows: &mut Rows) {
    let mut with = |rules: &[&str], name: &str, title: &str, is_right: bool, activation: String| {
        let import = json!({"subject": "orders.eu", "type": "stream", "account": id("acc-2"), "token": activation});
        let reason = if is_right { None } else { Some("invalid") };
        account_row(rows, rules, &format!("i9-{name}"), title, reason, &json!({ "imports": [import] }));
    };
    let of = |signer: &str, importer: &str, nats: Value| token(signer, &activation(signer, importer, &nats));
    with(&["I9"], "right", "a right activation", true, of("acc-2", "acc", json!({})));
    with(&["I3", "I9"], "other-importer", "for another account", false, of("acc-2", "acc-3", json!({})));
    with(
        &["I4", "I9"],
        "other-subject",
        "of another subject",
        false,
        of("acc-2", "acc", json!({"subject": "orders.us"})),
    );
    with(&["I5", "I9"], "other-kind", "of the other kind", false, of("acc-2", "acc", json!({"kind": "service"})));
    with(&["I6", "I9"], "other-issuer", "of a third account", false, of("acc-3", "acc", json!({})));
    let signed = of("acc-3", "acc", json!({"issuer_account": id("acc-2")}));
    with(&["I9"], "unlisted-issuer", "by a key that may be one of the account's: no mistake here", true, signed);
    let expired = over(activation("acc-2", "acc", &json!({})), &json!({"exp": IAT + 1}));
    with(&["I7", "I9"], "expired", "an activation that has expired: no mistake here", true, token("acc-2", &expired));
    with(&["I9"], "no-token", "a text that is no activation", false, "x".to_owned());
}
