//! Which tokens are looked up, and which are refused without.

use portcullis_core::{Code, verified::CredentialKind};
use portcullis_issuer::api_tokens::{ApiTokenKind, ApiTokens, Grant, PepperId, RevokedReason, Rotation};

use crate::house::{DAY, House, ISSUER, code, format, peppers, secs};

#[tokio::test]
async fn a_token_is_looked_up_once_a_minute() {
    let house = House::new();
    let created = house.service_account().await;
    for second in 0..180 {
        assert_eq!(house.code(&created).await, None);
        assert_eq!(house.store.reads(), 1 + second / 60, "{second}");
        house.clock.advance(secs(1));
    }
}

#[tokio::test]
async fn a_verified_token_says_what_an_access_token_says() {
    let house = House::new();
    let created = house.service_account().await;
    let verified = house.verify(&created).await.unwrap();
    assert_eq!((verified.issuer(), verified.credential()), (ISSUER, CredentialKind::ApiToken));
    assert_eq!(verified.key_id(), Some("pepper:1"));
    assert_eq!(verified.issued_at(), Some(crate::house::T));
}

/// The text may not be accepted elsewhere by luck: it has a MAC of its own pepper.
#[tokio::test]
async fn a_text_that_this_issuer_has_not_made_is_refused_without_a_look_up() {
    let house = House::new();
    let created = house.service_account().await;
    let text = created.secret().expose();
    let (others, _) = house.instance_with(portcullis_issuer::api_tokens::Peppers::new('1', [9; 32]).unwrap());
    let forged = others.create(crate::house::service_account()).await.unwrap();
    let (newer, _) = house.instance_with(portcullis_issuer::api_tokens::Peppers::new('2', [9; 32]).unwrap());
    let of_other_pepper = newer.create(crate::house::service_account()).await.unwrap();
    let before = house.store.reads();
    assert_eq!(code(&house.admission, &text[..47]).await, Some(Code::TokenMalformed));
    assert_eq!(code(&house.admission, &text.replacen("acme", "acne", 1)).await, Some(Code::TokenMalformed));
    assert_eq!(code(&house.admission, &format!("{text}0")).await, Some(Code::TokenTooLong));
    assert_eq!(house.code(&forged).await, Some(Code::SignatureInvalid));
    assert_eq!(house.code(&of_other_pepper).await, Some(Code::KeyUnknown));
    assert_eq!(house.store.reads(), before);
    assert_eq!(house.code(&created).await, None);
}

/// As metrics count them.
#[tokio::test]
async fn a_refused_token_is_one_of_its_issuer_unless_another_has_made_it() {
    let house = House::new();
    let created = house.service_account().await;
    let junk = house.admission.verify(&created.secret().expose()[..47]).outcome().await.unwrap_err();
    assert_eq!(junk.issuer(), None);
    house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
    // Looked up, and remembered.
    for _ in 0..2 {
        assert_eq!(house.verify(&created).await.unwrap_err().issuer(), Some(ISSUER));
    }
    house.store.down(true);
    house.clock.advance(secs(10));
    assert_eq!(house.verify(&created).await.unwrap_err().issuer(), Some(ISSUER));
}

#[tokio::test]
async fn pitfall_4_a_token_that_is_refused_is_looked_up_once_in_ten_seconds() {
    let house = House::new();
    let created = house.service_account().await;
    house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
    for second in 0..20 {
        for _ in 0..500 {
            assert_eq!(house.code(&created).await, Some(Code::TokenRevoked));
        }
        assert_eq!(house.store.reads(), 1 + second / 10, "{second}");
        house.clock.advance(secs(1));
    }
}

#[tokio::test]
async fn a_token_that_the_store_does_not_know_is_unknown() {
    let house = House::new();
    let created = house.service_account().await;
    let elsewhere = House::new();
    assert_eq!(elsewhere.code(&created).await, Some(Code::CredentialUnknown));
    // One that was forgotten after its end.
    house.clock.advance(100 * DAY);
    assert_eq!(house.code(&created).await, Some(Code::TokenExpired));
    assert_eq!(house.tokens.forget_ended(secs(0)).await.unwrap(), 1);
    house.clock.advance(secs(10));
    assert_eq!(house.code(&created).await, Some(Code::CredentialUnknown));
}

#[tokio::test]
async fn a_token_of_another_environment_is_refused() {
    let house = House::new();
    let created = house.service_account().await;
    let of = |environment: &str| {
        let builder =
            ApiTokens::builder(ISSUER, format(), peppers(), house.store.clone()).memberships(house.users.clone());
        let authenticator = builder.environment(environment).clock(house.clock.clone()).build_authenticator().unwrap();
        portcullis_core::Admission::new(authenticator).clock(house.clock.clone())
    };
    assert_eq!(code(&of("test"), created.secret().expose()).await, Some(Code::CredentialUnknown));
    assert_eq!(code(&of("live"), created.secret().expose()).await, None);
}

/// An attacker who can write to the store changes what it says about a token.
#[tokio::test]
async fn a_row_of_another_kind_than_the_text_is_refused() {
    let house = House::new();
    let created = house.service_account().await;
    house.store.tamper(created.token().id(), |row| row.kind = ApiTokenKind::Application).await;
    assert_eq!(house.code(&created).await, Some(Code::CredentialUnknown));
    house.clock.advance(secs(10));
    house.store.tamper(created.token().id(), |row| row.kind = ApiTokenKind::ServiceAccount).await;
    assert_eq!(house.code(&created).await, None);
}

/// Or it would escape the revocation of its pepper.
#[tokio::test]
async fn a_row_of_another_pepper_than_its_text_is_refused() {
    let house = House::new();
    let created = house.service_account().await;
    for (pepper, expected) in [
        (PepperId::new('2'), Some(Code::CredentialUnknown)),
        (None, Some(Code::CredentialUnknown)),
        (PepperId::new('1'), None),
    ] {
        house.store.tamper(created.token().id(), |row| row.pepper = pepper).await;
        assert_eq!(house.code(&created).await, expected, "{pepper:?}");
        let rotated = house.tokens.rotate_presented(created.secret().expose(), Rotation::new([1; 16])).await;
        assert_eq!(rotated.is_ok(), expected.is_none(), "{pepper:?}");
        house.clock.advance(secs(10));
    }
}

#[tokio::test]
async fn a_row_with_more_grants_than_its_parents_gives_no_more() {
    let house = House::new();
    let parent = house.service_account().await;
    let child = house.child_of(&parent).await;
    let more = [Grant::scope("orders:read"), Grant::scope("admin")];
    house.store.tamper(child.token().id(), |row| row.grants = more.into_iter().collect()).await;
    let verified = house.verify(&child).await.unwrap();
    assert!(verified.has_scope("orders:read") && !verified.has_scope("admin"));
}

/// A missing ancestor may have been revoked.
#[tokio::test]
async fn a_token_whose_parent_is_not_there_is_refused() {
    let house = House::new();
    let parent = house.service_account().await;
    let child = house.child_of(&parent).await;
    assert_eq!(house.code(&child).await, None);
    house.store.tamper(parent.token().id(), |row| row.until = Some(portcullis_issuer::refresh::Millis::new(1))).await;
    assert_eq!(house.tokens.forget_ended(secs(0)).await.unwrap(), 1);
    house.clock.advance(secs(60));
    assert_eq!(house.code(&child).await, Some(Code::CredentialRevokedByParent));
}

#[tokio::test]
async fn uses_are_recorded_in_one_statement_and_never_while_a_request_waits() {
    let house = House::new();
    let mut created = Vec::new();
    for _ in 0..100 {
        created.push(house.service_account().await);
    }
    for _ in 0..15 {
        for token in &created {
            assert_eq!(house.code(token).await, None);
        }
        house.clock.advance(secs(60));
    }
    assert!(house.store.recorded.lock().unwrap().is_empty());
    house.store.down(true);
    assert!(house.tokens.record_uses().await.is_err());
    house.store.down(false);
    assert_eq!(house.tokens.record_uses().await.unwrap(), 100);
    assert_eq!(house.tokens.record_uses().await.unwrap(), 0);
    assert_eq!(*house.store.recorded.lock().unwrap(), [100]);
    let token = house.tokens.find(created[0].token().id()).await.unwrap().unwrap();
    assert_eq!(token.last_used().unwrap().at.to_unix(), crate::house::T.plus(secs(14 * 60)));
}
