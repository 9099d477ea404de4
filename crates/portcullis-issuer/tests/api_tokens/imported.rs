//! Programs go on with the tokens of an earlier system.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{Admission, Code};
use portcullis_issuer::api_tokens::{
    ApiTokenDigest, ApiTokenKind, ApiTokenStore, ApiTokens, ForeignDigest, Grant, NewApiToken, Peppers, RevokedReason,
    Rotation,
};

use crate::house::{House, ISSUER, Service, acme, code, format, secs};

const FOREIGN: &str = "unkey_3ZxQ8vN1mK7pR2tY5wB9cD4f";

fn service(house: &House, peppers: Peppers) -> (Service, Admission) {
    let tokens = ApiTokens::builder(ISSUER, format(), peppers, house.store.clone())
        .memberships(house.users.clone())
        .revoker(house.log.clone())
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
    ForeignDigest::sha256_base64(&URL_SAFE_NO_PAD.encode(sha256())).unwrap()
}

#[tokio::test]
async fn an_imported_token_works_and_goes_over_to_the_newest_pepper_when_it_is_used() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "cD4f").await.unwrap();
    let row = || async { house.store.store.find_by_id(imported.id()).await.unwrap().unwrap() };
    let before = row().await;
    assert_eq!(before.pepper.unwrap().as_char(), '1');
    let verified = admission.verify(FOREIGN).outcome().await.unwrap();
    assert!(verified.has_scope("orders:read"));
    assert_eq!(verified.token_id().unwrap(), imported.id().to_string());
    assert_eq!(row().await, before, "the pepper has not changed");
    house.clock.advance(secs(60));
    assert!(admission.verify(FOREIGN).outcome().await.is_ok());
    let (_, newer) = service(&house, newer());
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

fn sha256() -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, FOREIGN.as_bytes()).as_ref().try_into().unwrap()
}

fn newer() -> Peppers {
    Peppers::new('2', [8; 32]).unwrap().also_checks('1', [7; 32]).unwrap()
}

#[tokio::test]
async fn a_second_import_is_refused_also_after_the_first_use() {
    let house = House::new();
    // All instances know the next pepper before one makes tokens with it.
    let (tokens, admission) = service(&house, peppers().also_checks('2', [8; 32]).unwrap());
    let (later_tokens, later) = service(&house, newer());
    tokens.import(new(), digest(), "").await.unwrap();
    for tokens in [&tokens, &later_tokens] {
        assert!(tokens.import(new(), digest(), "").await.is_err(), "before it was used");
    }
    assert_eq!((code(&admission, FOREIGN).await, code(&later, FOREIGN).await), (None, None));
    for tokens in [&tokens, &later_tokens] {
        assert!(tokens.import(new(), digest(), "").await.is_err(), "after it was used");
    }
    let another = ForeignDigest::sha256_hex(&"0".repeat(64)).unwrap();
    assert!(tokens.import(new(), another, "").await.is_ok(), "another one");
}

#[tokio::test]
async fn no_row_ever_has_the_plain_digest_of_an_earlier_system() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "").await.unwrap();
    let row = || async { house.store.store.find_by_id(imported.id()).await.unwrap().unwrap() };
    assert_ne!(row().await.digest.as_bytes(), &sha256());
    assert_eq!(code(&admission, FOREIGN).await, None);
    assert_ne!(row().await.digest.as_bytes(), &sha256());
    // Nor is a row found that has it, as an attacker adds it who can write to the store.
    house.store.tamper(imported.id(), |row| row.digest = ApiTokenDigest::from_bytes(sha256())).await;
    house.clock.advance(secs(60));
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::CredentialUnknown));
}

#[tokio::test]
async fn a_revoked_import_stays_revoked_when_it_is_forgotten_or_its_pepper_is_left_out() {
    let house = House::new();
    let (tokens, admission) = service(&house, peppers());
    let imported = tokens.import(new(), digest(), "").await.unwrap();
    assert_eq!(code(&admission, FOREIGN).await, None);
    let _ = tokens.import(new(), digest(), "").await;
    tokens.revoke(imported.id(), RevokedReason::Leaked).await.unwrap();
    house.clock.advance(secs(60));
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::TokenRevoked));
    let (_, without) = service(&house, Peppers::new('2', [8; 32]).unwrap());
    assert_eq!(code(&without, FOREIGN).await, Some(Code::CredentialUnknown));
    house.clock.advance(secs(600));
    assert_eq!(tokens.forget_ended(secs(0)).await.unwrap(), 1);
    house.clock.advance(secs(10));
    assert_eq!(code(&admission, FOREIGN).await, Some(Code::CredentialUnknown));
}

#[tokio::test]
async fn a_row_that_is_no_import_is_not_that_of_a_foreign_text() {
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
