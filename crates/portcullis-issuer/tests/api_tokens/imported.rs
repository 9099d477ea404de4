//! Programs go on with the tokens of an earlier system.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{Admission, Code};
use portcullis_issuer::api_tokens::{
    ApiTokenKind, ApiTokenStore, ApiTokens, ForeignDigest, Grant, NewApiToken, Peppers, RevokedReason, Rotation,
};

use crate::house::{House, ISSUER, Service, acme, code, format, secs};

const FOREIGN: &str = "unkey_3ZxQ8vN1mK7pR2tY5wB9cD4f";

fn service(house: &House, peppers: Peppers) -> (Service, Admission) {
    let tokens = ApiTokens::builder(ISSUER, format(), peppers, house.store.clone())
        .memberships(house.users.clone())
        .revocations(house.log.clone())
        .clock(house.clock.clone())
        .also_recognise("unkey_")
        .build()
        .unwrap();
    let admission = Admission::explainable(tokens.authenticator()).clock(house.clock.clone());
    (tokens, admission.revocations(house.log.view()))
}

fn peppers() -> Peppers {
    crate::house::peppers()
}

fn new() -> NewApiToken {
    NewApiToken::new(ApiTokenKind::Imported, acme(), "old CI")
        .grant(Grant::scope("orders:read"))
        .created_by("migration")
}

fn digest() -> ForeignDigest {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, FOREIGN.as_bytes());
    ForeignDigest::sha256_base64(&URL_SAFE_NO_PAD.encode(digest)).unwrap()
}

#[tokio::test]
async fn an_imported_token_works_and_gets_a_keyed_digest_when_it_is_first_used() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "cD4f").await.unwrap();
    let row = || async { house.store.store.find_by_id(imported.id()).await.unwrap().unwrap() };
    let before = row().await;
    assert!(before.pepper.is_none());
    let verified = admission.verify(FOREIGN).outcome().await.unwrap();
    assert!(verified.has_scope("orders:read"));
    assert_eq!(verified.token_id().unwrap(), imported.id().to_string());
    let after = row().await;
    assert_eq!(after.pepper.unwrap().as_char(), '1');
    assert_ne!(after.digest, before.digest);
    // From now on by that digest, and after a change of the pepper by the newest.
    house.clock.advance(secs(60));
    assert!(admission.verify(FOREIGN).outcome().await.is_ok());
    let newer = Peppers::new('2', [8; 32]).unwrap().also_checks('1', [7; 32]).unwrap();
    let (_, newer) = service(&house, newer);
    assert!(newer.verify(FOREIGN).outcome().await.is_ok());
    assert_eq!(row().await.pepper.unwrap().as_char(), '2');
}

#[tokio::test]
async fn an_imported_token_is_revoked_rotated_and_reported_like_others() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "cD4f").await.unwrap();
    assert_eq!(imported.hint(), "…cD4f");
    let successor = tokens.rotate(imported.id(), Rotation::new([1; 16])).await.unwrap();
    assert!(successor.secret().expose().starts_with("acme_e_1"));
    assert_eq!(code(&admission, successor.secret().expose()).await, None);
    assert_eq!(code(&admission, FOREIGN).await, None);
    tokens.report_leaks(&[FOREIGN], None).await.unwrap();
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::TokenRevoked));
    tokens.revoke(successor.token().id(), RevokedReason::Asked).await.unwrap();
    assert_eq!(code(&admission, successor.secret().expose()).await, Some(Code::TokenRevoked));
}

#[tokio::test]
async fn a_foreign_text_is_accepted_only_if_its_beginning_and_its_digest_are_known() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::CredentialUnknown));
    tokens.import(new(), digest(), "").await.unwrap();
    assert!(tokens.import(new(), digest(), "").await.is_err(), "twice");
    // Not kept: it was unknown a moment ago.
    assert_eq!(code(&admission, FOREIGN).await, None);
    assert_eq!(code(&admission, &FOREIGN.replacen("unkey", "other", 1)).await, Some(Code::TokenMalformed));
    // A service that does not recognise them looks nothing up.
    let reads = house.store.reads();
    assert_eq!(code(&house.admission, FOREIGN).await, Some(Code::TokenMalformed));
    assert_eq!(house.store.reads(), reads);
}

/// Its row has another digest by then, which is looked up first.
#[tokio::test]
async fn a_revoked_token_does_not_come_back_when_it_is_imported_again() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "").await.unwrap();
    assert_eq!(code(&admission, FOREIGN).await, None);
    tokens.revoke(imported.id(), RevokedReason::Leaked).await.unwrap();
    tokens.import(new(), digest(), "").await.unwrap();
    house.clock.advance(secs(60));
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::TokenRevoked));
}

/// With a copy of the store, the digest of a token is no token.
#[tokio::test]
async fn a_row_that_is_no_import_is_not_found_by_a_plain_digest() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "").await.unwrap();
    house.store.tamper(imported.id(), |row| row.kind = ApiTokenKind::ServiceAccount).await;
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::CredentialUnknown));
}

#[test]
fn digests_are_read_in_the_forms_that_earlier_systems_write() {
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let of_hex = ForeignDigest::sha256_hex(hex).unwrap();
    assert_eq!(ForeignDigest::sha256_hex(&hex.to_uppercase()).unwrap(), of_hex);
    let base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for text in [base64.to_owned(), base64.replace('+', "-").replace('/', "_"), base64.trim_end_matches('=').to_owned()]
    {
        assert_eq!(ForeignDigest::sha256_base64(&text).unwrap(), of_hex, "{text}");
    }
    for wrong in ["", &hex[1..], &format!("{hex}00"), &hex.replace('e', "g")] {
        assert!(ForeignDigest::sha256_hex(wrong).is_err() && ForeignDigest::sha256_base64(wrong).is_err(), "{wrong}");
    }
    let builder = |beginning: &str| {
        let house = House::new();
        let builder = ApiTokens::builder(ISSUER, format(), peppers(), house.store.clone()).memberships(house.users);
        builder.also_recognise(beginning).build_authenticator().is_ok()
    };
    assert!(builder("unkey_") && !builder("") && !builder("acme_") && !builder("ac") && !builder("a b"));
}
