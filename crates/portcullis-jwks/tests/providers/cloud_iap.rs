//! Identity-Aware Proxy of Google Cloud. It issues one kind of token only.

use portcullis_core::{Algorithm, Code};
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "/projects/123456789012/global/backendServices/1234567890123456789";

#[tokio::test(start_paused = true)]
async fn cloud_iap_accepts_a_person_behind_this_backend_service() {
    let scene = Scene::new(include_str!("cloud_iap.json"), Algorithm::Es256);
    let verified = scene.common(&provider::cloud_iap(), AUDIENCE).await;
    assert_eq!(verified.subject(), Some("accounts.google.com:110169484474386276334"));
    assert!(verified.scopes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn cloud_iap_refuses_tokens_for_another_customers_service_and_googles_id_tokens() {
    let scene = Scene::new(include_str!("cloud_iap.json"), Algorithm::Es256);
    let trusted = || scene.trusted(&provider::cloud_iap(), AUDIENCE);
    let elsewhere = "/projects/666/global/backendServices/1234567890123456789";
    let token = scene.accepted(|claims| claims["aud"] = elsewhere.into());
    assert_eq!(judge(trusted(), &token).await.unwrap_err(), Code::AudienceMismatch);
    let of_google = scene.accepted(|claims| claims["iss"] = "https://accounts.google.com".into());
    assert_eq!(judge(trusted(), &of_google).await.unwrap_err(), Code::IssuerNotTrusted);
}
