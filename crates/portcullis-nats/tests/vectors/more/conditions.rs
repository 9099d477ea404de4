//! Times, kinds of connection and sources: V, K, L, G1.

use serde_json::{Value, json};

use super::{
    Rows,
    case::Case,
    world::{IAT, NOW},
};

pub(super) fn add(rows: &mut Rows) {
    ends(rows);
    starts(rows);
    issued(rows);
    connections(rows);
    sources(rows);
    times(rows);
    streams(rows);
}

fn ends(rows: &mut Rows) {
    let user = |end: i64| Case::of(&["V1"]).user_claims(json!({ "exp": end }));
    user(NOW + 1).accept(rows, "v1-one-second-left", "one second is left");
    user(NOW).reject(rows, "v1-now", "it ends now", "expired");
    user(0).accept(rows, "v1-zero", "no end");
    user(-1).reject(rows, "v1-negative", "an end before 1970", "expired");
    let account = |end: i64| Case::of(&["V3"]).account_claims(json!({ "exp": end }));
    account(NOW + 1).accept(rows, "v3-one-second-left", "the account has one second left");
    account(NOW).reject(rows, "v3-now", "the account ends now", "account_expired");
    let late = |leeway: u64| user(NOW - 9).policy(json!({ "leeway": leeway }));
    late(10).accept(rows, "v1-leeway", "within the leeway");
    late(9).reject(rows, "v1-after-leeway", "after the leeway", "expired");
}

fn starts(rows: &mut Rows) {
    let user = |start: i64| Case::of(&["V2"]).user_claims(json!({ "nbf": start }));
    user(NOW).accept(rows, "v2-now", "it starts now");
    user(NOW + 1).reject(rows, "v2-in-a-second", "it starts in a second", "not_yet_valid");
    let account = |start: i64| Case::of(&["V3"]).account_claims(json!({ "nbf": start }));
    account(NOW).accept(rows, "v3-starts-now", "the account starts now");
    account(NOW + 1).reject(rows, "v3-in-a-second", "the account starts in a second", "account_not_yet_valid");
}

fn issued(rows: &mut Rows) {
    let user = |at: i64| Case::of(&["V4"]).user_claims(json!({ "iat": at }));
    user(NOW + 300).accept(rows, "v4-five-minutes", "issued in five minutes");
    user(NOW + 301).reject(rows, "v4-later", "issued later", "issued_in_future");
    let account = |at: i64| Case::of(&["V4"]).account_claims(json!({ "iat": at }));
    account(NOW + 300).accept(rows, "v4-account", "an account issued in five minutes");
    account(NOW + 301).reject(rows, "v4-account-later", "an account issued later", "account_rolled_back");
    user(IAT).accept(rows, "v4-past", "issued in the past");
}

fn connections(rows: &mut Rows) {
    let case = |rules, types: Value, kind: &str| {
        Case::of(rules).user(json!({ "allowed_connection_types": types })).connection(kind)
    };
    case(&["K1"], json!([]), "MQTT").accept(rows, "k1-all", "no list is every type");
    case(&["K1"], json!(["mqtt"]), "MQTT").accept(rows, "k1-lower", "in lower case");
    case(&["K1"], json!(["MQTT"]), "STANDARD").reject(rows, "k1-other", "another type", "connection_type");
    case(&["K2"], json!(["FOO", "MQTT"]), "MQTT").accept(rows, "k2-one-known", "an unknown type is ignored");
    case(&["K2"], json!(["FOO"]), "STANDARD").reject(rows, "k2-none-known", "no type is known", "connection_type");
    case(&["K2"], json!(["FOO"]), "FOO").reject(rows, "k2-unknown", "the unknown type itself", "connection_type");
    case(&["K2"], json!(["HTTP"]), "STANDARD").reject(rows, "k2-http-elsewhere", "HTTP elsewhere", "connection_type");
    case(&["K2"], json!(["HTTP"]), "HTTP").accept(rows, "k2-http", "HTTP over HTTP");
    let required = |types: Value| case(&["K2"], types, "HTTP").policy(json!({"connection": "require_http"}));
    required(json!(["HTTP"])).accept(rows, "k2-named", "HTTP has to be named, and is");
    required(json!([])).reject(rows, "k2-unnamed", "HTTP has to be named", "connection_type");
}

fn sources(rows: &mut Rows) {
    let case = |rules, sources: Value, host: &str| Case::of(rules).user(json!({ "src": sources })).host(host);
    let net = || json!(["10.0.0.0/8", "2001:db8::/32"]);
    case(&["L1"], net(), "10.1.2.3").accept(rows, "l1-v4", "within");
    case(&["L1"], net(), "11.1.2.3").reject(rows, "l1-v4-other", "not within", "src");
    case(&["L1"], net(), "2001:db8::7").accept(rows, "l1-v6", "within");
    case(&["L1"], net(), "2001:db9::7").reject(rows, "l1-v6-other", "not within", "src");
    case(&["L1"], net(), "::ffff:10.1.2.3").accept(rows, "l1-mapped", "an IPv4 address in IPv6");
    case(&["L1"], json!("10.0.0.0/8, 192.0.2.0/24"), "192.0.2.9").accept(rows, "l1-text", "one text with commas");
    case(&["L2"], json!([]), "").accept(rows, "l2-no-list", "an unknown address without a list");
    case(&["L2"], net(), "").reject(rows, "l2-unknown", "an unknown address", "src");
    case(&["L2"], json!(["10.0.0.0/8", "x"]), "10.1.2.3").reject(rows, "l2-broken", "a broken network", "user_invalid");
}

fn times(rows: &mut Rows) {
    let at_noon = |rules, start: &str, end: &str, zone: &str| {
        let times = json!({"times": [{"start": start, "end": end}], "times_location": zone});
        // 12:00 UTC of that day.
        Case::of(rules).user(times).now(NOW - NOW % 86400 + 43200)
    };
    at_noon(&["L3"], "11:59:59", "12:00:01", "UTC").accept(rows, "l3-around", "around now");
    at_noon(&["L3"], "12:00:00", "12:00:01", "UTC").reject(rows, "l3-start", "it starts now", "time_range");
    at_noon(&["L3"], "11:59:59", "12:00:00", "UTC").reject(rows, "l3-end", "it ends now", "time_range");
    at_noon(&["L3"], "22:00:00", "12:00:01", "UTC").accept(rows, "l3-midnight", "over midnight");
    at_noon(&["L3"], "22:00:00", "12:00:00", "UTC").reject(rows, "l3-after-midnight", "after midnight", "time_range");
    at_noon(&["L3"], "07:00:00", "09:00:00", "America/New_York").accept(rows, "l3-zone", "08:00 in New York");
    at_noon(&["L3"], "11:00:00", "13:00:00", "America/New_York").reject(
        rows,
        "l3-other-zone",
        "not there",
        "time_range",
    );
    let wrong = [("24:00:00", "24:00:01", "UTC"), ("12:00", "13:00:00", "UTC"), ("11:00:00", "13:00:00", "Mars/Base")];
    for (at, (start, end, zone)) in wrong.into_iter().enumerate() {
        let case = at_noon(&["L4"], start, end, zone);
        case.reject(rows, &format!("l4-{at}"), "a time or a zone that there is not", "user_invalid");
    }
}

/// Until when a user stays, once let in.
fn streams(rows: &mut Rows) {
    let ends = |claims: i64, account: i64| {
        Case::of(&["G1"]).user_claims(json!({ "exp": claims })).account_claims(json!({ "exp": account }))
    };
    ends(0, 0).until(Value::Null).accept(rows, "g1-never", "neither the user nor the account ends");
    ends(NOW + 9, NOW + 10).until(json!(NOW + 9)).accept(rows, "g1-user", "the user's token ends first");
    ends(NOW + 10, NOW + 9).until(json!(NOW + 9)).accept(rows, "g1-account", "the account's token ends first");
    // It is 14:13:20 UTC.
    let times = |end: &str| json!({"times": [{"start": "14:00:00", "end": end}], "times_location": "UTC"});
    let range = ends(NOW + 10, 0).user(times("14:13:29")).until(json!(NOW + 9));
    range.accept(rows, "g1-range", "the range of times ends first");
    let range = ends(NOW + 9, 0).user(times("14:13:30")).until(json!(NOW + 9));
    range.accept(rows, "g1-after-range", "the user's token ends before the range of times");
}
