//! Keys are rotated, and services that trust the issuer follow.

mod support;

use portcullis_core::{Algorithm, Code, KeySet};
use portcullis_test::MockIssuer;
use support::verify;

#[test]
fn a_rotation_loses_no_token_until_the_old_key_is_retired() {
    for algorithm in [Algorithm::Es256, Algorithm::Hs256, Algorithm::Rs256] {
        let issuer = MockIssuer::with_algorithm(algorithm);
        let admission = issuer.admission();
        let old = issuer.token().sign();

        let id = issuer.rotate();
        assert_eq!(issuer.key_id(), id);
        let new = issuer.token().sign();
        assert!(verify(&admission, &old).is_ok());
        assert_eq!(verify(&admission, &new).unwrap().key_id(), Some(&*id));

        issuer.retire_old();
        assert_eq!(verify(&admission, &old).err(), Some(Code::KeyUnknown));
        assert!(verify(&admission, &new).is_ok());
    }
}

#[test]
fn a_token_can_ask_for_any_published_key() {
    let issuer = MockIssuer::new();
    let admission = issuer.admission();
    let added = issuer.add_key(Algorithm::EdDsa);
    assert_eq!(issuer.algorithm(), Algorithm::Es256);
    let verified = verify(&admission, &issuer.token().key(&added).sign()).unwrap();
    assert_eq!((verified.key_id(), verified.algorithm()), (Some("eddsa-2"), Some(Algorithm::EdDsa)));
    assert!(verify(&admission, &issuer.token().sign()).is_ok());
}

#[test]
#[should_panic(expected = "the issuer publishes no such key: es256-9")]
fn an_unknown_key_ends_the_test() {
    let _ = MockIssuer::new().token().key("es256-9");
}

#[test]
fn what_is_published_are_the_public_keys_of_the_moment() {
    let issuer = MockIssuer::new();
    issuer.add_key(Algorithm::Rs256);
    issuer.add_key(Algorithm::Es384);
    issuer.add_key(Algorithm::Ed25519);
    issuer.add_key(Algorithm::Hs256);
    let published = KeySet::from_jwks_strict(&issuer.jwks()).unwrap();
    let ids: Vec<_> = published.iter().filter_map(|key| key.id()).collect();
    assert_eq!(ids, ["ed25519-4", "es256-1", "es384-3", "rs256-2"]);

    issuer.rotate();
    issuer.retire_old();
    let published = KeySet::from_jwks_strict(&issuer.jwks()).unwrap();
    assert_eq!(published.iter().next().and_then(|key| key.id()), Some("es256-6"));
}

#[test]
fn secrets_are_written_on_request_only() {
    let issuer = MockIssuer::with_algorithm(Algorithm::Hs384);
    assert_eq!(issuer.jwks(), r#"{"keys":[]}"#);
    let keys = KeySet::from_jwks_with_secrets(&issuer.jwks_with_secrets()).unwrap();
    let trusted = portcullis_core::TrustedIssuer::new(issuer.name(), keys).audience(MockIssuer::DEFAULT_AUDIENCE);
    let admission = portcullis_core::Admission::new(portcullis_core::JwtAuthenticator::new(trusted).unwrap());
    assert!(verify(&admission, &issuer.token().sign()).is_ok());
}

#[test]
fn clones_share_the_keys_and_nothing_else() {
    let one = MockIssuer::new();
    let other = one.clone().named("https://other.test");
    one.rotate();
    assert_eq!(one.key_id(), other.key_id());
    assert_eq!(verify(&one.admission(), &other.token().sign()).err(), Some(Code::IssuerNotTrusted));
}

#[test]
fn two_issuers_do_not_accept_each_others_tokens() {
    let (one, other) = (MockIssuer::new(), MockIssuer::new());
    assert_eq!(verify(&one.admission(), &other.token().sign()).err(), Some(Code::SignatureInvalid));

    // RSA issuers begin with the same key, and say so; a rotation tells them apart.
    let (one, other) = (MockIssuer::with_algorithm(Algorithm::Rs256), MockIssuer::with_algorithm(Algorithm::Rs256));
    assert!(verify(&one.admission(), &other.token().sign()).is_ok());
    other.rotate();
    assert_eq!(verify(&one.admission(), &other.token().sign()).err(), Some(Code::KeyUnknown));
}

#[test]
fn the_metadata_has_what_the_specifications_require() {
    let issuer = MockIssuer::new().named("https://login.test/");
    let metadata: serde_json::Value = serde_json::from_str(&issuer.discovery()).unwrap();
    assert_eq!(metadata["issuer"], "https://login.test/");
    assert_eq!(metadata["jwks_uri"], "https://login.test/jwks.json");
    for member in [
        "authorization_endpoint",
        "token_endpoint",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        assert!(!metadata[member].is_null(), "{member}");
    }
}
