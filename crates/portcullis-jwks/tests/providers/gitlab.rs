//! GitLab CI: every project of the instance gets tokens of this issuer, for any audience.

use portcullis_core::Code;
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "https://deploy.example.com";
const INSTANCE: &str = "https://gitlab.example.com";

fn scene() -> Scene {
    Scene::rs256(include_str!("gitlab.json"))
}

#[tokio::test(start_paused = true)]
async fn gitlab_accepts_the_project_that_was_named() {
    let scene = scene();
    let gitlab = provider::gitlab_ci("https://gitlab.example.com/", "my-group/my-project").unwrap();
    let verified = scene.common(&gitlab, AUDIENCE).await;
    assert_eq!(verified.subject(), Some("project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1"));
    let protected = scene.trusted(&gitlab, AUDIENCE).require_claim_value("/ref_protected", "true");
    assert_eq!(judge(protected, &scene.accepted(|_| {})).await.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn gitlab_refuses_every_other_project() {
    let scene = scene();
    let gitlab = provider::gitlab_ci(INSTANCE, "my-group/my-project").unwrap();
    let refused = judge(scene.trusted(&gitlab, AUDIENCE), &scene.token("of_another_project", |_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
    for other in ["my-group/my-project2", "My-Group/my-project", "evil/my-group/my-project", "my-group/my-project/sub"]
    {
        let token = scene.accepted(|claims| claims["project_path"] = other.into());
        let refused = judge(scene.trusted(&gitlab, AUDIENCE), &token).await;
        assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn gitlab_accepts_the_projects_of_a_group_that_was_named_and_not_those_of_others() {
    let scene = scene();
    let gitlab = provider::gitlab_ci_of_namespace(INSTANCE, "my-group").unwrap();
    let other_project = scene.accepted(|claims| claims["project_path"] = "my-group/another".into());
    assert!(judge(scene.trusted(&gitlab, AUDIENCE), &other_project).await.is_ok());
    for namespace in ["evil", "my-group/subgroup", "my-group2"] {
        let token = scene.accepted(|claims| claims["namespace_path"] = namespace.into());
        let refused = judge(scene.trusted(&gitlab, AUDIENCE), &token).await;
        assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "{namespace}");
    }
}

#[tokio::test(start_paused = true)]
async fn gitlab_refuses_the_id_token_of_a_person_who_logged_in() {
    let scene = scene();
    for gitlab in [
        provider::gitlab_ci(INSTANCE, "my-group/my-project"),
        provider::gitlab_ci_of_namespace(INSTANCE, "my-group"),
        provider::danger_gitlab_ci_of_anyone(INSTANCE),
    ] {
        let gitlab = gitlab.unwrap();
        assert!(judge(scene.trusted(&gitlab, AUDIENCE), &scene.accepted(|_| {})).await.is_ok());
        let id = judge(scene.trusted(&gitlab, AUDIENCE), &scene.token("id", |_| {})).await;
        assert_eq!(id.unwrap_err(), Code::ClaimMissing);
    }
}

#[tokio::test(start_paused = true)]
async fn gitlab_of_anyone_is_spelled_danger_and_accepts_every_project() {
    let scene = scene();
    let gitlab = provider::danger_gitlab_ci_of_anyone(INSTANCE).unwrap();
    assert!(judge(scene.trusted(&gitlab, AUDIENCE), &scene.token("of_another_project", |_| {})).await.is_ok());
}
