//! What a token may do follows what its owner may do.

use std::sync::atomic::Ordering;

use portcullis_core::{Code, Principal};
use portcullis_issuer::api_tokens::{ApiTokenKind, Grant, NewApiToken, Owner};

use crate::house::{House, acme, secs};

fn of_alice(kind: ApiTokenKind, grant: Grant) -> NewApiToken {
    NewApiToken::new(kind, Owner::user("alice"), "laptop").grant(grant).created_by("alice")
}

/// Owners of the three kinds with the same id are three principals.
#[tokio::test]
async fn users_applications_and_organisations_are_not_mistaken_for_each_other() {
    let house = House::new();
    let read = || Grant::scope("orders:read");
    let new = |kind, owner| NewApiToken::new(kind, owner, "x").grant(read()).created_by("alice");
    let user = house.tokens.create(new(ApiTokenKind::UserToPlatform, Owner::user("acme"))).await.unwrap();
    let application = house.tokens.create(new(ApiTokenKind::Application, Owner::application("acme"))).await.unwrap();
    let organisation = house.tokens.create(new(ApiTokenKind::ServiceAccount, acme())).await.unwrap();
    let user = house.verify(&user).await.unwrap();
    assert!(matches!(user.principal(), Principal::User(user) if user.subject == "acme"));
    assert_eq!(user.client_id(), None);
    let application = house.verify(&application).await.unwrap();
    assert_eq!((application.principal(), application.subject()), (Principal::Application("acme"), None));
    assert_eq!(application.client_id(), Some("acme"));
    let organisation = house.verify(&organisation).await.unwrap();
    assert_eq!(organisation.principal(), Principal::Application("organisation:acme"));
    assert_eq!(organisation.claim("/organisation").unwrap().as_str(), Some("acme"));
    assert_eq!(organisation.subject(), None);
}

#[tokio::test]
async fn a_user_to_platform_token_follows_the_users_current_memberships() {
    let house = House::new();
    let alice = Owner::user("alice");
    house.users.may(&alice, [Grant::role("reader", "one"), Grant::role("writer", "two"), Grant::scope("orders:read")]);
    let created = house.tokens.create(of_alice(ApiTokenKind::UserToPlatform, Grant::Everything)).await.unwrap();
    let verified = house.verify(&created).await.unwrap();
    let roles = |instance: &str| {
        let roles = verified.roles_at(&format!("/grants/{instance}"));
        ["reader", "writer"].into_iter().filter(|role| roles.contains(role)).collect::<Vec<_>>()
    };
    assert_eq!((roles("one"), roles("two"), roles("three")), (vec!["reader"], vec!["writer"], vec![]));
    assert!(verified.has_scope("orders:read"));
    // A role on one instance is not one everywhere.
    assert!(!verified.has_role("reader"));
    // The user leaves the second instance.
    house.users.may(&alice, [Grant::role("reader", "one")]);
    assert!(!house.verify(&created).await.unwrap().roles_at("/grants/one").contains("writer"));
    house.tokens.memberships_changed(&alice);
    let verified = house.verify(&created).await.unwrap();
    assert!(verified.roles_at("/grants/one").contains("reader"));
    assert!(verified.claim("/grants/two").is_none() && !verified.has_scope("orders:read"));
}

#[tokio::test]
async fn another_instance_hears_of_a_lost_role_within_a_minute() {
    let house = House::new();
    let created = house.service_account().await;
    let (_, elsewhere) = house.other_instance();
    assert!(elsewhere.verify(created.secret().expose()).outcome().await.unwrap().has_scope("orders:write"));
    house.users.may(&acme(), [Grant::scope("orders:read")]);
    house.tokens.memberships_changed(&acme());
    assert!(!house.verify(&created).await.unwrap().has_scope("orders:write"));
    house.clock.advance(secs(60));
    assert!(!elsewhere.verify(created.secret().expose()).outcome().await.unwrap().has_scope("orders:write"));
}

#[tokio::test]
async fn a_role_to_instance_token_reaches_no_other_instance() {
    let house = House::new();
    let alice = Owner::user("alice");
    house.users.may(&alice, [Grant::role_everywhere("reader")]);
    let new = of_alice(ApiTokenKind::RoleToInstance, Grant::role("reader", "one"));
    let verified = house.verify(&house.tokens.create(new).await.unwrap()).await.unwrap();
    assert!(verified.roles_at("/grants/one").contains("reader"));
    assert!(verified.claim("/grants/two").is_none() && !verified.has_role("reader"));
}

#[tokio::test]
async fn a_role_everywhere_is_one_on_each_instance_that_the_memberships_name_and_not_in_roles() {
    let house = House::new();
    let alice = Owner::user("alice");
    let new = || of_alice(ApiTokenKind::UserToPlatform, Grant::role_everywhere("reader"));
    house.users.may(&alice, [Grant::role("reader", "one"), Grant::role("writer", "two")]);
    let verified = house.verify(&house.tokens.create(new()).await.unwrap()).await.unwrap();
    assert!(verified.roles_at("/grants/one").contains("reader"));
    assert!(verified.claim("/grants/two").is_none());
    assert!(!verified.has_role("reader"), "a guard on `roles` refuses the token");
    // The owner's rights say that it is everywhere, too.
    house.users.may(&alice, [Grant::role_everywhere("reader")]);
    house.tokens.memberships_changed(&alice);
    let verified = house.verify(&house.tokens.create(new()).await.unwrap()).await.unwrap();
    assert!(verified.has_role("reader") && verified.claim("/grants/one").is_none());
}

#[tokio::test]
async fn a_gone_owners_token_is_looked_up_once_in_ten_seconds() {
    let house = House::new();
    let created = house.service_account().await;
    house.users.gone(acme());
    let costs = || (house.store.reads(), house.users.asked.load(Ordering::SeqCst));
    let before = costs();
    for second in 0..20 {
        assert_eq!(house.code(&created).await, Some(Code::TokenRevoked));
        let looked_up = 1 + second / 10;
        assert_eq!(costs(), (before.0 + looked_up, before.1 + looked_up), "{second}");
        house.clock.advance(secs(1));
    }
    // The owner comes back, and the application says so.
    assert_eq!(house.code(&created).await, Some(Code::TokenRevoked));
    house.users.back(&acme());
    house.tokens.memberships_changed(&acme());
    assert_eq!(house.code(&created).await, None);
}

#[tokio::test]
async fn the_tokens_of_an_owner_who_is_gone_are_refused() {
    let house = House::new();
    let created = house.service_account().await;
    assert_eq!(house.code(&created).await, None);
    house.users.gone(acme());
    house.tokens.memberships_changed(&acme());
    assert_eq!(house.code(&created).await, Some(Code::TokenRevoked));
}
