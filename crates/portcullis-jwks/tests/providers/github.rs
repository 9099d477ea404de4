//! GitHub Actions: every repository on GitHub gets tokens of this issuer, for any audience.

use portcullis_core::Code;
use portcullis_jwks::provider;

use crate::scene::{Scene, judge};

const AUDIENCE: &str = "https://deploy.example.com";

fn scene() -> Scene {
    Scene::rs256(include_str!("github.json"))
}

#[tokio::test(start_paused = true)]
async fn github_accepts_the_repository_that_was_named() {
    let scene = scene();
    let github = provider::github_actions("octo-org/octo-repo").unwrap();
    let verified = scene.common(&github, AUDIENCE).await;
    assert_eq!(verified.subject(), Some("repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main"));
    assert!(verified.scopes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn github_refuses_every_other_repository() {
    let scene = scene();
    let github = provider::github_actions("octo-org/octo-repo").unwrap();
    let refused = judge(scene.trusted(&github, AUDIENCE), &scene.token("of_another_repository", |_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
    for other in ["octo-org/octo-repo2", "octo-org/octo-rep", "Octo-Org/octo-repo", "evil/octo-org/octo-repo", ""] {
        let token = scene.accepted(|claims| claims["repository"] = other.into());
        let refused = judge(scene.trusted(&github, AUDIENCE), &token).await;
        assert_eq!(refused.unwrap_err(), Code::ClaimMissing, "{other}");
    }
    let without = scene.accepted(|claims| drop(claims.as_object_mut().unwrap().remove("repository")));
    assert_eq!(judge(scene.trusted(&github, AUDIENCE), &without).await.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn github_accepts_all_repositories_of_an_owner_that_was_named_and_no_others() {
    let scene = scene();
    let github = provider::github_actions_of_owner("octo-org").unwrap();
    let other_repository = scene.accepted(|claims| claims["repository"] = "octo-org/another".into());
    assert!(judge(scene.trusted(&github, AUDIENCE), &other_repository).await.is_ok());
    let refused = judge(scene.trusted(&github, AUDIENCE), &scene.token("of_another_repository", |_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::ClaimMissing);
}

#[tokio::test(start_paused = true)]
async fn github_accepts_an_issuer_of_ones_own_alone() {
    let scene = scene();
    let issuer = "https://token.actions.githubusercontent.com/octocat-inc";
    let github = provider::github_actions_at(issuer, "octo-org/octo-repo").unwrap();
    assert_eq!(github.issuer(), issuer);
    let refused = judge(scene.trusted(&github, AUDIENCE), &scene.accepted(|_| {})).await;
    assert_eq!(refused.unwrap_err(), Code::IssuerNotTrusted);
}

#[tokio::test(start_paused = true)]
async fn github_of_anyone_is_spelled_danger_and_accepts_every_repository() {
    let scene = scene();
    let github = provider::danger_github_actions_of_anyone();
    for token in ["accepted", "of_another_repository"] {
        assert!(judge(scene.trusted(&github, AUDIENCE), &scene.token(token, |_| {})).await.is_ok());
    }
    let branch = || scene.trusted(&github, AUDIENCE).require_claim_value("/repository_id", "456789");
    assert!(judge(branch(), &scene.accepted(|_| {})).await.is_ok());
    assert!(judge(branch(), &scene.token("of_another_repository", |_| {})).await.is_err());
}
