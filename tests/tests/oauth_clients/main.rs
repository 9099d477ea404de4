//! The authorization server, driven by clients that we did not write: npm `openid-client` and `oauth4webapi`, and `oauth2` of Rust. The tokens
//! that the first two get are verified by npm `jose` and by `PyJWT`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../support/libraries.rs"]
mod libraries;
mod npm;
mod oauth2_crate;
mod probes;
mod proxy_cache;
#[path = "../support/wire.rs"]
mod wire;
mod world;

use libraries::{PYJWT, Verdict};
use serde_json::json;
use world::World;

#[tokio::test]
async fn oauth4webapi_gets_tokens_by_every_grant() {
    drive("oauth4webapi", 14).await;
}

#[tokio::test]
async fn openid_client_gets_tokens_by_every_grant() {
    drive("openid-client", 12).await;
}

/// Lets a library of npm do all that it can, and verifies its tokens, of which there are `count`.
async fn drive(library: &'static str, count: usize) {
    let world = World::start().await;
    let Some(tokens) = npm::run(library, world.facts()).await else { return };
    let flows: Vec<_> = tokens.iter().map(|got| &got.flow).collect();
    assert_eq!(tokens.len(), count, "{flows:?}");
    let url = format!("{}/.well-known/jwks.json", world.issuer());
    let question = |got: &npm::Got| json!({ "token": got.token, "alg": "ES256", "issuer": world.issuer(), "audience": got.audience, "url": url });
    let Some(verdicts) = PYJWT.verify(tokens.iter().map(question).collect()).await else { return };
    assert_eq!(verdicts.len(), tokens.len());
    for (got, verdict) in tokens.iter().zip(verdicts) {
        assert!(matches!(verdict, Verdict::Accepted(_)), "{}: {verdict:?}", got.flow);
    }
}
