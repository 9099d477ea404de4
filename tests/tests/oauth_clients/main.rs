//! The authorization server, driven by clients that we did not write: npm `openid-client` and `oauth4webapi`, `oauth2` of Rust, and
//! `x/oauth2` of Go. The tokens that those of npm get are verified by npm `jose`, and with those of Go by `PyJWT`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../support/libraries.rs"]
mod libraries;
mod oauth2_crate;
mod probes;
mod programs;
mod proxy_cache;
#[path = "../support/wire.rs"]
mod wire;
mod world;

use libraries::{PYJWT, Verdict};
use serde_json::json;
use world::World;

#[tokio::test]
async fn oauth4webapi_gets_tokens_by_every_grant() {
    let world = World::start().await;
    verify(&world, programs::run("oauth4webapi", world.facts()).await, 14).await;
}

#[tokio::test]
async fn openid_client_gets_tokens_by_every_grant() {
    let world = World::start().await;
    verify(&world, programs::run("openid-client", world.facts()).await, 12).await;
}

#[tokio::test]
async fn go_s_oauth2_gets_tokens_by_a_code_refreshes_them_and_gets_one_for_itself() {
    let world = World::start().await;
    verify(&world, programs::run_go(world.facts()).await, 5).await;
}

/// Verifies the tokens that a client has got, of which there are `count`, by another library.
async fn verify(world: &World, tokens: Option<Vec<programs::Got>>, count: usize) {
    let Some(tokens) = tokens else { return };
    let flows: Vec<_> = tokens.iter().map(|got| &got.flow).collect();
    assert_eq!(tokens.len(), count, "{flows:?}");
    let url = format!("{}/.well-known/jwks.json", world.issuer());
    let question = |got: &programs::Got| json!({ "token": got.token, "alg": "ES256", "issuer": world.issuer(), "audience": got.audience, "url": url });
    let Some(verdicts) = PYJWT.verify(tokens.iter().map(question).collect()).await else { return };
    assert_eq!(verdicts.len(), tokens.len());
    for (got, verdict) in tokens.iter().zip(verdicts) {
        assert!(matches!(verdict, Verdict::Accepted(_)), "{}: {verdict:?}", got.flow);
    }
}
