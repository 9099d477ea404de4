//! Replacing a token by another.

use portcullis_core::Code;
use portcullis_issuer::api_tokens::{
    ApiTokenError, ApiTokenEvent, ApiTokenKind, ApiTokenState, ApiTokens, CreatedApiToken, Peppers, RevokedReason,
    Rotation,
};

use crate::house::{DAY, House, Service, acme, code, secs, service_account};

const REQUEST: &str = "a request of 16 bytes or more";
const ANOTHER: &str = "another request of 16 bytes";

#[tokio::test]
async fn the_earlier_token_is_accepted_until_the_overlap_is_over() {
    let house = House::new();
    let earlier = house.service_account().await;
    let later = house.tokens.rotate(earlier.token().id(), Rotation::new(REQUEST).overlap(secs(3600))).await.unwrap();
    assert_ne!(earlier.secret().expose(), later.secret().expose());
    assert_eq!(later.token().grants(), earlier.token().grants());
    assert_eq!((house.code(&earlier).await, house.code(&later).await), (None, None));
    let state = house.tokens.find(earlier.token().id()).await.unwrap().unwrap().state();
    assert!(matches!(state, ApiTokenState::Superseded { by, .. } if by == later.token().id()), "{state:?}");
    house.clock.advance(secs(3599));
    assert_eq!(house.code(&earlier).await, None);
    house.clock.advance(secs(1));
    assert_eq!(house.code(&earlier).await, Some(Code::TokenExpired));
    assert_eq!(house.code(&later).await, None);
    house.clock.advance(secs(90 * 86_400 - 3600));
    assert_eq!(house.code(&later).await, Some(Code::TokenExpired));
}

#[tokio::test]
async fn the_same_request_gets_the_same_token_from_every_instance_for_ten_minutes() {
    let house = House::new();
    let earlier = house.service_account().await;
    let id = earlier.token().id();
    let later = house.tokens.rotate(id, Rotation::new(REQUEST)).await.unwrap();
    // Another instance, which makes tokens with a newer pepper already.
    let newer = Peppers::new('2', [8; 32]).unwrap().also_checks('1', [7; 32]).unwrap();
    let (other, _) = house.instance_with(newer);
    house.clock.advance(secs(599));
    let again = other.rotate(id, Rotation::new(REQUEST)).await.unwrap();
    assert_eq!(again.secret().expose(), later.secret().expose());
    assert_eq!(again.token().id(), later.token().id());
    house.clock.advance(secs(1));
    let error = other.rotate(id, Rotation::new(REQUEST)).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::AnswerOver { by } if by == later.token().id()), "{error}");
}

#[tokio::test]
async fn requests_that_race_make_one_successor() {
    for _ in 0..100 {
        let house = House::new();
        let id = house.service_account().await.token().id();
        let (other, _) = house.other_instance();
        let (one, two) =
            tokio::join!(house.tokens.rotate(id, Rotation::new(REQUEST)), other.rotate(id, Rotation::new(REQUEST)));
        assert_eq!(one.unwrap().secret().expose(), two.unwrap().secret().expose());
        assert_eq!(house.tokens.list(&crate::house::acme()).await.unwrap().tokens.len(), 2);
    }
}

#[tokio::test]
async fn another_request_for_a_superseded_token_is_refused() {
    let house = House::new();
    let id = house.service_account().await.token().id();
    let later = house.tokens.rotate(id, Rotation::new(REQUEST)).await.unwrap();
    let error = house.tokens.rotate(id, Rotation::new(ANOTHER)).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::AlreadyRotated { by } if by == later.token().id()), "{error}");
    // The successor may have one of its own, by the same request.
    let next = house.tokens.rotate(later.token().id(), Rotation::new(REQUEST)).await.unwrap();
    assert_ne!(next.secret().expose(), later.secret().expose());
    let unsaid = house.tokens.rotate(next.token().id(), Rotation::new(REQUEST).created_by("")).await;
    assert!(matches!(unsaid, Err(ApiTokenError::Invalid(_))));
    let short = house.tokens.rotate(next.token().id(), Rotation::new("15 bytes long..")).await;
    assert!(matches!(short, Err(ApiTokenError::Invalid(_))));
}

#[tokio::test]
async fn a_revoked_token_has_no_successor() {
    let house = House::new();
    let id = house.service_account().await.token().id();
    house.tokens.revoke(id, RevokedReason::Leaked).await.unwrap();
    let error = house.tokens.rotate(id, Rotation::new(REQUEST)).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Revoked(RevokedReason::Leaked)), "{error}");
    // Nor is the text of a revoked successor told again.
    let id = house.service_account().await.token().id();
    let later = house.tokens.rotate(id, Rotation::new(REQUEST)).await.unwrap();
    house.tokens.revoke(later.token().id(), RevokedReason::Asked).await.unwrap();
    assert!(matches!(house.tokens.rotate(id, Rotation::new(REQUEST)).await, Err(ApiTokenError::Revoked(_))));
}

fn graceful(house: &House) -> Service {
    ApiTokens::builder(crate::house::ISSUER, crate::house::format(), crate::house::peppers(), house.store.clone())
        .memberships(house.users.clone())
        .revoker(house.log.clone())
        .clock(house.clock.clone())
        .grace_after_expiry(ApiTokenKind::ServiceAccount, 7 * DAY)
        .build()
        .unwrap()
}

#[tokio::test]
async fn log_out_everywhere_also_ends_tokens_that_could_still_be_rotated() {
    let house = House::new();
    let tokens = graceful(&house);
    let create = || house.tokens.create(service_account().lifetime(DAY));
    let rotate = async |created: &CreatedApiToken| {
        tokens.rotate_presented(created.secret().expose(), Rotation::new(REQUEST)).await
    };
    let created = create().await.unwrap();
    house.clock.advance(2 * DAY);
    assert!(rotate(&created).await.is_ok(), "without a log-out");
    let created = create().await.unwrap();
    house.clock.advance(2 * DAY);
    // This one, and the successor of the first.
    assert_eq!(tokens.revoke_all_of(&acme(), RevokedReason::LoggedOutEverywhere).await.unwrap(), 2);
    let error = rotate(&created).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::Revoked(RevokedReason::LoggedOutEverywhere)), "{error}");
    // One past its grace is of no use, and keeps its history.
    let created = create().await.unwrap();
    house.clock.advance(8 * DAY);
    assert_eq!(tokens.revoke_all_of(&acme(), RevokedReason::LoggedOutEverywhere).await.unwrap(), 0);
    assert!(matches!(rotate(&created).await, Err(ApiTokenError::Ended)));
}

#[tokio::test]
async fn the_token_of_an_owner_who_is_gone_has_no_successor() {
    let house = House::new();
    let (one, two) = (house.service_account().await.token().id(), house.service_account().await.token().id());
    assert!(house.tokens.rotate(one, Rotation::new(REQUEST)).await.is_ok());
    house.users.gone(acme());
    for id in [one, two] {
        assert!(matches!(house.tokens.rotate(id, Rotation::new(REQUEST)).await, Err(ApiTokenError::OwnerGone)));
    }
}

#[tokio::test]
async fn an_expired_token_has_a_successor_only_within_the_grace_of_its_kind() {
    let house = House::new();
    let earlier = house.tokens.create(service_account().lifetime(DAY)).await.unwrap();
    let graceful = graceful(&house);
    let (id, text) = (earlier.token().id(), earlier.secret().expose());
    house.clock.advance(DAY);
    assert!(matches!(house.tokens.rotate_presented(text, Rotation::new(REQUEST)).await, Err(ApiTokenError::Ended)));
    house.clock.advance(secs(7 * 86_400 - 1));
    // The id is public, and proves nothing.
    assert!(matches!(graceful.rotate(id, Rotation::new(REQUEST)).await, Err(ApiTokenError::Ended)));
    let later = graceful.rotate_presented(text, Rotation::new(REQUEST)).await.unwrap();
    assert_eq!(house.code(&later).await, None);
    let again = graceful.rotate_presented(text, Rotation::new(REQUEST)).await.unwrap();
    assert_eq!(again.secret().expose(), later.secret().expose());
    let earlier = house.tokens.create(service_account().lifetime(DAY)).await.unwrap();
    house.clock.advance(8 * DAY);
    // Nothing is forgotten that can still be rotated.
    assert_eq!(graceful.forget_ended(secs(0)).await.unwrap(), 1, "the token whose grace is over");
    let late = graceful.rotate_presented(earlier.secret().expose(), Rotation::new(REQUEST)).await;
    assert!(matches!(late, Err(ApiTokenError::Ended)));
}

#[tokio::test]
async fn a_presented_text_is_rotated_only_if_its_tag_its_digest_and_its_environment_are_right() {
    let house = House::new();
    let rotate = async |text: &str| house.tokens.rotate_presented(text, Rotation::new(REQUEST)).await;
    let created = house.service_account().await;
    let text = created.secret().expose();
    let typing_error = format!("{}{}", &text[..47], if text.ends_with('0') { '1' } else { '0' });
    // Of another issuer with this prefix, whose pepper has the same id: its tag is wrong, and its checksum right.
    let foreign = House::new();
    let (other, _) = foreign.instance_with(Peppers::new('1', [8; 32]).unwrap());
    let wrong_tag = other.create(service_account()).await.unwrap();
    // Of this issuer, but the store has no such digest.
    let unknown = House::new().service_account().await;
    for wrong in
        [&typing_error, wrong_tag.secret().expose(), unknown.secret().expose(), created.token().hint().as_str()]
    {
        assert!(matches!(rotate(wrong).await, Err(ApiTokenError::Unknown)), "{wrong}");
    }
    let of_test = house.service_account().await;
    house.store.tamper(of_test.token().id(), |row| row.environment = "test".to_owned()).await;
    assert!(matches!(rotate(of_test.secret().expose()).await, Err(ApiTokenError::Unknown)));
    let later = rotate(text).await.unwrap();
    assert_eq!(house.code(&later).await, None);
    house.tokens.revoke(later.token().id(), RevokedReason::Asked).await.unwrap();
    assert!(matches!(rotate(later.secret().expose()).await, Err(ApiTokenError::Revoked(_))));
}

#[tokio::test]
async fn without_an_overlap_the_earlier_token_ends_at_once_everywhere() {
    let house = House::new();
    let earlier = house.service_account().await;
    let (_, elsewhere) = house.other_instance();
    assert!(elsewhere.verify(earlier.secret().expose()).outcome().await.is_ok());
    house.log.down(true);
    let request = || Rotation::new(REQUEST).overlap(secs(0));
    let error = house.tokens.rotate(earlier.token().id(), request()).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::NotEverywhere(_)), "{error}");
    house.log.down(false);
    let later = house.tokens.rotate(earlier.token().id(), request()).await.unwrap();
    assert_eq!(code(&elsewhere, earlier.secret().expose()).await, Some(Code::TokenRevoked));
    assert_eq!(code(&elsewhere, later.secret().expose()).await, None);
}

#[tokio::test]
async fn derived_tokens_end_with_the_overlap_of_their_parent() {
    let house = House::new();
    let parent = house.service_account().await;
    let child = house.child_of(&parent).await;
    let later = house.tokens.rotate(parent.token().id(), Rotation::new(REQUEST).overlap(secs(3600))).await.unwrap();
    let child_of_later = house.child_of(&later).await;
    house.clock.advance(secs(3599));
    assert_eq!(house.verify(&child).await.unwrap().expires_at(), Some(crate::house::T.plus(secs(3600))));
    house.clock.advance(secs(1));
    assert_eq!(house.code(&child).await, Some(Code::CredentialRevokedByParent));
    assert_eq!(house.code(&child_of_later).await, None);
}

#[tokio::test]
async fn a_superseded_token_that_is_used_after_its_successor_is_told_once() {
    let house = House::new();
    let earlier = house.service_account().await;
    let later = house.tokens.rotate(earlier.token().id(), Rotation::new(REQUEST)).await.unwrap();
    let told = |house: &House| {
        let is_it = |event: &ApiTokenEvent| matches!(event, ApiTokenEvent::SupersededUsed { .. });
        house.take_events().into_iter().filter(is_it).collect::<Vec<_>>()
    };
    assert_eq!(house.code(&earlier).await, None);
    assert_eq!(told(&house), [], "the successor was not used yet");
    assert_eq!(house.code(&later).await, None);
    house.clock.advance(secs(61));
    assert_eq!(house.code(&earlier).await, None);
    let (id, by) = (earlier.token().id(), later.token().id());
    assert_eq!(told(&house), [ApiTokenEvent::SupersededUsed { id, by, was_accepted: true }]);
    house.clock.advance(secs(61));
    assert_eq!(house.code(&earlier).await, None);
    assert_eq!(told(&house), []);
    // Another instance learns of the use from the store, also after the overlap.
    house.tokens.record_uses().await.unwrap();
    let (_, elsewhere) = house.other_instance();
    house.clock.advance(DAY);
    assert_eq!(code(&elsewhere, earlier.secret().expose()).await, Some(Code::TokenExpired));
    assert_eq!(told(&house), [ApiTokenEvent::SupersededUsed { id, by, was_accepted: false }]);
}

#[tokio::test]
async fn a_token_without_overlap_is_not_forgotten_while_its_request_is_answered_again() {
    let house = House::new();
    let id = house.service_account().await.token().id();
    let request = || Rotation::new(REQUEST).overlap(secs(0));
    let later = house.tokens.rotate(id, request()).await.unwrap();
    house.clock.advance(secs(599));
    assert_eq!(house.tokens.forget_ended(secs(0)).await.unwrap(), 0);
    let again = house.tokens.rotate(id, request()).await.unwrap();
    assert_eq!(again.secret().expose(), later.secret().expose());
    house.clock.advance(secs(2));
    assert_eq!(house.tokens.forget_ended(secs(0)).await.unwrap(), 1);
}
