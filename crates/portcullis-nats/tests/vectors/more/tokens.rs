//! Texts to read as a token of a kind, without a chain: N, E, V5, M8, C8.

use serde_json::{Value, json};

use super::{
    Rows,
    world::{
        IAT, NOW, OLD_HEADER, Signs, account, activation, header, id, key, operator, over, public_text, raw, seed_text,
        text, token, user,
    },
};

pub(super) fn add(rows: &mut Rows) {
    keys(rows);
    forms(rows);
    members(rows);
    kinds(rows);
    headers(rows);
    versions(rows);
    numbers(rows);
    permissions(rows);
    operators(rows);
    nkeys(rows);
}

pub(super) fn row(
    rows: &mut Rows,
    rules: &[&str],
    name: &str,
    title: &str,
    kind: &str,
    reason: Option<&str>,
    text: &str,
) {
    rows.add("tokens", name, title, rules, reason, &json!({"kind": kind, "text": text}));
}

/// A user's token with this header text, and these members of the claims besides the usual ones.
fn user_row(rows: &mut Rows, rules: &[&str], name: &str, title: &str, reason: Option<&str>, claims: &Value) {
    let claims = over(user("acc", "user", &json!({})), claims);
    row(rows, rules, name, title, "user", reason, &token("acc", &claims));
}

fn keys(rows: &mut Rows) {
    let of = |subject: String| json!({ "sub": subject });
    user_row(rows, &["N6"], "n6-user", "the subject is a user", None, &of(id("user")));
    user_row(rows, &["N6"], "n6-user-account", "the subject is an account", Some("bad_key"), &of(id("acc")));
    user_row(rows, &["N6"], "n6-user-operator", "the subject is an operator", Some("bad_key"), &of(id("op")));
    let lower = public_text((20 << 3) | 1, key("user").public_key().bytes());
    user_row(rows, &["N5"], "n5-low-bits", "low bits of the subject's prefix are set", Some("bad_key"), &of(lower));
    let weak = public_text(20 << 3, &[[1].as_slice(), &[0; 31]].concat());
    user_row(rows, &["N7"], "n7-identity-point", "the subject is the identity point", Some("weak_key"), &of(weak));
    let module = public_text(12 << 3, key("user").public_key().bytes());
    user_row(rows, &["N10"], "n10-module", "the subject is a module of wasmCloud", Some("bad_key"), &of(module));
    let right = activation("acc", "acc-2", &json!({}));
    row(rows, &["N6"], "n6-activation", "for an account", "activation", None, &token("acc", &right));
    let wrong = activation("acc", "user", &json!({}));
    row(rows, &["N6"], "n6-activation-user", "for a user", "activation", Some("bad_key"), &token("acc", &wrong));
    let by_user = activation("user", "acc-2", &json!({}));
    row(rows, &["N4"], "n4-activation-user", "by a user", "activation", Some("issuer_role"), &token("user", &by_user));
    let by_operator = activation("op", "acc-2", &json!({}));
    row(rows, &["N4"], "n4-activation-operator", "by an operator", "activation", None, &token("op", &by_operator));
    let wrong = user("op", "user", &json!({}));
    row(rows, &["N4"], "n4-user-operator", "a user by an operator", "user", Some("issuer_role"), &token("op", &wrong));
    let signed = json!({"nats": {"issuer_account": id("acc"), "type": "user", "version": 2}});
    user_row(rows, &["C5", "N6"], "c5-issuer-account", "issuer_account is an account", None, &signed);
    for (name, wrong) in [("user", id("user")), ("path", "../../etc/passwd".to_owned())] {
        let claims = json!({"nats": {"issuer_account": wrong, "type": "user", "version": 2}});
        let title = "issuer_account is no account";
        user_row(rows, &["C5", "N6"], &format!("c5-issuer-account-{name}"), title, Some("bad_key"), &claims);
    }
}

fn forms(rows: &mut Rows) {
    let good = token("acc", &user("acc", "user", &json!({})));
    let mut form = |name: &str, title: &str, reason: Option<&str>, text: &str| {
        row(rows, &["E1"], name, title, "user", reason, text);
    };
    form("e1-three-parts", "three parts", None, &good);
    let malformed = Some("malformed");
    form("e1-four-parts", "a fourth part", malformed, &format!("{good}.AAAA"));
    form("e1-empty-fourth-part", "an empty fourth part", malformed, &format!("{good}."));
    form("e1-padding", "padding behind the signature", malformed, &format!("{good}=="));
    form("e1-newline", "a line end in the claims", malformed, &good.replacen(".eyJ", ".ey\nJ", 1));
    form("e1-newline-at-the-end", "a line end behind the token", malformed, &format!("{good}\n"));
    let claims = text(&user("acc", "user", &json!({})));
    let with = |claims: &str| raw("acc", &text(&header()), claims, Signs::HeaderAndClaims);
    form("e1-blank-behind", "a blank behind the claims", None, &with(&format!("{claims} ")));
    form("e1-more-behind", "something behind the claims", malformed, &with(&format!("{claims}{{}}")));
    form("e1-list-of-claims", "the claims are a list", malformed, &with(&format!("[{claims}]")));
    let claims_with = |more: &str| with(&claims.replacen('{', &format!("{{{more},"), 1));
    row(rows, &["E11"], "e11-once", "each member once", "user", None, &claims_with(r#""x":1"#));
    let twice = claims_with(r#""name":"other""#);
    row(rows, &["E11"], "e11-twice", "a member twice", "user", malformed, &twice);
    let inner = with(&claims.replacen(r#""payload":-1"#, r#""payload":-1,"payload":0"#, 1));
    row(rows, &["E11"], "e11-twice-inside", "a member of nats twice", "user", malformed, &inner);
}

fn members(rows: &mut Rows) {
    let unknown = json!({"nats": {"bearer-token": true, "type": "user", "version": 2}});
    user_row(rows, &["E9"], "e9-unknown", "a member that is not known", None, &unknown);
    let other_case = json!({"nats": {"Bearer_Token": true, "type": "user", "version": 2}});
    user_row(rows, &["E9"], "e9-other-case", "a known member in another case", Some("malformed"), &other_case);
    user_row(rows, &["E10"], "e10-audience", "an audience", None, &json!({"aud": "NATS"}));
    user_row(rows, &["E10"], "e10-other-audience", "any audience", None, &json!({"aud": "elsewhere"}));
    user_row(rows, &["E8"], "e8-token-id", "any token id", None, &json!({"jti": "any"}));
    user_row(rows, &["E3"], "e3-right-signature", "signed by the key in iss", None, &json!({}));
    let other = user("acc-2", "user", &json!({}));
    row(rows, &["E3"], "e3-other-key", "signed by another key", "user", Some("bad_signature"), &token("acc", &other));
}

fn kinds(rows: &mut Rows) {
    let mut with = |name: &str, title: &str, kind: &str, is_right: bool, text: &str| {
        row(rows, &["E12"], &format!("e12-{name}"), title, kind, (!is_right).then_some("wrong_type"), text);
    };
    let activation = token("acc", &activation("acc", "acc-2", &json!({})));
    with("activation", "an activation as one", "activation", true, &activation);
    with("activation-as-user", "an activation as a user", "user", false, &activation);
    for (name, signer) in [("authorization_request", "n"), ("authorization_response", "acc")] {
        let callout = token(signer, &user(signer, "user", &json!({ "type": name })));
        with(name, "a token of a callout as a user", "user", false, &callout);
    }
    let account = token("op", &account("op", "acc", &json!({})));
    with("account", "an account as one", "account", true, &account);
    with("account-as-operator", "an account as operator", "operator", false, &account);
}

fn headers(rows: &mut Rows) {
    let claims = text(&user("acc", "user", &json!({})));
    let mut with = |name: &str, title: &str, is_right: bool, more: Value| {
        let header = text(&over(header(), &more));
        let reason = if is_right { None } else { Some("bad_header") };
        let token = raw("acc", &header, &claims, Signs::HeaderAndClaims);
        row(rows, &["E2"], &format!("e2-{name}"), title, "user", reason, &token);
    };
    with("usual", "the usual header", true, json!({}));
    with("typ-lower", "typ in lower case", true, json!({"typ": "jwt"}));
    with("typ-missing", "no typ", false, json!({"typ": null}));
    with("typ-other", "another typ", false, json!({"typ": "JOSE"}));
    with("alg-upper", "alg in upper case", true, json!({"alg": "ED25519-NKEY"}));
    for alg in ["none", "HS256", "EdDSA", "Ed25519-nkeys", ""] {
        with(&format!("alg-{alg}"), "another alg", false, json!({"alg": alg}));
    }
    with("alg-number", "alg is a number", false, json!({"alg": 1}));
    with("more", "a member that is not known", true, json!({"kid": "k"}));
    with("crit", "an extension that is demanded", false, json!({"crit": ["kid"], "kid": "k"}));
}

fn versions(rows: &mut Rows) {
    let v2 = user("acc", "user", &json!({}));
    let v1 = over(v2.clone(), &json!({"type": "user", "nats": {"subs": -1}}));
    let mut with = |rule: &str, name: &str, title: &str, reason: Option<&str>, parts: (&str, &Value, Signs)| {
        let token = raw("acc", parts.0, &text(parts.1), parts.2);
        row(rows, &[rule], name, title, "user", reason, &token);
    };
    let (new, old, all, claims) = (text(&header()), OLD_HEADER, Signs::HeaderAndClaims, Signs::Claims);
    let mismatch = Some("version_mismatch");
    let signature = Some("bad_signature");
    with("E4", "e4-both", "version 2, header and claims signed", None, (&new, &v2, all));
    with("E4", "e4-claims", "version 2, the claims alone signed", signature, (&new, &v2, claims));
    with("E5", "e5-claims", "version 1, the claims alone signed", None, (old, &v1, claims));
    with("E5", "e5-both", "version 1, header and claims signed", signature, (old, &v1, all));
    let other = r#"{"alg":"ed25519","typ":"jwt"}"#;
    let title = "version 1, and a header that no library writes: it is not signed";
    with("E5", "e5-other-header", title, Some("bad_header"), (other, &v1, claims));
    with("E6", "e6-old-header-new-claims", "a header of version 1, claims of version 2", mismatch, (old, &v2, claims));
    with("E6", "e6-new-header-old-claims", "a header of version 2, claims of version 1", mismatch, (&new, &v1, all));
    let both = over(v1.clone(), &json!({"nats": {"type": "user", "version": 2}}));
    with("E6", "e6-two-types", "a type of each version, signed as version 2", mismatch, (&new, &both, all));
    with("E6", "e6-two-types-old", "a type of each version, signed as version 1", mismatch, (old, &both, claims));
    for version in [0, 1, 3] {
        let other = user("acc", "user", &json!({ "version": version }));
        let name = format!("e6-version-{version}");
        with("E6", &name, "another version", Some("unsupported_version"), (&new, &other, all));
    }
    let fraction = user("acc", "user", &json!({"version": 2.5}));
    with("E6", "e6-version-fraction", "a version that is no whole number", Some("malformed"), (&new, &fraction, all));
}

fn numbers(rows: &mut Rows) {
    let rule = &["V5"];
    user_row(rows, rule, "v5-whole", "a whole number", None, &json!({"iat": IAT}));
    user_row(rows, rule, "v5-text", "a text", Some("malformed"), &json!({"exp": "1"}));
    user_row(rows, rule, "v5-fraction", "a fraction", Some("malformed"), &json!({"exp": 1_900_000_000.5}));
    let big = text(&user("acc", "user", &json!({}))).replacen(&IAT.to_string(), "18446744073709551616", 1);
    let big = raw("acc", &text(&header()), &big, Signs::HeaderAndClaims);
    row(rows, rule, "v5-65-bits", "2^64", "user", Some("malformed"), &big);
    user_row(rows, &["P6"], "p6-bearer", "bearer_token is true", None, &bearer(json!(true)));
    user_row(rows, &["P6"], "p6-bearer-number", "bearer_token is 1", Some("malformed"), &bearer(json!(1)));
}

fn bearer(value: Value) -> Value {
    json!({"nats": {"bearer_token": value, "type": "user", "version": 2}})
}

fn permissions(rows: &mut Rows) {
    let mut with = |name: &str, title: &str, is_right: bool, nats: Value| {
        let reason = if is_right { None } else { Some("invalid") };
        let claims = user("acc", "user", &nats);
        row(rows, &["M8"], &format!("m8-{name}"), title, "user", reason, &token("acc", &claims));
    };
    let publish = |entry: &str| json!({"pub": {"allow": [entry]}});
    let subscribe = |entry: &str| json!({"sub": {"deny": [entry]}});
    with("subject", "a subject", true, publish("a.b"));
    for (name, entry) in [("empty", ""), ("dot-in-front", ".a"), ("dot-behind", "a."), ("two-dots", "a..b")] {
        with(&format!("pub-{name}"), "an entry that is no subject", false, publish(entry));
        with(&format!("sub-{name}"), "an entry that is no subject", false, subscribe(entry));
    }
    with("pub-tab", "a blank in a word", false, publish("a\tb"));
    with("pub-queue", "a queue where none may be", false, publish("a q"));
    with("sub-queue", "a queue", true, subscribe("a q"));
    with("sub-two-blanks", "something behind a queue", false, subscribe("a q r"));
    with("sub-wrong-queue", "a queue that is no word", false, subscribe("a q..r"));
}

fn operators(rows: &mut Rows) {
    let mut with = |rules: &[&str], name: &str, title: &str, reason: Option<&str>, nats: Value| {
        let text = token("op", &operator("op", "op", &nats));
        row(rows, rules, &format!("c8-{name}"), title, "operator", reason, &text);
    };
    with(&["C8"], "operator", "an operator", None, json!({"signing_keys": [id("op-signing")]}));
    let wrong = json!({"signing_keys": [id("acc-signing")]});
    with(&["C8"], "operator-signing-key", "a signing key of an account", Some("invalid"), wrong);
    with(&["C8"], "operator-version", "a version of servers", None, json!({"assert_server_version": "2.10.0"}));
    let wrong = json!({"assert_server_version": "2.10"});
    with(&["C8"], "operator-wrong-version", "no version of servers", Some("invalid"), wrong);
    for (name, subject, reason) in [("own", "op", None), ("other", "op-2", Some("not_self_signed"))] {
        let text = token("op", &operator("op", subject, &json!({})));
        let row = json!({"operator_jwt": text, "now": NOW, "live": false});
        rows.add("operators", &format!("c8-signed-by-{name}"), "who has signed the operator", &["C8"], reason, &row);
    }
}

fn nkeys(rows: &mut Rows) {
    let user = key("user");
    let mut with = |rules: &[&str], name: &str, title: &str, reason: Option<&str>, kind: &str, text: &str| {
        rows.add("nkey_texts", name, title, rules, reason, &json!({"kind": kind, "text": text}));
    };
    let (public, seed) = (user.public_key().to_string(), user.seed());
    let seed = seed.reveal();
    let no = Some("refused");
    with(&["N1", "N2", "N3", "N5"], "n1-public", "a public key", None, "public", &public);
    with(&["N1"], "n1-lower", "in lower case", no, "public", &public.to_lowercase());
    with(&["N1"], "n1-mixed", "one letter in lower case", no, "public", &format!("u{}", &public[1..]));
    let split = format!("{}\n{}", &public[..20], &public[20..]);
    with(&["N1"], "n1-newline", "a line end inside", no, "public", &split);
    let of = |key: &[u8]| public_text(20 << 3, key);
    with(&["N2"], "n2-31", "a key of 31 bytes", no, "public", &of(&user.public_key().bytes()[..31]));
    with(&["N2"], "n2-33", "a key of 33 bytes", no, "public", &of(&[user.public_key().bytes(), &[0][..]].concat()));
    let swapped = format!("{}A", &public[..55]);
    with(&["N3"], "n3-checksum", "another checksum", no, "public", &swapped);
    with(&["N8", "N9"], "n8-seed", "a seed", None, "seed", seed);
    let last = seed.as_bytes()[57];
    let unused = format!("{}{}", &seed[..57], char::from(last + 1));
    with(&["N9"], "n9-unused-bit", "an unused bit is set", no, "seed", &unused);
    let unknown = seed_text(25 << 3, &[7; 32]);
    with(&["N8"], "n8-unknown-role", "a role that is not known", no, "seed", &unknown);
    with(&["N8"], "n8-public", "a public key instead", no, "seed", &public);
}
