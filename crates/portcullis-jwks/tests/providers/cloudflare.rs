//! Cloudflare Access.

use portcullis_core::Code;
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";

#[tokio::test(start_paused = true)]
async fn cloudflare_accepts_a_person_and_reads_groups_where_they_were_added() {
    let scene = Scene::rs256(include_str!("cloudflare.json"));
    let cloudflare = provider::cloudflare_access("acme").unwrap();
    let verified = scene.common(&cloudflare, AUDIENCE).await;
    assert_eq!(verified.subject(), Some("7335d417-61da-459d-899c-0a01c76a2f94"));
    let groups = scene.trusted(&cloudflare, AUDIENCE).roles_at("/custom/groups");
    assert!(judge(groups, &scene.accepted(|_| {})).await.unwrap().has_role("clerks"));
}

#[tokio::test(start_paused = true)]
async fn cloudflare_refuses_the_token_of_the_teams_own_domain() {
    let scene = Scene::rs256(include_str!("cloudflare.json"));
    let cloudflare = provider::cloudflare_access("acme").unwrap();
    let refused = judge(scene.trusted(&cloudflare, AUDIENCE), &scene.token("organization", |_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn row_d_a_service_token_of_cloudflare_has_no_subject_and_names_its_client() {
    let scene = Scene::rs256(include_str!("cloudflare.json"));
    let cloudflare = provider::cloudflare_access("acme").unwrap();
    let verified = judge(scene.trusted(&cloudflare, AUDIENCE), &scene.token("service", |_| {})).await.unwrap();
    assert_eq!(verified.subject(), None, "an empty `sub` is none");
    let name = verified.claim("/common_name").and_then(|name| name.as_str().map(str::to_owned));
    assert_eq!(name.as_deref(), Some("e367826f93b8d71185e03fe518aff3b4.access"));
}
