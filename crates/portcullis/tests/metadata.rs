//! Tests protected resource metadata, the document that names the authorization servers of a resource.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::collections::BTreeMap;

use http::{Method, Request};
use portcullis::{location::BearerMethod, metadata::ResourceMetadata};
use serde_json::{Value, json};
use tower::ServiceExt;

fn document(metadata: &ResourceMetadata) -> Value {
    serde_json::from_str(metadata.json()).unwrap()
}

#[test]
fn minimal_and_complete_metadata_are_written() {
    let least = ResourceMetadata::builder("https://api.example.com").build().unwrap();
    assert_eq!(
        document(&least),
        json!({"resource": "https://api.example.com", "bearer_methods_supported": ["header"]})
    );

    let most = ResourceMetadata::builder("https://api.example.com/v1")
        .authorization_server("https://login.example.com")
        .authorization_server("https://login.example.org/tenant")
        .scopes(["orders:read", "orders:write"])
        .bearer_methods([BearerMethod::Header, BearerMethod::Body, BearerMethod::Query])
        .name("Orders \"live\"")
        .documentation("https://docs.example.com")
        .jwks_uri("https://api.example.com/jwks.json")
        .member("resource_name#de", "Bestellungen")
        .member("dpop_bound_access_tokens_required", false)
        .member("resource_signing_alg_values_supported", Vec::<String>::new())
        .build()
        .unwrap();
    let expected = json!({
        "resource": "https://api.example.com/v1",
        "authorization_servers": ["https://login.example.com", "https://login.example.org/tenant"],
        "scopes_supported": ["orders:read", "orders:write"],
        "bearer_methods_supported": ["header", "body", "query"],
        "resource_name": "Orders \"live\"",
        "resource_documentation": "https://docs.example.com",
        "jwks_uri": "https://api.example.com/jwks.json",
        "resource_name#de": "Bestellungen",
        "dpop_bound_access_tokens_required": false,
    });
    assert_eq!(document(&most), expected);
}

#[test]
fn empty_lists_are_left_out() {
    let metadata = ResourceMetadata::builder("https://api.example.com").scopes::<&str>([]).bearer_methods([]);
    assert_eq!(document(&metadata.build().unwrap()), json!({"resource": "https://api.example.com"}));
}

#[test]
fn the_path_and_the_url_follow_the_resource() {
    let well_known = "/.well-known/oauth-protected-resource";
    let cases = [
        ("https://api.example.com", "", ""),
        ("https://api.example.com/", "", ""),
        ("https://api.example.com/v1/orders", "/v1/orders", ""),
        ("https://api.example.com/v1?tenant=a", "/v1", "?tenant=a"),
    ];
    for (resource, path, query) in cases {
        let metadata = ResourceMetadata::builder(resource).build().unwrap();
        assert_eq!(metadata.path(), format!("{well_known}{path}"));
        assert_eq!(metadata.url(), format!("https://api.example.com{well_known}{path}{query}"));
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    // This cannot be written as JSON, because names of members must be strings.
    let unwritable = BTreeMap::from([([1], 1)]);
    let error = ResourceMetadata::builder("http://api.example.com#x")
        .authorization_server("https://login.example.com")
        .authorization_server("http://login.example.com")
        .authorization_server("https://login.example.com?tenant=a")
        .jwks_uri("jwks.json")
        .member("resource", "https://api.example.com")
        .member("odd", unwritable)
        .build()
        .unwrap_err();
    let problems: Vec<_> = error.problems().collect();
    assert_eq!(problems.len(), 6, "{error}");
    assert!(problems[0].contains("http://api.example.com#x") && problems[0].contains("fragment"), "{error}");
    let places = ["resource:", "authorization_servers:", "authorization_servers:", "jwks_uri:", "resource:", "odd:"];
    assert!(problems.iter().zip(places).all(|(problem, place)| problem.starts_with(place)), "{error}");
}

#[test]
fn plain_http_is_allowed_only_for_loopback_addresses() {
    for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
        let url = format!("http://{host}");
        assert!(ResourceMetadata::builder(&url).authorization_server(&url).build().is_ok(), "{host}");
    }
    for host in ["api.example.com", "localhost.example.com", "10.0.0.1", "[::2]"] {
        assert!(ResourceMetadata::builder(format!("https://{host}")).build().is_ok(), "{host}");
        assert!(ResourceMetadata::builder(format!("http://{host}")).build().is_err(), "{host}");
    }
}

#[tokio::test]
async fn get_and_head_are_answered_and_nothing_else() {
    let metadata = ResourceMetadata::builder("https://api.example.com").build().unwrap();
    let length = metadata.json().len().to_string();
    for (method, status) in [(Method::GET, 200), (Method::HEAD, 200), (Method::POST, 405), (Method::OPTIONS, 405)] {
        let request = Request::builder().method(&method).body(()).unwrap();
        let response = metadata.service().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{method}");
        assert_eq!(response.body(), if method == Method::GET { metadata.json() } else { "" }, "{method}");
        if status == 200 {
            assert_eq!(response.headers()["content-type"], "application/json");
            assert_eq!(response.headers()["content-length"], length);
            assert_eq!(response.headers()["cache-control"], "public, max-age=3600");
        } else {
            assert_eq!(response.headers()["allow"], "GET, HEAD");
        }
    }
}

#[tokio::test]
async fn an_axum_router_serves_it() {
    let metadata = ResourceMetadata::builder("https://api.example.com/v1").build().unwrap();
    let router = axum::Router::new().route_service(metadata.path(), metadata.service());
    let request = |path| Request::get(path).body(axum::body::Body::empty()).unwrap();

    let response = router.clone().oneshot(request(metadata.path())).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
    assert_eq!(body, metadata.json());

    let response = router.oneshot(request("/.well-known/oauth-protected-resource")).await.unwrap();
    assert_eq!(response.status(), 404);
}

#[test]
fn other_bodies_are_possible() {
    let metadata = ResourceMetadata::builder("https://api.example.com").build().unwrap();
    let service = metadata.service_with_body::<axum::body::Body>();
    assert!(format!("{:?}", service.clone()).contains("ResourceMetadataService"));
}
