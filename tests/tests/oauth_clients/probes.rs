//! What the metadata says, tried over the wire.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, header};
use serde_json::{Value, json};

use crate::{
    wire::{Answer, encoded, send},
    world::{SECRET, WORKER, World},
};

pub(crate) async fn metadata(world: &World) -> Value {
    let answer = send(Request::get(format!("{}/.well-known/oauth-authorization-server", world.issuer())), "").await;
    assert_eq!((answer.status, &*answer.header("content-type")), (200, "application/json"));
    serde_json::from_str(&answer.body).unwrap()
}

async fn post(url: &str, body: &str) -> Answer {
    send(Request::post(url).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), body).await
}

/// With what the client that acts for itself says who it is (RFC 6749 section 2.3.1).
pub(crate) fn workers_header() -> String {
    let form = |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", form(WORKER), form(SECRET))))
}

fn error(answer: &Answer) -> Value {
    serde_json::from_str::<Value>(&answer.body).unwrap()["error"].clone()
}

#[tokio::test]
async fn every_advertised_url_is_answered_as_its_rfc_says() {
    let world = World::start().await;
    let metadata = metadata(&world).await;
    let is_url = |name: &str| name.ends_with("_endpoint") || name.ends_with("_uri");
    let mut urls: BTreeMap<_, _> = metadata.as_object().unwrap().iter().filter(|(name, _)| is_url(name)).collect();
    let mut take = |name: &str| urls.remove(&name.to_owned()).unwrap().as_str().unwrap();

    let keys = send(Request::get(take("jwks_uri")), "").await;
    assert_eq!((keys.status, &*keys.header("cache-control")), (200, "public, max-age=3600"), "{keys:?}");
    let page = send(Request::get(take("authorization_endpoint")), "").await;
    assert_eq!((page.status, &*page.header("cache-control")), (400, "no-store"), "{page:?}");
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    let names = ["token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "introspection_endpoint"];
    for url in names.map(&mut take) {
        let empty = post(url, "").await;
        assert_eq!((empty.status, error(&empty)), (401, json!("invalid_client")), "{url}");
        assert_eq!(&*empty.header("cache-control"), "no-store", "{url}");
        let got = send(Request::get(url), "").await;
        assert_eq!((got.status, &*got.header("allow"), &*got.header("cache-control")), (405, "POST", "no-store"));
    }
    assert!(urls.is_empty(), "not tried: {urls:?}");
}

#[tokio::test]
async fn every_advertised_grant_is_known_and_no_other() {
    let world = World::start().await;
    let metadata = metadata(&world).await;
    let url = metadata["token_endpoint"].as_str().unwrap();
    let attempt = async |grant: &str| {
        let request = Request::post(url).header(header::AUTHORIZATION, workers_header());
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        error(&send(request, &encoded(&[("grant_type", grant)])).await)
    };
    let grants = metadata["grant_types_supported"].as_array().unwrap();
    assert_eq!(grants.len(), 5, "{grants:?}");
    for grant in grants {
        let expected = match grant.as_str().unwrap() {
            // It names no service, and may use two.
            "client_credentials" => "invalid_target",
            // What is to be exchanged is missing.
            "urn:ietf:params:oauth:grant-type:token-exchange" => "invalid_request",
            _ => "unauthorized_client",
        };
        assert_eq!(attempt(grant.as_str().unwrap()).await, expected, "{grant}");
    }
    for grant in ["password", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:openid:params:grant-type:ciba"] {
        assert_eq!(attempt(grant).await, "unsupported_grant_type", "{grant}");
    }
}

/// Each way is used by the clients of npm.
#[tokio::test]
async fn the_advertised_ways_to_authenticate_are_those_that_clients_have() {
    let metadata = metadata(&World::start().await).await;
    let ways = json!(["none", "client_secret_basic", "private_key_jwt"]);
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], ways);
    assert_eq!(metadata["revocation_endpoint_auth_methods_supported"], ways);
    assert_eq!(metadata["introspection_endpoint_auth_methods_supported"], json!(["client_secret_basic"]));
}
