//! Two mistakes at once, of which the one that is checked earlier is the reason: C9.

use serde_json::json;

use super::{
    Rows,
    case::Case,
    world::{IAT, NOW, Signs, header, id, over, raw, text, unlimited, user},
};

pub(super) fn add(rows: &mut Rows) {
    of_token(rows);
    of_account(rows);
    of_both(rows);
}

fn case() -> Case {
    Case::of(&["C9"])
}

/// Within the user's token, and before the account is looked at.
fn of_token(rows: &mut Rows) {
    let expired = || json!({"exp": NOW});
    let claims = over(user("acc", "user", &json!({})), &expired());
    let forged = raw("acc-2", &text(&header()), &text(&claims), Signs::HeaderAndClaims);
    let forged = case().user_text(forged);
    forged.reject(rows, "c9-signature-time", "a wrong signature, and expired", "bad_signature");
    let proxy = case().user(json!({"proxy_required": true})).user_claims(expired());
    proxy.reject(rows, "c9-proxy-time", "a proxy is required, and expired", "proxy_required");
    let of_other = |claims: &serde_json::Value| {
        let claims = over(user("acc-2", "user", &json!({})), claims);
        case().trust("pinned").user_text(raw("acc-2", &text(&header()), &text(&claims), Signs::HeaderAndClaims))
    };
    of_other(&expired()).reject(rows, "c9-time-pinned", "expired, and its account is not pinned", "expired");
    let unknown = of_other(&json!({}));
    unknown.reject(rows, "c9-pinned-account", "its account is neither pinned nor known", "account_not_pinned");
    let unreadable = case().account_text("x".to_owned()).user_claims(expired());
    unreadable.reject(rows, "c9-time-account", "expired, and its account cannot be read", "expired");
}

/// Within the account's token, and before both are compared.
fn of_account(rows: &mut Rows) {
    let by_other = || case().signer("acc-2").user(json!({"issuer_account": id("acc")}));
    let untrusted = by_other().account_signer("op-2");
    untrusted.reject(
        rows,
        "c9-operator-issuer",
        "another operator has signed the account, and another account the user",
        "account_untrusted",
    );
    let untrusted = case().account_signer("op-2").account_claims(json!({"exp": NOW}));
    untrusted.reject(
        rows,
        "c9-operator-time",
        "another operator has signed the account, which has expired",
        "account_untrusted",
    );
    let expired = by_other().account_claims(json!({"exp": NOW}));
    expired.reject(
        rows,
        "c9-time-issuer",
        "the account has expired, and another one has signed the user",
        "account_expired",
    );
}

/// What account and user say together.
fn of_both(rows: &mut Rows) {
    let revoked = || json!({"revocations": {id("user"): IAT}});
    let by_other = case().signer("acc-2").user(json!({"issuer_account": id("acc")})).account(revoked());
    by_other.reject(rows, "c9-issuer-revoked", "another account has signed, and revoked", "issuer_not_in_account");
    let scoped = case().scope(json!({})).user(json!({"bearer_token": true})).account(revoked());
    scoped.reject(rows, "c9-scope-revoked", "more than its scope, and revoked", "scoped_user_not_empty");
    let disallowed = json!({"limits": over(unlimited(), &json!({"disallow_bearer": true}))});
    let bearer = || case().account(disallowed.clone()).user(json!({"bearer_token": true}));
    let both = bearer().user(json!({"allowed_connection_types": ["MQTT"]}));
    both.reject(rows, "c9-bearer-connection", "no bearer, and another connection", "bearer_disallowed");
    let both = bearer().account(revoked());
    both.reject(rows, "c9-bearer-revoked", "no bearer, and revoked", "bearer_disallowed");
    let mqtt = case().user(json!({"allowed_connection_types": ["MQTT"]})).account(revoked());
    mqtt.reject(rows, "c9-connection-revoked", "another connection, and revoked", "connection_type");
    let elsewhere = || case().user(json!({"src": ["10.0.0.0/8"]}));
    elsewhere().account(revoked()).reject(rows, "c9-revoked-source", "revoked, and from elsewhere", "revoked");
    let never = json!({"times": [{"start": "12:00:00", "end": "12:00:00"}], "times_location": "UTC"});
    elsewhere().user(never).reject(rows, "c9-source-times", "from elsewhere, and at another time", "src");
}
