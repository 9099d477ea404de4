//! Tests what the README says about its first snippet and about logs (rows Y, Z).
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::convert::Infallible;

use http::{Request, Response};
use portcullis::{Algorithm, AuthLayer, ConfigError, JwtAuthenticator, KeySet, Secret, TrustedIssuer, policy::Profile};
use portcullis_test::{MockIssuer, TokenBuilder};
use tower::{Layer, ServiceExt, service_fn};

const README: &str = include_str!("../README.md");
/// A secret as `openssl rand -base64` prints it, with known bytes.
const SECRET: &str = "YSBzZWNyZXQgb2YgYXQgbGVhc3QgMzIgYnl0ZXMsIG9r";

/// The code in the README's snippet. `auth` runs the same code, optionally with the line that the text below the snippet mentions.
const SNIPPET: &str = r#"
    let keys = KeySet::from(Secret::from_base64("2026-11", Algorithm::Hs256, secret)?);
    let issuer = TrustedIssuer::new("https://login.example.com", keys).audience("https://orders.example.com");
    Ok(AuthLayer::new(JwtAuthenticator::new(issuer)?).realm("orders"))
"#;

fn auth(secret: &str, profile: Option<Profile>) -> Result<AuthLayer, ConfigError> {
    let keys = KeySet::from(Secret::from_base64("2026-11", Algorithm::Hs256, secret)?);
    let issuer = TrustedIssuer::new("https://login.example.com", keys).audience("https://orders.example.com");
    let issuer = match profile {
        Some(profile) => issuer.profile(profile),
        None => issuer,
    };
    Ok(AuthLayer::new(JwtAuthenticator::new(issuer)?).realm("orders"))
}

/// Returns a token as common libraries write it: with `typ: JWT`, without `kid` and `jti`.
fn token() -> TokenBuilder {
    let octets = b"a secret of at least 32 bytes, ok";
    let issuer = MockIssuer::with_secret("2026-11", Algorithm::Hs256, octets).named("https://login.example.com");
    let token = issuer.token().typ("JWT").without_header("kid").audience("https://orders.example.com");
    token.subject("alice").without("jti").without("client_id")
}

async fn status(layer: &AuthLayer, token: &TokenBuilder) -> u16 {
    let inner = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new(String::from("in"))));
    let request = Request::get("/").header("authorization", token.bearer()).body(()).unwrap();
    layer.layer(inner).oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn row_z_the_first_snippet_accepts_what_common_libraries_write() {
    assert!(README.contains(SNIPPET), "the README has another snippet than this test");
    let layer = auth(SECRET, None).unwrap();
    assert_eq!(status(&layer, &token()).await, 200);
    assert_eq!(status(&layer, &token().typ("at+jwt")).await, 200);
    assert_eq!(status(&layer, &token().audience("https://bills.example.com")).await, 401);
}

#[tokio::test]
async fn row_z_the_profile_is_a_choice_that_refuses_other_types() {
    assert!(README.contains("`.profile(Profile::AccessToken)`"));
    let layer = auth(SECRET, Some(Profile::AccessToken)).unwrap();
    assert_eq!(status(&layer, &token()).await, 401);
    let rfc_9068 = token().typ("at+jwt").token_id("t").claim("client_id", "app");
    assert_eq!(status(&layer, &rfc_9068).await, 200);
}

#[test]
fn row_y_the_readme_says_how_to_see_refusals() {
    let logs = README.split_once("## Logs").unwrap().1.split("\n## ").next().unwrap();
    for part in ["`portcullis`", "`debug`", "RUST_LOG=info,portcullis=debug", "`warn`", "`error`"] {
        assert!(logs.contains(part), "{part}");
    }
}
