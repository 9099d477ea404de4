//! What becomes of a token.

use portcullis_core::Code;
use portcullis_issuer::api_tokens::{
    ApiToken, ApiTokenError, ApiTokenEvent, ApiTokenKind, ApiTokenState, Grant, NewApiToken, Owner, RevokedReason,
};

use crate::house::{DAY, House, T, acme, secs, service_account};

#[tokio::test]
async fn a_token_is_accepted_until_it_expires_after_ninety_days() {
    let house = House::new();
    let created = house.service_account().await;
    let verified = house.verify(&created).await.unwrap();
    assert_eq!(verified.token_id().unwrap(), created.token().id().to_string());
    assert_eq!(verified.expires_at(), Some(T.plus(90 * DAY)));
    assert!(verified.has_scope("orders:read") && verified.has_scope("orders:write") && !verified.has_scope("admin"));
    house.clock.advance(secs(90 * 86_400 - 1));
    assert_eq!(house.code(&created).await, None);
    house.clock.advance(secs(1));
    assert_eq!(house.code(&created).await, Some(Code::TokenExpired));
}

#[tokio::test]
async fn what_an_owner_sees_has_no_text_but_the_last_four_characters() {
    let house = House::new();
    let created = house.service_account().await;
    let list = house.tokens.list(&acme()).await.unwrap();
    let [token] = &list.tokens[..] else { panic!("{list:?}") };
    assert_eq!(token, created.token());
    let text = created.secret().expose();
    assert_eq!(token.hint(), format!("acme_s_…{}", &text[44..]));
    assert_eq!((token.name(), token.state()), ("CI", ApiTokenState::Active));
    for shown in
        [format!("{created:?}"), format!("{list:?}"), format!("{:?}", house.tokens), format!("{:?}", house.admission)]
    {
        assert!(!shown.contains(&text[8..35]), "{shown}");
    }
    assert!(house.tokens.list(&Owner::user("acme")).await.unwrap().tokens.is_empty());
}

#[tokio::test]
async fn a_token_that_there_cannot_be_is_not_made() {
    let house = House::new();
    let user = || Owner::user("alice");
    let new = |kind, owner| NewApiToken::new(kind, owner, "x").created_by("alice");
    let read = || Grant::scope("orders:read");
    let role = |instance| Grant::role("reader", instance);
    for wrong in [
        new(ApiTokenKind::ServiceAccount, acme()),
        new(ApiTokenKind::ServiceAccount, user()).grant(read()),
        new(ApiTokenKind::UserToPlatform, acme()).grant(read()),
        new(ApiTokenKind::Application, user()).grant(read()),
        new(ApiTokenKind::Application, Owner::application("organisation:acme")).grant(read()),
        new(ApiTokenKind::RoleToInstance, user()).grant(read()),
        new(ApiTokenKind::RoleToInstance, user()).grant(role("one")).grant(role("two")),
        new(ApiTokenKind::Imported, user()).grant(read()),
        new(ApiTokenKind::UserToPlatform, Owner::user("")).grant(read()),
        new(ApiTokenKind::UserToPlatform, user()).grant(Grant::scope("a b")),
        new(ApiTokenKind::UserToPlatform, user()).grant(read()).created_by(""),
        new(ApiTokenKind::UserToPlatform, user()).grant(read()).lifetime(secs(0)),
        new(ApiTokenKind::UserToPlatform, user()).grant(read()).lifetime(366 * DAY + secs(1)),
        new(ApiTokenKind::UserToPlatform, user()).grant(read()).unlimited(),
        NewApiToken::new(ApiTokenKind::UserToPlatform, user(), "a\nb").grant(read()).created_by("alice"),
    ] {
        let error = house.tokens.create(wrong.clone()).await.unwrap_err();
        assert!(matches!(error, ApiTokenError::Invalid(_)), "{wrong:?}: {error}");
    }
    for right in [
        new(ApiTokenKind::ServiceAccount, acme()).grant(read()),
        new(ApiTokenKind::UserToPlatform, user()).grant(read()).lifetime(366 * DAY),
        new(ApiTokenKind::Application, Owner::application("acme")).grant(read()),
        new(ApiTokenKind::RoleToInstance, user()).grant(role("one")),
    ] {
        house.tokens.create(right).await.unwrap();
    }
    house.users.gone(user());
    let gone = new(ApiTokenKind::UserToPlatform, user()).grant(read());
    assert!(matches!(house.tokens.create(gone).await, Err(ApiTokenError::OwnerGone)));
}

#[tokio::test]
async fn a_token_whose_row_no_store_would_keep_is_not_made() {
    let house = House::new();
    let many = |length: usize| {
        let grants = (0..200).map(|number| Grant::role("x".repeat(length), format!("{number:0length$}")));
        grants.fold(NewApiToken::new(ApiTokenKind::ServiceAccount, acme(), "x").created_by("alice"), NewApiToken::grant)
    };
    assert!(matches!(house.tokens.create(many(255)).await, Err(ApiTokenError::Invalid(_))));
    house.tokens.create(many(100)).await.unwrap();
}

#[tokio::test]
async fn a_revoked_token_ends_at_once_on_every_instance() {
    let house = House::new();
    let (_, elsewhere) = house.other_instance();
    let created = house.service_account().await;
    let text = created.secret().expose();
    assert_eq!(house.code(&created).await, None);
    assert!(elsewhere.verify(text).outcome().await.is_ok());
    let revoked = house.tokens.revoke(created.token().id(), RevokedReason::Asked).await.unwrap();
    assert!(matches!(revoked.state(), ApiTokenState::Revoked { reason: RevokedReason::Asked, .. }));
    assert_eq!(house.code(&created).await, Some(Code::TokenRevoked));
    assert_eq!(crate::house::code(&elsewhere, text).await, Some(Code::TokenRevoked));
    // Also where nothing is cached, and the log has forgotten it.
    house.clock.advance(DAY);
    let (_, new) = house.other_instance();
    assert_eq!(crate::house::code(&new, text).await, Some(Code::TokenRevoked));
    // Again, with the first reason.
    let again = house.tokens.revoke(created.token().id(), RevokedReason::Leaked).await.unwrap();
    assert!(matches!(again.state(), ApiTokenState::Revoked { reason: RevokedReason::Asked, .. }));
    let revoked = |event: &&ApiTokenEvent| matches!(event, ApiTokenEvent::Revoked { .. });
    assert_eq!(house.take_events().iter().filter(revoked).count(), 1);
}

#[tokio::test]
async fn revoking_a_token_ends_all_that_were_derived_from_it_by_one_entry() {
    let house = House::new();
    let parent = house.service_account().await;
    let child = house.child_of(&parent).await;
    let grandchild = house.child_of(&child).await;
    let other = house.service_account().await;
    for token in [&parent, &child, &grandchild, &other] {
        assert_eq!(house.code(token).await, None);
    }
    let impact = house.tokens.preview_revocation(parent.token().id()).await.unwrap();
    assert_eq!(impact.derived, 2);
    house.tokens.revoke(parent.token().id(), RevokedReason::Asked).await.unwrap();
    assert_eq!(house.log.entries.load(std::sync::atomic::Ordering::SeqCst), 1);
    let (_, elsewhere) = house.other_instance();
    for token in [&child, &grandchild] {
        // Cached, and not.
        assert_eq!(house.code(token).await, Some(Code::CredentialRevokedByParent));
        let cold = crate::house::code(&elsewhere, token.secret().expose()).await;
        assert_eq!(cold, Some(Code::CredentialRevokedByParent));
    }
    assert_eq!(house.code(&other).await, None);
}

#[tokio::test]
async fn a_token_may_do_no_more_than_its_parent_and_ends_no_later() {
    let house = House::new();
    let parent = house.tokens.create(service_account().lifetime(DAY)).await.unwrap();
    let child =
        |grant| NewApiToken::new(ApiTokenKind::ServiceAccount, acme(), "child").grant(grant).created_by("alice");
    let derive = |new| house.tokens.derive(parent.token().id(), new);
    assert!(matches!(derive(child(Grant::scope("admin"))).await, Err(ApiTokenError::Exceeds)));
    assert!(matches!(derive(child(Grant::Everything)).await, Err(ApiTokenError::Exceeds)));
    let of_another = NewApiToken::new(ApiTokenKind::ServiceAccount, Owner::organisation("other"), "child");
    let of_another = of_another.grant(Grant::scope("orders:read")).created_by("alice");
    assert!(matches!(derive(of_another).await, Err(ApiTokenError::OtherOwner)));
    let created = derive(child(Grant::scope("orders:read"))).await.unwrap();
    assert_eq!(created.token().until(), parent.token().until());
    assert_eq!(created.token().ancestors(), [parent.token().id()]);
    house.clock.advance(DAY);
    assert!(matches!(derive(child(Grant::scope("orders:read"))).await, Err(ApiTokenError::Ended)));
    assert_eq!(house.code(&created).await, Some(Code::TokenExpired));
}

#[tokio::test]
async fn a_token_has_eight_ancestors_at_most() {
    let house = House::new();
    let mut last = house.service_account().await;
    for _ in 0..8 {
        last = house.child_of(&last).await;
    }
    assert_eq!(house.code(&last).await, None);
    let new = NewApiToken::new(ApiTokenKind::ServiceAccount, acme(), "ninth").grant(Grant::scope("orders:read"));
    let error = house.tokens.derive(last.token().id(), new.created_by("alice")).await.unwrap_err();
    assert!(matches!(error, ApiTokenError::TooDeep), "{error}");
}

#[tokio::test]
async fn all_tokens_of_an_owner_end_in_one_call_and_those_of_others_do_not() {
    let house = House::new();
    let (one, two) = (house.service_account().await, house.service_account().await);
    let child = house.child_of(&one).await;
    let of_alice = NewApiToken::new(ApiTokenKind::UserToPlatform, Owner::user("alice"), "laptop");
    let of_alice = house.tokens.create(of_alice.grant(Grant::scope("orders:read")).created_by("alice")).await.unwrap();
    for token in [&one, &two, &child, &of_alice] {
        assert_eq!(house.code(token).await, None);
    }
    assert_eq!(house.tokens.revoke_all_of(&acme(), RevokedReason::OwnerGone).await.unwrap(), 3);
    for token in [&one, &two, &child] {
        assert_eq!(house.code(token).await, Some(Code::TokenRevoked));
    }
    assert_eq!(house.code(&of_alice).await, None);
    assert_eq!(house.tokens.revoke_all_of(&acme(), RevokedReason::OwnerGone).await.unwrap(), 0);
}

#[tokio::test]
async fn a_token_that_no_one_uses_is_found() {
    let house = House::new();
    let (used, unused) = (house.service_account().await, house.service_account().await);
    house.clock.advance(60 * DAY);
    assert_eq!(house.code(&used).await, None);
    house.tokens.record_uses().await.unwrap();
    let list = house.tokens.unused_for(30 * DAY).await.unwrap();
    assert_eq!(list.tokens.iter().map(ApiToken::id).collect::<Vec<_>>(), [unused.token().id()]);
    assert!(house.tokens.unused_for(61 * DAY).await.unwrap().tokens.is_empty());
    let counts = house.tokens.count_by_pepper().await.unwrap();
    assert_eq!(
        counts.into_iter().map(|(pepper, count)| (pepper.unwrap().as_char(), count)).collect::<Vec<_>>(),
        [('1', 2)]
    );
}
