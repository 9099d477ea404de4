//! Logto.

use portcullis_core::{Algorithm, Code};
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "https://orders.example.com";

fn scene() -> Scene {
    Scene::new(include_str!("logto.json"), Algorithm::Es384)
}

#[tokio::test(start_paused = true)]
async fn logto_accepts_access_tokens_of_users_and_of_applications() {
    let scene = scene();
    let logto = provider::logto("https://acme.logto.app/").unwrap();
    let verified = scene.common(&logto, AUDIENCE).await;
    assert!(verified.has_scope("orders:read") && verified.has_scope("orders:write") && !verified.has_scope("orders"));
    assert!(verified.has_role("clerk") && !verified.has_role("admin"));
    assert_eq!(verified.client_id(), Some("cli3ntId0123456789abc"));

    let application = judge(scene.trusted(&logto, AUDIENCE), &scene.token("application", |_| {})).await.unwrap();
    assert!(application.has_scope("orders:read") && !application.has_role("clerk"));
}

#[tokio::test(start_paused = true)]
async fn logto_refuses_an_id_token_whatever_its_audience() {
    let scene = scene();
    let logto = provider::logto("https://acme.logto.app").unwrap();
    for id in ["id", "id_for_the_api"] {
        for audience in [AUDIENCE, "cli3ntId0123456789abc"] {
            let refused = judge(scene.trusted(&logto, audience), &scene.token(id, |_| {})).await;
            assert_eq!(refused.unwrap_err(), Code::TypeNotAccepted);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn logto_tokens_for_one_organization_are_told_apart() {
    let scene = scene();
    let logto = provider::logto("https://acme.logto.app").unwrap();
    let trusted = || scene.trusted(&logto, AUDIENCE).require_claim_value("/organization_id", "org_1");
    for (organization, accepted) in [("org_1", true), ("org_2", false)] {
        let token = scene.accepted(|claims| claims["organization_id"] = organization.into());
        assert_eq!(judge(trusted(), &token).await.is_ok(), accepted, "{organization}");
    }
    assert_eq!(judge(trusted(), &scene.accepted(|_| {})).await.unwrap_err(), Code::ClaimMissing);
}
