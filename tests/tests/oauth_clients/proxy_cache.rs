//! The authorization server behind an nginx that caches.

use http::{Request, header, request};
use real_servers::{NginxCache, is_missing};
use serde_json::Value;

use crate::{
    probes::{metadata, workers_header},
    wire::{Answer, encoded, listen, send},
    world::{BILLS, CALLBACK, ORDERS, World},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Caches everything that does not forbid it, errors too.
const GREEDY: &str = "proxy_cache_valid any 10m;";

/// A server behind a proxy with these lines; `None` if there is no nginx, and then the running test is left out.
async fn behind_proxy(lines: &str) -> Option<(World, NginxCache)> {
    if is_missing("nginx") {
        return None;
    }
    let (listener, mut proxy) = (listen().await, NginxCache::reserve());
    let port = listener.local_addr().unwrap().port();
    let world = World::start_at(listener, proxy.url()).await;
    proxy.start_before(port, lines);
    Some((world, proxy))
}

/// What the cache did at the first and at the second of two equal requests.
fn cache(answers: &[Answer; 2]) -> [String; 2] {
    answers.each_ref().map(|answer| answer.header("x-cache"))
}

async fn twice(request: impl Fn() -> request::Builder, body: &str) -> [Answer; 2] {
    [send(request(), body).await, send(request(), body).await]
}

async fn post_twice(url: &str, parameters: &[(&str, &str)]) -> [Answer; 2] {
    let request = || {
        let request = Request::post(url).header(header::AUTHORIZATION, workers_header());
        request.header(header::CONTENT_TYPE, FORM)
    };
    twice(request, &encoded(parameters)).await
}

#[tokio::test]
async fn pitfall_18_a_proxy_that_caches_all_it_may_never_answers_for_an_endpoint() {
    let Some((world, _proxy)) = behind_proxy(GREEDY).await else { return };
    let silent = format!("{}/silent", world.issuer());
    // Otherwise, the proxy would cache no answer to a POST.
    assert_eq!(cache(&post_twice(&silent, &[]).await), ["MISS", "HIT"]);
    let metadata = metadata(&world).await;
    let url = |name: &str| metadata[name].as_str().unwrap().to_owned();
    let own = [("grant_type", "client_credentials"), ("resource", ORDERS)];
    let tokens = post_twice(&url("token_endpoint"), &own).await;
    let [first, second] = tokens.each_ref().map(|answer| {
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_str::<Value>(&answer.body).unwrap()["access_token"].clone()
    });
    assert_ne!(first, second);
    assert_eq!(cache(&tokens), ["MISS", "MISS"]);
    // Errors, and answers to methods that are not allowed.
    for name in ["token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "introspection_endpoint"] {
        let url = url(name);
        for parameters in [&[][..], &[("token", "unknown")], &[("grant_type", "password")]] {
            let answers = post_twice(&url, parameters).await;
            assert_eq!(cache(&answers), ["MISS", "MISS"], "{name} {parameters:?}: {answers:?}");
        }
        assert_eq!(cache(&twice(|| Request::get(&url), "").await), ["MISS", "MISS"], "{name}");
    }
    let device = [("client_id", "cli"), ("resource", ORDERS)];
    let form = || Request::post(url("device_authorization_endpoint")).header(header::CONTENT_TYPE, FORM);
    let codes = twice(form, &encoded(&device)).await;
    assert_eq!((codes[0].status, cache(&codes)), (200, ["MISS".to_owned(), "MISS".to_owned()]));
    assert_ne!(codes[0].body, codes[1].body);
}

#[tokio::test]
async fn pitfall_18_a_proxy_that_caches_all_it_may_hands_no_code_to_a_second_browser() {
    let Some((world, _proxy)) = behind_proxy(GREEDY).await else { return };
    let endpoint = metadata(&world).await["authorization_endpoint"].as_str().unwrap().to_owned();
    let query = encoded(&[
        ("response_type", "code"),
        ("client_id", "page"),
        ("redirect_uri", CALLBACK),
        ("resource", BILLS),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]);
    for (url, status) in [(format!("{endpoint}?{query}"), 303), (endpoint, 400)] {
        let answers = twice(|| Request::get(&url), "").await;
        assert_eq!((answers[0].status, answers[1].status), (status, status));
        assert_eq!(cache(&answers), ["MISS", "MISS"]);
        assert!(status != 303 || answers[0].header("location") != answers[1].header("location"));
    }
}

#[tokio::test]
async fn pitfall_18_a_proxy_caches_the_metadata_and_the_key_set_by_their_headers_alone() {
    let Some((world, _proxy)) = behind_proxy("").await else { return };
    // The proxy has no rule of its own: what says nothing is not cached.
    assert_eq!(cache(&post_twice(&format!("{}/silent", world.issuer()), &[]).await), ["MISS", "MISS"]);
    for path in
        ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration", "/.well-known/jwks.json"]
    {
        let url = format!("{}{path}", world.issuer());
        let answers = twice(|| Request::get(&url), "").await;
        assert_eq!((answers[0].status, cache(&answers)), (200, ["MISS".to_owned(), "HIT".to_owned()]), "{path}");
        assert_eq!(answers[0].body, answers[1].body, "{path}");
        let known = Request::get(&url).header(header::IF_NONE_MATCH, answers[1].header("etag"));
        let unchanged = send(known, "").await;
        assert_eq!((unchanged.status, &*unchanged.header("x-cache")), (304, "HIT"), "{path}");
    }
}
