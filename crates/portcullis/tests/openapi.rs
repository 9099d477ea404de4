//! The `security` part of an OpenAPI document.
#![cfg(feature = "utoipa")]
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use http::Method;
use portcullis::{
    AccessTable,
    access_table::RouteMethod,
    openapi::OpenApiSecurity,
    requirement::{any, role, scope},
};
use serde_json::{Value, json};
use utoipa::{
    Modify,
    openapi::{
        OpenApi, OpenApiBuilder, PathItem, PathsBuilder,
        path::{HttpMethod, Operation},
    },
};

fn document(operations: &[(HttpMethod, &str)]) -> OpenApi {
    let paths = operations.iter().fold(PathsBuilder::new(), |paths, (method, path)| {
        paths.path(*path, PathItem::new(method.clone(), Operation::new()))
    });
    OpenApiBuilder::new().paths(paths).build()
}

fn modified(security: &OpenApiSecurity, mut document: OpenApi) -> Value {
    security.modify(&mut document);
    serde_json::to_value(&document).unwrap()
}

#[test]
fn each_scheme_says_what_a_client_has_to_present() {
    for (security, name, expected) in [
        (OpenApiSecurity::bearer(), "bearer", json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})),
        (
            OpenApiSecurity::opaque_bearer("acme_…"),
            "api_token",
            json!({"type": "http", "scheme": "bearer", "bearerFormat": "acme_…"}),
        ),
        (
            OpenApiSecurity::api_key("x-api-key"),
            "api_key",
            json!({"type": "apiKey", "in": "header", "name": "x-api-key"}),
        ),
        (
            OpenApiSecurity::open_id_connect("https://login.example.com/").named("login"),
            "login",
            json!({
                "type": "openIdConnect",
                "openIdConnectUrl": "https://login.example.com/.well-known/openid-configuration",
            }),
        ),
    ] {
        let document = modified(&security, document(&[(HttpMethod::Get, "/")]));
        assert_eq!(document["components"]["securitySchemes"], json!({ name: expected }));
        assert_eq!(document["paths"]["/"]["get"].get("security"), None, "without a table, no route is described");
    }
}

#[test]
fn operations_have_the_security_of_their_route() {
    let table = AccessTable::new()
        .public(Method::GET, "/health")
        .authenticated(Method::GET, "/me")
        .require(Method::POST, "/orders", scope("orders:write").and(role("clerk")))
        .require(RouteMethod::ANY, "/orders", scope("orders:read"))
        .require(Method::GET, "/files/{*path}", scope("files"));
    let security = OpenApiSecurity::bearer().table(&table);
    let document = document(&[
        (HttpMethod::Get, "/health"),
        (HttpMethod::Get, "/me"),
        (HttpMethod::Post, "/orders"),
        (HttpMethod::Patch, "/orders"),
        (HttpMethod::Get, "/files/{path}"),
        (HttpMethod::Post, "/me"),
        (HttpMethod::Get, "/unlisted"),
    ]);
    let document = modified(&security, document);
    let of = |path: &str, method: &str| document["paths"][path][method].get("security").cloned();
    assert_eq!(of("/health", "get"), Some(json!([])));
    assert_eq!(of("/me", "get"), Some(json!([{ "bearer": [] }])));
    assert_eq!(of("/orders", "post"), Some(json!([{ "bearer": ["orders:write"] }])));
    assert_eq!(of("/orders", "patch"), Some(json!([{ "bearer": ["orders:read"] }])));
    assert_eq!(of("/files/{path}", "get"), Some(json!([{ "bearer": ["files"] }])));
    assert_eq!(of("/me", "post"), None, "another method of a listed path");
    assert_eq!(of("/unlisted", "get"), None);
}

#[test]
fn a_document_never_asks_for_more_than_the_route() {
    let (read, write, admin) = (|| scope("read"), || scope("write"), || scope("admin"));
    for (requirement, needed) in [
        (read().and(write()), vec!["read", "write"]),
        (read().or(admin()), vec![]),
        (read().and(write().or(admin())), vec!["read"]),
        (read().and(write()).or(read().and(admin())), vec!["read"]),
        (!admin(), vec![]),
        (read().and(read()).named("twice"), vec!["read"]),
        (any([]), vec![]),
    ] {
        assert_eq!(requirement.needed_scopes(), needed, "{requirement}");
        let table = AccessTable::new().require(Method::GET, "/", requirement);
        let document = modified(&OpenApiSecurity::bearer().table(&table), document(&[(HttpMethod::Get, "/")]));
        assert_eq!(document["paths"]["/"]["get"]["security"], json!([{ "bearer": needed }]));
    }
}

/// As the layer finds it: `HEAD` is served by `GET`, and a parameter may have another name in the document.
#[test]
fn operations_find_their_route_as_requests_do() {
    let table = AccessTable::new()
        .require(Method::GET, "/orders/{id}", scope("orders:read"))
        .public(RouteMethod::ANY, "/orders/{id}")
        .require(Method::GET, "/orders/{id}/items", scope("items:read"));
    let operations = [
        (HttpMethod::Head, "/orders/{order_id}"),
        (HttpMethod::Post, "/orders/{order_id}"),
        (HttpMethod::Get, "/orders/latest"),
        (HttpMethod::Get, "/orders/{order_id}/items"),
    ];
    let document = modified(&OpenApiSecurity::bearer().table(&table), document(&operations));
    let of = |path: &str, method: &str| document["paths"][path][method].get("security").cloned();
    assert_eq!(of("/orders/{order_id}", "head"), Some(json!([{ "bearer": ["orders:read"] }])));
    assert_eq!(of("/orders/{order_id}", "post"), Some(json!([])));
    assert_eq!(of("/orders/latest", "get"), None, "a literal segment is another route");
    assert_eq!(of("/orders/{order_id}/items", "get"), Some(json!([{ "bearer": ["items:read"] }])));
}
