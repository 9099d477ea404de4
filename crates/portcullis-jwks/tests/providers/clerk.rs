//! Clerk: session tokens have no `aud`.

use portcullis_core::{Code, TrustedIssuer};
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "https://orders.example.com";

fn scene() -> Scene {
    Scene::rs256(include_str!("clerk.json"))
}

/// A session token whose template has an audience.
fn with_audience(scene: &Scene, name: &str, change: impl FnOnce(&mut serde_json::Value)) -> String {
    scene.token(name, |claims| {
        claims["aud"] = AUDIENCE.into();
        change(claims);
    })
}

#[tokio::test(start_paused = true)]
async fn clerk_accepts_a_session_token_to_which_an_audience_was_added_and_no_other() {
    let mut scene = scene();
    let clerk = provider::clerk("clerk.example.com").unwrap();
    let refused = judge(scene.trusted(&clerk, AUDIENCE), &scene.accepted(|_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "there is no audience");
    scene.file["tokens"]["accepted"]["claims"]["aud"] = AUDIENCE.into();
    let verified = scene.common(&clerk, AUDIENCE).await;
    assert_eq!(verified.subject(), Some("user_123"));
    assert_eq!(verified.client_id(), Some("https://app.example.com"));
}

#[tokio::test(start_paused = true)]
async fn clerk_role_is_one_role_and_packed_permissions_are_none() {
    let scene = scene();
    let clerk = provider::clerk("clerk.example.com").unwrap();
    let verified = judge(scene.trusted(&clerk, AUDIENCE), &with_audience(&scene, "accepted", |_| {})).await.unwrap();
    assert!(verified.has_role("admin"));
    assert!(["read", "manage", "read,manage"].iter().all(|packed| !verified.has_role(packed)));
}

#[tokio::test(start_paused = true)]
async fn clerk_refuses_a_pending_session() {
    let scene = scene();
    let clerk = provider::clerk("clerk.example.com").unwrap();
    for (status, accepted) in [("active", true), ("pending", false), ("a new one", false)] {
        let token = with_audience(&scene, "accepted", |claims| claims["sts"] = status.into());
        assert_eq!(judge(scene.trusted(&clerk, AUDIENCE), &token).await.is_ok(), accepted, "{status}");
    }
    let version_1 =
        judge(scene.trusted(&clerk, AUDIENCE).roles_at("/org_role"), &with_audience(&scene, "version_1", |_| {})).await;
    assert!(version_1.unwrap().has_role("org:admin"), "it says no status");
}

#[tokio::test(start_paused = true)]
async fn clerk_refuses_its_other_tokens() {
    let scene = scene();
    let clerk = provider::clerk("clerk.example.com").unwrap();
    for other in ["template", "id", "oauth_access"] {
        for audience in [AUDIENCE, "oauthAppClientId"] {
            for token in [scene.token(other, |_| {}), with_audience(&scene, other, |_| {})] {
                let refused = judge(scene.trusted(&clerk, audience), &token).await;
                assert!(refused.is_err(), "{other} for {audience}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn row_f9_clerk_session_tokens_are_accepted_by_azp_where_that_was_asked_for() {
    let scene = scene();
    let clerk = provider::clerk("clerk.example.com").unwrap();
    let app = "https://app.example.com";
    let by_azp = |issuer: TrustedIssuer| issuer.danger_claim_as_audience("/azp");
    assert_eq!(judge(scene.trusted(&clerk, app), &scene.accepted(|_| {})).await.unwrap_err(), Code::ClaimMissing);
    scene.common_where(&clerk, app, by_azp).await;

    let of_another_app = scene.accepted(|claims| claims["azp"] = "https://evil.example.com".into());
    let refused = judge(by_azp(scene.trusted(&clerk, app)), &of_another_app).await;
    assert_eq!(refused.unwrap_err(), Code::AudienceMismatch);
    let without = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("azp")));
    assert!(judge(by_azp(scene.trusted(&clerk, app)), &without).await.is_err());
    let for_another_service = with_audience(&scene, "accepted", |_| {});
    let refused = judge(by_azp(scene.trusted(&clerk, app)), &for_another_service).await;
    assert_eq!(refused.unwrap_err(), Code::AudienceMismatch, "`aud` is judged where there is one");
    for other in ["template", "id", "oauth_access"] {
        for audience in [app, "oauthAppClientId"] {
            let refused = judge(by_azp(scene.trusted(&clerk, audience)), &scene.token(other, |_| {})).await;
            assert!(refused.is_err(), "{other} for {audience}");
        }
    }
}
