//! Authentik.

use portcullis_core::Code;
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "wXyZ0123456789abcdefghijklmnopqrstuvwxyz";

#[tokio::test(start_paused = true)]
async fn authentik_accepts_an_access_token_and_reads_its_groups() {
    let scene = Scene::rs256(include_str!("authentik.json"));
    let authentik = provider::authentik("https://auth.example.com/", "orders").unwrap();
    let verified = scene.common(&authentik, AUDIENCE).await;
    assert!(verified.has_role("Clerks") && verified.has_role("authentik Read-only"));
    assert!(!verified.has_role("authentik") && !verified.has_role("Read-only"));
    assert_eq!(verified.session_id(), Some("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"));
}

#[tokio::test(start_paused = true)]
async fn authentik_refuses_an_id_token_that_differs_by_azp_alone() {
    let scene = Scene::rs256(include_str!("authentik.json"));
    let authentik = provider::authentik("https://auth.example.com", "orders").unwrap();
    let id = judge(scene.trusted(&authentik, AUDIENCE), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
    let access = scene.token("id", |claims| claims["azp"] = AUDIENCE.into());
    assert!(judge(scene.trusted(&authentik, AUDIENCE), &access).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn authentik_refuses_the_token_of_another_application() {
    let scene = Scene::rs256(include_str!("authentik.json"));
    let authentik = provider::authentik("https://auth.example.com", "orders").unwrap();
    let other = scene.accepted(|claims| claims["iss"] = "https://auth.example.com/application/o/bills/".into());
    let refused = judge(scene.trusted(&authentik, AUDIENCE), &other).await;
    assert_eq!(refused.unwrap_err(), Code::IssuerNotTrusted);
}
