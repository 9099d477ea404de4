//! Tests what an issuer publishes. Numbers are those of the pitfalls in the design.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{Algorithm, KeySet, policy::TokenSpec};
use portcullis_issuer::{
    SigningKey,
    documents::{
        ClientAuthentication, DocumentAnswer, GrantType, KEY_SET_PATH, PublishedDocument, PublishedKey, ServerMetadata,
    },
    key_ring::{KeyRing, MemorySigningKeys, SealingKey},
};
use serde_json::{Value, json};

const M: Duration = Duration::from_secs(300);
const ISSUER: &str = "https://id.test";

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

fn key_set(keys: &[&SigningKey]) -> PublishedDocument {
    PublishedDocument::key_set(keys.iter().map(|key| PublishedKey::of(key).unwrap()), M).unwrap()
}

fn json(document: &PublishedDocument) -> Value {
    serde_json::from_str(document.body()).unwrap()
}

fn of_issuer(issuer: &str) -> ServerMetadata {
    ServerMetadata::of(&TokenSpec::new(issuer))
}

fn problem(metadata: &ServerMetadata) -> String {
    metadata.publish(M).unwrap_err().to_string()
}

#[test]
fn a_key_set_has_the_public_members_of_every_key_and_no_others() {
    for &algorithm in Algorithm::ALL {
        if algorithm.is_symmetric() {
            continue;
        }
        let key = key(algorithm);
        let json = json(&key_set(&[&key]));
        let jwk = json["keys"][0].as_object().unwrap();
        let expected: &[&str] = match jwk["kty"].as_str().unwrap() {
            "RSA" => &["alg", "e", "kid", "kty", "n", "use"],
            "EC" => &["alg", "crv", "kid", "kty", "use", "x", "y"],
            _ => &["alg", "crv", "kid", "kty", "use", "x"],
        };
        let mut names: Vec<_> = jwk.keys().collect();
        names.sort();
        assert_eq!(names, expected, "{algorithm}");
        assert_eq!(
            (&jwk["kid"], &jwk["alg"], &jwk["use"]),
            (&json!(key.id()), &json!(algorithm.name()), &json!("sig"))
        );
    }
}

#[test]
fn pitfall_12_a_key_set_has_the_standby_and_max_age_and_not_what_was_left_out() {
    let [active, standby, revoked] = [0; 3].map(|_| key(Algorithm::Es256));
    let document = key_set(&[&active, &standby]);
    assert_eq!(document.cache_control(), "public, max-age=300");
    let ids: Vec<_> = json(&document)["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect();
    assert_eq!(ids, [active.id(), standby.id()]);
    assert!(!document.body().contains(revoked.id()));
    assert_eq!(KeySet::from_jwks_strict(document.body()).unwrap().len(), 2, "portcullis reads both");
}

#[tokio::test]
async fn pitfall_12_the_key_set_of_a_ring_has_no_revoked_key() {
    let sealing = SealingKey::new([7; 32]).unwrap();
    let ring = KeyRing::builder(MemorySigningKeys::new(), Algorithm::Es256, sealing).start().await.unwrap();
    let before = ring.published().unwrap().unwrap();
    assert_eq!(before.cache_control(), "public, max-age=300");
    let active = ring.document().active().unwrap().id().to_owned();
    assert!(before.body().contains(&active) && before.answer(Some(before.etag())).status() == 304);
    ring.revoke(&active, "a test").await.unwrap();
    let after = ring.published().unwrap().unwrap();
    assert!(!after.body().contains(&active) && after.answer(Some(before.etag())).status() == 200);
}

#[test]
fn secrets_and_private_keys_are_never_published() {
    let secret = SigningKey::generate_secret("s", Algorithm::Hs256).unwrap();
    assert!(PublishedKey::of(&secret).unwrap_err().to_string().contains("secret"));
    let secret = r#"{"kty":"oct","kid":"s","alg":"HS256","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    assert!(PublishedKey::from_jwk(secret).is_err());

    let mut jwk: Value = serde_json::from_str(&key(Algorithm::Es256).public_jwk().unwrap()).unwrap();
    assert!(PublishedKey::from_jwk(&jwk.to_string()).is_ok());
    jwk["d"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let error = PublishedKey::from_jwk(&jwk.to_string()).unwrap_err().to_string();
    assert!(error.contains("private") && !error.contains("AAAA"), "{error}");
}

#[test]
fn a_key_from_elsewhere_is_published_without_its_other_members() {
    let mut jwk: Value = serde_json::from_str(&key(Algorithm::EdDsa).public_jwk().unwrap()).unwrap();
    jwk["password"] = json!("hunter2");
    jwk["key_ops"] = json!(["verify"]);
    let published = PublishedKey::from_jwk(&jwk.to_string()).unwrap();
    assert_eq!(published.algorithm(), Some(Algorithm::EdDsa));
    let document = PublishedDocument::key_set([published], M).unwrap();
    assert!(!document.body().contains("hunter2") && !document.body().contains("key_ops"));
}

#[test]
fn a_key_without_id_or_algorithm_is_not_published() {
    let whole: Value = serde_json::from_str(&key(Algorithm::Rs256).public_jwk().unwrap()).unwrap();
    assert!(PublishedKey::from_jwk(&whole.to_string()).is_ok());
    for name in ["kid", "alg"] {
        let mut jwk = whole.clone();
        jwk.as_object_mut().unwrap().remove(name);
        let error = PublishedKey::from_jwk(&jwk.to_string()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn a_key_set_needs_a_key_and_ids_that_differ() {
    let (one, other) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let published = [&one, &other, &one].map(|key| PublishedKey::of(key).unwrap());
    assert!(PublishedDocument::key_set(published[..2].to_vec(), M).is_ok());
    let error = PublishedDocument::key_set(published, M).unwrap_err().to_string();
    assert!(error.contains(one.id()) && !error.contains(other.id()), "{error}");
    assert!(PublishedDocument::key_set([], M).is_err());
}

#[test]
fn the_etag_follows_from_the_body_alone() {
    let (one, other) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let document = key_set(&[&one]);
    assert_eq!(key_set(&[&one]).etag(), document.etag(), "every instance has the same");
    assert_ne!(key_set(&[&other]).etag(), document.etag());
    assert!(document.etag().starts_with('"') && document.etag().ends_with('"') && document.etag().len() == 45);
}

#[test]
fn a_conditional_request_is_answered_without_a_body_if_nothing_has_changed() {
    let document = key_set(&[&key(Algorithm::Es256)]);
    let etag = document.etag().to_owned();
    let known = [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"a\", {etag}"),
        format!("\"a,b\",W/{etag} , \"c\""),
        "*".to_owned(),
        " * ".to_owned(),
    ];
    for header in known {
        let answer = document.answer(Some(&header));
        assert_eq!((answer.status(), answer.body()), (304, ""), "{header}");
        assert_eq!(names(&answer), ["cache-control", "etag"], "{header}");
    }
    let bare = etag.trim_matches('"');
    for header in ["", "\"a\"", bare, "**", &format!("w/{etag}"), &format!("\"{bare}x\""), &format!("{etag}x")] {
        let answer = document.answer(Some(header));
        assert_eq!((answer.status(), answer.body()), (200, document.body()), "{header}");
    }
    let answer = document.answer(None);
    assert_eq!(answer.status(), 200);
    let headers: Vec<_> = answer.headers().collect();
    assert_eq!(
        headers,
        [("content-type", "application/jwk-set+json"), ("cache-control", "public, max-age=300"), ("etag", &*etag)]
    );
}

#[tokio::test]
async fn a_key_set_has_the_type_of_key_sets_and_metadata_that_of_json() {
    let sealing = SealingKey::new([7; 32]).unwrap();
    let ring = KeyRing::builder(MemorySigningKeys::new(), Algorithm::Es256, sealing).start().await.unwrap();
    let of_ring = ring.published().unwrap().unwrap();
    let of_keys = key_set(&[&key(Algorithm::Es256)]);
    let metadata = of_issuer(ISSUER).publish(M).unwrap();
    let types = [
        (&*of_ring, "application/jwk-set+json"),
        (&of_keys, "application/jwk-set+json"),
        (&metadata, "application/json"),
    ];
    for (document, content_type) in types {
        assert_eq!(document.content_type(), content_type);
        assert!(document.answer(None).headers().any(|header| header == ("content-type", content_type)));
        assert_eq!(document.answer(Some(document.etag())).status(), 304);
    }
}

fn names(answer: &DocumentAnswer<'_>) -> Vec<&'static str> {
    answer.headers().map(|(name, _)| name).collect()
}

#[test]
fn metadata_says_only_what_is_there() {
    let bare = of_issuer(ISSUER);
    assert_eq!(json(&bare.publish(M).unwrap()), json!({ "issuer": ISSUER }));
    let with_keys = bare.key_set(format!("{ISSUER}{KEY_SET_PATH}"));
    assert_eq!(
        json(&with_keys.publish(M).unwrap()),
        json!({ "issuer": ISSUER, "jwks_uri": "https://id.test/.well-known/jwks.json" })
    );
    let with_tokens = with_keys
        .token_endpoint("https://id.test/token")
        .grant(GrantType::RefreshToken)
        .grant(GrantType::RefreshToken)
        .client_authentication(ClientAuthentication::None);
    assert_eq!(
        json(&with_tokens.publish(M).unwrap()),
        json!({
            "issuer": ISSUER,
            "jwks_uri": "https://id.test/.well-known/jwks.json",
            "token_endpoint": "https://id.test/token",
            "grant_types_supported": ["refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
        })
    );
}

#[test]
fn metadata_says_all_that_is_there() {
    let metadata = of_issuer(ISSUER)
        .authorization_endpoint("https://id.test/authorize?tenant=1")
        .token_endpoint("https://id.test/token")
        .revocation_endpoint("https://id.test/revoke")
        .introspection_endpoint("https://id.test/introspect")
        .scope("orders:read orders:write")
        .scope("orders:read")
        .grant(GrantType::AuthorizationCode)
        .grant(GrantType::ClientCredentials)
        .client_authentication(ClientAuthentication::None)
        .client_authentication(ClientAuthentication::ClientSecretBasic);
    let document = metadata.publish(M).unwrap();
    assert_eq!(document.cache_control(), "public, max-age=300");
    assert_eq!(
        json(&document),
        json!({
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.test/authorize?tenant=1",
            "token_endpoint": "https://id.test/token",
            "revocation_endpoint": "https://id.test/revoke",
            "introspection_endpoint": "https://id.test/introspect",
            "scopes_supported": ["orders:read", "orders:write"],
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        })
    );
}

/// If they are not named, clients assume `authorization_code`, `implicit` and `client_secret_basic` (RFC 8414 section 2).
#[test]
fn metadata_that_clients_would_complete_by_defaults_is_refused() {
    let token = |metadata: ServerMetadata| metadata.token_endpoint("https://id.test/token");
    let (grant, method) = (GrantType::RefreshToken, ClientAuthentication::None);
    assert!(token(of_issuer(ISSUER)).grant(grant).client_authentication(method).publish(M).is_ok());
    assert!(problem(&token(of_issuer(ISSUER)).client_authentication(method)).contains("needs a grant"));
    assert!(problem(&token(of_issuer(ISSUER)).grant(grant)).contains("authenticate"));
    assert!(problem(&of_issuer(ISSUER).revocation_endpoint("https://id.test/revoke")).contains("authenticate"));
    assert!(problem(&of_issuer(ISSUER).grant(grant)).contains("token endpoint"));
    assert!(problem(&of_issuer(ISSUER).client_authentication(method)).contains("token endpoint"));
    let code = token(of_issuer(ISSUER)).grant(GrantType::AuthorizationCode).client_authentication(method);
    assert!(problem(&code).contains("authorization endpoint"));
    assert!(code.authorization_endpoint("https://id.test/authorize").publish(M).is_ok());
    let login = token(of_issuer(ISSUER)).grant(grant).client_authentication(method);
    assert!(problem(&login.authorization_endpoint("https://id.test/authorize")).contains("authorization_code"));
}

#[test]
fn the_paths_are_where_the_standards_put_them() {
    let root = "/.well-known/oauth-authorization-server";
    let openid = "/.well-known/openid-configuration";
    for (issuer, path) in [
        ("https://id.test", ""),
        ("https://id.test/", ""),
        ("https://ID.Test", ""),
        ("https://id.test:8443", ""),
        ("http://localhost:3000", ""),
        ("http://[::1]:3000/tenant1", "/tenant1"),
        ("https://id.test/tenant1", "/tenant1"),
        ("https://id.test/tenant1/", "/tenant1"),
        ("https://id.test:8443/realms/b", "/realms/b"),
        ("https://id.test/tenant%201/%C3%A4", "/tenant%201/%C3%A4"),
        ("https://id.test//a", "//a"),
        ("https://id.test/Tenant.1;v=2", "/Tenant.1;v=2"),
    ] {
        let metadata = of_issuer(issuer);
        let inserted = format!("{root}{path}");
        let (appended, inserted_openid) = (format!("{path}{openid}"), format!("{openid}{path}"));
        if path.is_empty() {
            assert_eq!(metadata.paths().unwrap(), [inserted], "{issuer}");
            assert_eq!(metadata.openid_paths().unwrap(), [appended], "{issuer}");
        } else {
            assert_eq!(metadata.paths().unwrap(), [inserted.as_str(), root], "{issuer}");
            assert_eq!(metadata.openid_paths().unwrap(), [appended, inserted_openid], "{issuer}");
        }
        assert_eq!(json(&metadata.publish(M).unwrap())["issuer"], issuer, "byte for byte, as in `iss`");
    }
}

#[test]
fn an_issuer_that_clients_cannot_use_is_refused() {
    for (issuer, expected) in [
        ("https://id.test?a=b", "query"),
        ("https://id.test/?", "query"),
        ("https://id.test/#a", "fragment"),
        ("https://id.test#", "fragment"),
        ("http://id.test", "https"),
        ("HTTPS://id.test", "https"),
        ("http://localhost.id.test", "https"),
        ("ftp://id.test", "https"),
        ("id.test", "absolute"),
        ("/tenant1", "absolute"),
        ("https://", "host"),
        ("https:///tenant1", "host"),
        ("https://id.test:x", "port"),
        ("https://id.test:", "port"),
        ("https://id.test:65536", "port"),
        ("https://id.test:+1", "port"),
        ("https://[::1", "host"),
        ("https://[id.test]", "host"),
        ("https://alice@id.test", "user"),
        ("https://id.test/a b", "percent-encode"),
        ("https://id.test/ä", "percent-encode"),
        ("https://id.test/%zz", "percent-encode"),
        ("https://id.test/%2", "percent-encode"),
        ("https://id.test/a\\b", "percent-encode"),
        ("https://id.test/a/../b", "`..`"),
        ("https://id.test/a/%2E%2e", "`..`"),
        ("https://id.test/.well-known/jwks.json", "document"),
    ] {
        let metadata = of_issuer(issuer);
        let error = problem(&metadata);
        assert!(error.contains(expected), "{issuer}: {error}");
        assert!(metadata.paths().is_err() && metadata.openid_paths().is_err(), "{issuer}");
    }
}

#[test]
fn an_endpoint_that_clients_cannot_use_is_refused_by_name() {
    let error =
        problem(&of_issuer(ISSUER).key_set("http://id.test/keys").introspection_endpoint("https://id.test/i#f"));
    assert!(error.contains("jwks_uri") && error.contains("introspection_endpoint"), "{error}");
    assert!(of_issuer(ISSUER).key_set("https://keys.test/keys").publish(M).is_ok(), "a key set may be on another host");
}
