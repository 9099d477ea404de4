//! FusionAuth.

use portcullis_core::Code;
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const APPLICATION: &str = "e9fdb985-9173-4e01-9d73-ac2d60d1dc8e";
const ENTITY: &str = "a647e989-1c7e-4386-9ec6-fa4fe6908906";

#[tokio::test(start_paused = true)]
async fn fusionauth_accepts_an_access_token_and_reads_its_roles() {
    let scene = Scene::rs256(include_str!("fusionauth.json"));
    let fusionauth = provider::fusionauth("https://auth.example.com/", "acme.com").unwrap();
    let verified = scene.common(&fusionauth, APPLICATION).await;
    assert_eq!(verified.subject(), Some("00000000-0000-0000-0000-111111111111"));
    assert!(verified.has_role("clerk") && !verified.has_role("admin"));
    assert!(verified.has_scope("profile"));
}

#[tokio::test(start_paused = true)]
async fn fusionauth_refuses_an_id_token_for_the_same_application() {
    let scene = Scene::rs256(include_str!("fusionauth.json"));
    let fusionauth = provider::fusionauth("https://auth.example.com", "acme.com").unwrap();
    let id = judge(scene.trusted(&fusionauth, APPLICATION), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn fusionauth_refuses_a_user_who_is_not_registered_for_the_application() {
    let scene = Scene::rs256(include_str!("fusionauth.json"));
    let fusionauth = provider::fusionauth("https://auth.example.com", "acme.com").unwrap();
    let token = scene.accepted(|claims| {
        let claims = claims.as_object_mut().unwrap();
        claims.remove("applicationId");
        claims.remove("roles");
    });
    assert_eq!(judge(scene.trusted(&fusionauth, APPLICATION), &token).await.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn fusionauth_tokens_of_entities_have_permissions_and_an_audience_of_their_own() {
    let scene = Scene::rs256(include_str!("fusionauth.json"));
    let entities = provider::fusionauth_entity("https://auth.example.com", "acme.com").unwrap();
    let token = scene.token("entity", |_| {});
    let verified = judge(scene.trusted(&entities, ENTITY), &token).await.unwrap();
    assert!(verified.has_role("read") && !verified.has_role("write"));

    let of_a_user = judge(scene.trusted(&entities, ENTITY), &scene.accepted(|_| {})).await;
    assert_eq!(of_a_user.unwrap_err(), Code::AudienceMismatch);
    let users = provider::fusionauth("https://auth.example.com", "acme.com").unwrap();
    assert_eq!(judge(scene.trusted(&users, ENTITY), &token).await.unwrap_err(), Code::ClaimMissing);
}
