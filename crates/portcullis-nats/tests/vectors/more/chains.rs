//! Operator, account and user together: C, A2 to A4, E7, R, P.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use super::{
    Rows,
    case::Case,
    world::{IAT, NONCE, OLD_HEADER, Signs, account, id, key, over, public_text, raw, text, token, unlimited, user},
};

pub(super) fn add(rows: &mut Rows) {
    operators(rows);
    issuers(rows);
    accounts(rows);
    old_tokens(rows);
    revocations(rows);
    proofs(rows);
    bearers(rows);
}

fn operators(rows: &mut Rows) {
    Case::of(&["C1"]).accept(rows, "c1-operator", "the operator has signed the account");
    let other = Case::of(&["C1"]).account_signer("op-2");
    other.reject(rows, "c1-other-operator", "another operator has signed the account", "account_untrusted");
    Case::of(&["C2"]).account_signer("op-signing").accept(rows, "c2-signing-key", "a signing key of the operator");
    let strict = |rules| Case::of(rules).trust("strict");
    let signing = json!({"signing_keys": [id("acc-signing")]});
    let signed = json!({"issuer_account": id("acc")});
    let right =
        strict(&["C3"]).account_signer("op-signing").account(signing.clone()).signer("acc-signing").user(signed);
    right.accept(rows, "c3-signing-keys", "strict: signing keys all the way");
    let own = strict(&["C3"]).account(signing.clone()).signer("acc-signing").user(json!({"issuer_account": id("acc")}));
    own.reject(rows, "c3-operator-key", "strict: the operator's own key has signed the account", "account_untrusted");
    let own = strict(&["C3"]).account_signer("op-signing").account(signing);
    own.reject(rows, "c3-account-key", "strict: the account's own key has signed the user", "issuer_not_in_account");
    let bare = strict(&["C3"]).account_signer("op-signing");
    bare.reject(rows, "c3-no-keys", "strict: the account has no signing keys", "issuer_not_in_account");
}

fn issuers(rows: &mut Rows) {
    let own = Case::of(&["C4"]).user(json!({"issuer_account": id("acc")}));
    own.accept(rows, "c4-own", "issuer_account is the key that has signed");
    let other = Case::of(&["C4"]).signer("acc-2").user(json!({"issuer_account": id("acc")}));
    other.reject(rows, "c4-other-account", "another account has signed for this one", "issuer_not_in_account");
    let signed = || Case::of(&["C4"]).signer("acc-signing").user(json!({"issuer_account": id("acc")}));
    let listed = signed().account(json!({"signing_keys": [id("acc-signing")]}));
    listed.accept(rows, "c4-listed", "a signing key of the account");
    let removed = signed().account(json!({"signing_keys": [id("acc-scoped")]}));
    removed.reject(rows, "c4-removed", "a signing key that is no longer listed", "issuer_not_in_account");
    Case::of(&["C7"]).trust("pinned").accept(rows, "c7-pinned", "a pinned account");
    let claims = user("acc-2", "user", &json!({}));
    let other = Case::of(&["C7"]).trust("pinned").user_text(token("acc-2", &claims));
    other.reject(rows, "c7-not-pinned", "an account that is not pinned", "account_not_pinned");
    let substituted = token("op", &account("op", "acc-2", &json!({"signing_keys": [id("acc")]})));
    let case = Case::of(&["C6", "Q2"]).account_text(substituted);
    case.reject(rows, "c6-other-account", "the resolver returns another account with this key", "account_mismatch");
    let user = Case::of(&["E12", "Q2"]).account_text(token("acc", &user("acc", "user", &json!({}))));
    user.reject(rows, "e12-user-as-account", "the resolver returns a user", "wrong_type");
}

fn accounts(rows: &mut Rows) {
    let limited = |connections: i64| json!({"limits": over(unlimited(), &json!({ "conn": connections }))});
    Case::of(&["A2"]).account(limited(1)).accept(rows, "a2-one", "one connection");
    let locked = Case::of(&["A2"]).account(limited(0));
    locked.reject(rows, "a2-none", "no connection", "account_locked");
    let callout = |user: &str| Case::of(&["A3", "X5"]).account(json!({"authorization": {"auth_users": [id(user)]}}));
    callout("user").accept(rows, "a3-auth-user", "a user of the outside service");
    callout("user-2").reject(rows, "a3-other-user", "another user", "external_authorization");
    Case::of(&["A4"]).user(json!({"proxy_required": false})).accept(rows, "a4-no-proxy", "no proxy is required");
    let proxy = Case::of(&["A4"]).user(json!({"proxy_required": true}));
    proxy.reject(rows, "a4-proxy", "a proxy is required", "proxy_required");
    let of_scope = |is_required: bool| Case::of(&["A4", "S3"]).scope(json!({ "proxy_required": is_required }));
    of_scope(false).accept(rows, "a4-scope-no-proxy", "the template requires no proxy");
    of_scope(true).reject(rows, "a4-scope-proxy", "the template requires a proxy", "proxy_required");
    let wrong = Case::of(&["A1"]).account(json!({"cluster_traffic": "all"}));
    wrong.reject(rows, "a1-wrong-account", "a mistake in the account refuses its users", "account_invalid");
}

fn old_tokens(rows: &mut Rows) {
    let old_user = || {
        let claims = over(user("acc", "user", &json!({})), &json!({"type": "user", "nats": {}}));
        raw("acc", OLD_HEADER, &text(&claims), Signs::Claims)
    };
    let old_account = || {
        let nats = json!({"limits": unlimited()});
        let claims = over(account("op", "acc", &json!({})), &json!({"type": "account", "nats": nats}));
        raw("op", OLD_HEADER, &text(&claims), Signs::Claims)
    };
    let both = |policy: Value| Case::of(&["E7"]).user_text(old_user()).account_text(old_account()).policy(policy);
    both(json!({"v1": "accept"})).accept(rows, "e7-accepted", "version 1 is accepted");
    both(json!({"v1": "refuse"})).reject(rows, "e7-refused", "version 1 is refused", "unsupported_version");
    let user = Case::of(&["E7"]).user_text(old_user());
    user.clone().accept(rows, "e7-user", "a user of version 1 in an account of version 2");
    let user = user.policy(json!({"v1": "refuse"}));
    user.reject(rows, "e7-user-refused", "a user of version 1 is refused", "unsupported_version");
    let account = Case::of(&["E7"]).account_text(old_account()).policy(json!({"v1": "refuse"}));
    account.reject(rows, "e7-account-refused", "an account of version 1 is refused", "unsupported_version");
}

fn revocations(rows: &mut Rows) {
    let revoked = |name: &str, until: i64| json!({"revocations": { name: until }});
    let of = |rules, name: &str, until: i64| Case::of(rules).account(revoked(name, until));
    of(&["R2"], &id("user"), IAT - 1).accept(rows, "r2-reissued", "issued after the revocation");
    of(&["R1"], &id("user"), IAT).reject(rows, "r1-same-second", "issued in that second", "revoked");
    of(&["R1"], &id("user-2"), IAT).accept(rows, "r1-other-user", "another user is revoked");
    of(&["R3"], "*", IAT - 1).accept(rows, "r3-all-before", "all before");
    of(&["R3"], "*", IAT).reject(rows, "r3-all", "all", "revoked");
    let two = |own: i64, all: i64| Case::of(&["R3"]).account(json!({"revocations": {id("user"): own, "*": all}}));
    two(IAT - 1, IAT).reject(rows, "r3-all-newer", "the entry of all is newer", "revoked");
    two(IAT, IAT - 1).reject(rows, "r3-own-newer", "the user's own entry is newer", "revoked");
    let undated = || Case::of(&["R4"]).user_claims(json!({"iat": null}));
    undated().accept(rows, "r4-no-entry", "no iat, and no entry");
    let old = undated().account(revoked(&id("user"), 1));
    old.reject(rows, "r4-any-entry", "no iat, and a very old entry", "revoked");
}

fn proofs(rows: &mut Rows) {
    let signature = || key("user").sign(NONCE.as_bytes());
    let case = |rules, mode: &str, text: String| Case::of(rules).proof(mode, Some(text));
    case(&["P1", "P2", "P3"], "ok", URL_SAFE_NO_PAD.encode(signature())).accept(rows, "p2-text", "the nonce's text");
    let decoded = key("user").sign(&URL_SAFE_NO_PAD.decode(&NONCE[..12]).unwrap());
    let decoded = case(&["P2"], "decoded", URL_SAFE_NO_PAD.encode(decoded));
    decoded.reject(rows, "p2-decoded", "the decoded nonce", "proof_invalid");
    let other = case(&["P2"], "other-key", URL_SAFE_NO_PAD.encode(key("user-2").sign(NONCE.as_bytes())));
    other.reject(rows, "p2-other-key", "signed by another user", "proof_invalid");
    let nonce = case(&["P5"], "other-nonce", URL_SAFE_NO_PAD.encode(key("user").sign(b"another nonce")));
    nonce.reject(rows, "p5-other-nonce", "the proof of another connection", "proof_invalid");
    case(&["P3"], "standard", STANDARD.encode(signature())).accept(rows, "p3-standard", "standard base64");
    let padded = case(&["P3"], "padded", URL_SAFE.encode(signature()));
    padded.reject(rows, "p3-padded", "base64url with padding", "proof_invalid");
    let longer = [&signature()[..], &[0]].concat();
    let longer = case(&["P4"], "longer", URL_SAFE_NO_PAD.encode(longer));
    longer.reject(rows, "p4-65-bytes", "65 bytes", "proof_invalid");
    Case::of(&["P1"]).proof("none", None).reject(rows, "p1-none", "no proof", "proof_missing");
}

fn bearers(rows: &mut Rows) {
    let bearer = |rules| Case::of(rules).user(json!({"bearer_token": true})).proof("none", None);
    bearer(&["P6"]).accept(rows, "p6-no-proof", "a bearer token needs no proof");
    let wrong = Case::of(&["P6"]).user(json!({"bearer_token": true})).proof("wrong", Some("AAAA".to_owned()));
    wrong.accept(rows, "p6-wrong-proof", "the proof beside a bearer token is not looked at");
    let refused = bearer(&["P6"]).policy(json!({"bearer": "refuse"}));
    refused.reject(rows, "p6-refused", "bearer tokens are refused", "bearer_disallowed");
    let weak = public_text(20 << 3, &[[1].as_slice(), &[0; 31]].concat());
    let weak = bearer(&["N7"]).user_claims(json!({ "sub": weak }));
    weak.reject(rows, "n7-bearer", "a bearer token of the identity point", "weak_key");
    let disallowed = || json!({"limits": over(unlimited(), &json!({"disallow_bearer": true}))});
    Case::of(&["P7"]).account(disallowed()).accept(rows, "p7-proof", "the account demands proofs, and there is one");
    let proven = Case::of(&["P7"]).account(disallowed()).user(json!({"bearer_token": true}));
    proven.reject(rows, "p7-bearer", "a bearer token, although there is a proof", "bearer_disallowed");
    let scope = Case::of(&["P7", "S3"]).scope(json!({"bearer_token": true}));
    scope.clone().proof("none", None).accept(rows, "s3-bearer", "the template needs no proof");
    let scope = scope.account(disallowed());
    scope.reject(rows, "p7-scope", "the template needs no proof, and the account demands it", "bearer_disallowed");
    let scope = Case::of(&["S3"]).scope(json!({})).proof("none", None);
    scope.reject(rows, "s3-no-bearer", "the template needs a proof", "proof_missing");
}
