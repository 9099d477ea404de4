//! Kubernetes: every workload of the cluster gets tokens of this issuer, for any audience. There is one kind of token.

use portcullis_core::Code;
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "https://orders.shop.svc";
const SERVER: &str = "https://kubernetes.default.svc.cluster.local";

fn scene() -> Scene {
    Scene::rs256(include_str!("kubernetes.json"))
}

#[tokio::test(start_paused = true)]
async fn kubernetes_accepts_the_namespace_that_was_named() {
    let scene = scene();
    let verified = scene.common(&provider::kubernetes(SERVER, "shop").unwrap(), AUDIENCE).await;
    assert_eq!(verified.subject(), Some("system:serviceaccount:shop:frontend"));
}

#[tokio::test(start_paused = true)]
async fn kubernetes_is_discovered_where_its_issuer_is_public_with_its_slash() {
    let scene = Scene::rs256(include_str!("kubernetes_aks.json"));
    let issuer = scene.file["tokens"]["accepted"]["claims"]["iss"].as_str().unwrap();
    assert!(issuer.ends_with('/'));
    scene.common(&provider::kubernetes(issuer, "shop").unwrap(), AUDIENCE).await;
}

#[tokio::test(start_paused = true)]
async fn kubernetes_refuses_every_other_namespace() {
    let scene = scene();
    let kubernetes = provider::kubernetes(SERVER, "shop").unwrap();
    let refused = judge(scene.trusted(&kubernetes, AUDIENCE), &scene.token("of_another_namespace", |_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
    let without = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("kubernetes.io")));
    assert_eq!(judge(scene.trusted(&kubernetes, AUDIENCE), &without).await.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn kubernetes_accepts_one_account_alone_where_one_was_named() {
    let scene = scene();
    let frontend = provider::kubernetes_service_account(SERVER, "shop", "frontend").unwrap();
    assert!(judge(scene.trusted(&frontend, AUDIENCE), &scene.accepted(|_| {})).await.is_ok());
    let other = scene.accepted(|claims| claims["sub"] = "system:serviceaccount:shop:backend".into());
    for token in [other, scene.token("of_another_namespace", |_| {})] {
        let refused = judge(scene.trusted(&frontend, AUDIENCE), &token).await;
        assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
    }
}

#[tokio::test(start_paused = true)]
async fn kubernetes_refuses_a_legacy_token_that_never_expires() {
    let scene = scene();
    let kubernetes = provider::danger_kubernetes_any_namespace(SERVER).unwrap();
    let refused = judge(scene.trusted(&kubernetes, AUDIENCE), &scene.token("legacy", |_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn kubernetes_of_any_namespace_is_spelled_danger() {
    let scene = scene();
    let kubernetes = provider::danger_kubernetes_any_namespace(SERVER).unwrap();
    assert!(judge(scene.trusted(&kubernetes, AUDIENCE), &scene.token("of_another_namespace", |_| {})).await.is_ok());
}
