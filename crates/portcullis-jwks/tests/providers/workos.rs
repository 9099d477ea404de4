//! WorkOS: session tokens have no `aud`.

use portcullis_core::{Code, TrustedIssuer};
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const CLIENT: &str = "client_01JB4QTYNHG2DWN4M1PRMVGP6Y";
const AUDIENCE: &str = "https://orders.example.com";

#[tokio::test(start_paused = true)]
async fn workos_accepts_a_session_token_to_which_an_audience_was_added_and_no_other() {
    let mut scene = Scene::rs256(include_str!("workos.json"));
    let workos = provider::workos(CLIENT).unwrap();
    let refused = judge(scene.trusted(&workos, AUDIENCE), &scene.accepted(|_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "there is no audience");
    scene.file["tokens"]["accepted"]["claims"]["aud"] = AUDIENCE.into();
    let verified = scene.common(&workos, AUDIENCE).await;
    assert_eq!(verified.subject(), Some("user_01HBEQKA6K4QJAS93VPE39W1JT"));
    assert!(verified.has_role("member") && verified.has_role("billing") && !verified.has_role("posts:read"));
    let permissions = scene.trusted(&workos, AUDIENCE).roles_at("/permissions");
    assert!(judge(permissions, &scene.accepted(|_| {})).await.unwrap().has_role("posts:read"));
}

#[tokio::test(start_paused = true)]
async fn workos_refuses_a_token_without_a_session_and_one_of_another_environment() {
    let mut scene = Scene::rs256(include_str!("workos.json"));
    scene.file["tokens"]["accepted"]["claims"]["aud"] = AUDIENCE.into();
    let workos = provider::workos(CLIENT).unwrap();
    let without = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("sid")));
    assert_eq!(judge(scene.trusted(&workos, AUDIENCE), &without).await.unwrap_err(), Code::ClaimMissing);
    let other = "https://api.workos.com/user_management/client_01JANOTHER";
    let token = scene.accepted(|claims| claims["iss"] = other.into());
    assert_eq!(judge(scene.trusted(&workos, AUDIENCE), &token).await.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn workos_of_older_environments_has_the_common_issuer() {
    let scene = Scene::rs256(include_str!("workos.json"));
    let workos = provider::workos_legacy(CLIENT).unwrap();
    let audience = "https://orders.example.com";
    let token = scene.token("legacy", |claims| claims["aud"] = audience.into());
    assert!(judge(scene.trusted(&workos, audience), &token).await.is_ok());
    let new = scene.accepted(|claims| claims["aud"] = audience.into());
    assert_eq!(judge(scene.trusted(&workos, audience), &new).await.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn workos_connect_accepts_access_tokens_and_refuses_id_tokens() {
    let scene = Scene::rs256(include_str!("workos_connect.json"));
    let connect = provider::workos_connect("acme.authkit.app").unwrap();
    let verified = scene.common(&connect, "https://orders.example.com").await;
    assert!(verified.has_scope("orders:read"));
    assert_eq!(verified.client_id(), Some("client_01JP8BD0CZ401TDF9X54NT5ZEK"));
    let machine = judge(scene.trusted(&connect, CLIENT), &scene.token("machine", |_| {})).await.unwrap();
    assert!(machine.has_scope("orders:read"));

    let id = judge(scene.trusted(&connect, "https://orders.example.com"), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::AudienceMismatch);
    // A client id as audience is a mistake, and no way in.
    let id = judge(scene.trusted(&connect, "client_01JP8BD0CZ401TDF9X54NT5ZEK"), &scene.token("id", |_| {})).await;
    assert_eq!(id.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn row_f9_workos_session_tokens_are_accepted_by_issuer_or_client_where_that_was_asked_for() {
    let scene = Scene::rs256(include_str!("workos.json"));
    let workos = provider::workos(CLIENT).unwrap();
    let by_issuer = |issuer: TrustedIssuer| issuer.danger_claim_as_audience("/iss");
    let refused = judge(scene.trusted(&workos, workos.issuer()), &scene.accepted(|_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
    scene.common_where(&workos, workos.issuer(), by_issuer).await;
    let for_a_service = scene.accepted(|claims| claims["aud"] = AUDIENCE.into());
    let refused = judge(by_issuer(scene.trusted(&workos, workos.issuer())), &for_a_service).await;
    assert_eq!(refused.unwrap_err(), Code::AudienceMismatch, "`aud` is judged where there is one");

    let by_client = || scene.trusted(&workos, CLIENT).danger_claim_as_audience("/client_id");
    for (client, accepted) in [(CLIENT, true), ("client_01JANOTHER", false)] {
        let token = scene.accepted(|claims| claims["client_id"] = client.into());
        assert_eq!(judge(by_client(), &token).await.is_ok(), accepted, "{client}");
    }
    assert!(judge(by_client(), &scene.accepted(|_| {})).await.is_err(), "it names no client");
}
