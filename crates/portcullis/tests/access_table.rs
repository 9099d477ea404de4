//! Tests the table of routes: as a list, as a guard, and that it matches the same routes as the router.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

#[path = "../../../tests/tests/support/seed.rs"]
mod seed;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::MatchedPath,
    response::Response,
    routing::{any, get},
};
use http::{Method, Request, StatusCode, Uri};
use portcullis::{
    AccessTable, AuthError, AuthLayer, Code,
    access_table::{AccessLayer, RouteMethod},
    authenticator::{Attempt, Authenticator, Credential, Proven},
    rejection::GrpcStatus,
    requirement::{check_async, claim, eq, param, role_at, scope},
    verified::{Conventions, Facts, NoCustom},
};
use proptest::{
    prelude::{ProptestConfig, Strategy, proptest},
    test_runner::RngSeed,
};
use tower::ServiceExt;

/// An authenticator whose tokens are the granted scopes, with dots for spaces. It refuses the token `bad`.
#[derive(Debug)]
struct Scopes;

impl Authenticator for Scopes {
    type Custom = NoCustom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven> {
        if credential.token() == "bad" {
            return Attempt::Done(Err(Code::SignatureInvalid.into()));
        }
        let claims = format!(r#"{{"scope":"{}","tenant":"acme"}}"#, credential.token().replace('.', " "));
        let facts = Facts::assertion(claims, Conventions::new("https://issuer.example")).unwrap();
        Attempt::Done(Ok(Proven::new(facts, NoCustom)))
    }
}

async fn call(app: &Router, method: Method, uri: &str, token: Option<&str>) -> Response {
    let mut request = Request::builder().method(method).uri(uri);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn status(app: &Router, method: Method, uri: &str, token: Option<&str>) -> u16 {
    call(app, method, uri, token).await.status().as_u16()
}

fn table() -> AccessTable {
    AccessTable::new()
        .public(Method::GET, "/health")
        .authenticated(Method::GET, "/me")
        .require(Method::GET, "/orders/{id}", scope("read"))
        .require(Method::PUT, "/orders/{id}", scope("write"))
        .require(Method::GET, "/tenants/{tenant}", claim("/tenant", eq(param("tenant"))))
        .require(RouteMethod::ANY, "/files/{*path}", scope("files"))
}

fn app(layer: AccessLayer) -> Router {
    let ok = || async { "in" };
    Router::new()
        .route("/health", get(ok).post(ok))
        .route("/me", get(ok))
        .route("/orders/{id}", get(ok).put(ok).delete(ok))
        .route("/tenants/{tenant}", get(ok))
        .route("/files/{*path}", any(ok))
        .route("/unlisted", get(ok))
        .layer(layer)
        .layer(AuthLayer::new(Scopes).optional())
}

#[tokio::test]
async fn each_route_is_decided_by_its_own_line() {
    let app = app(table().layer_with(matched_path).unwrap());
    let (get, put, post) = (Method::GET, Method::PUT, Method::POST);
    let rows = [
        (&get, "/health", None, 200),
        (&get, "/health", Some("read"), 200),
        (&get, "/health", Some("bad"), 401),
        (&get, "/me", Some("read"), 200),
        (&get, "/me", None, 401),
        (&get, "/orders/7", Some("read"), 200),
        (&get, "/orders/7", Some("write"), 403),
        (&get, "/orders/7", None, 401),
        (&put, "/orders/7", Some("write"), 200),
        (&put, "/orders/7", Some("read"), 403),
        (&get, "/tenants/acme", Some("x"), 200),
        (&get, "/tenants/%61cme", Some("x"), 200),
        (&get, "/tenants/globex", Some("x"), 403),
        (&get, "/tenants/%FF", Some("x"), 403),
        (&get, "/tenants/%FF", None, 401),
        (&post, "/files/a/b", Some("files"), 200),
        (&get, "/files/a", Some("read"), 403),
    ];
    for (method, uri, token, expected) in rows {
        assert_eq!(status(&app, method.clone(), uri, token).await, expected, "{method} {uri} {token:?}");
    }
}

#[tokio::test]
async fn an_unlisted_route_is_refused() {
    let app = app(table().layer_with(matched_path).unwrap());
    for (method, uri) in [
        (Method::GET, "/unlisted"),
        (Method::DELETE, "/orders/7"),
        (Method::POST, "/health"),
        (Method::GET, "/nowhere"),
    ] {
        let response = call(&app, method.clone(), uri, None).await;
        assert_eq!(response.extensions().get(), Some(&Code::CredentialMissing), "{method} {uri}");
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let response = call(&app, method.clone(), uri, Some("read.write.files")).await;
        assert_eq!(response.extensions().get(), Some(&Code::RequirementNotMet), "{method} {uri}");
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn head_is_decided_like_get_unless_it_is_listed() {
    let app_of = |table: AccessTable| app(table.layer_with(matched_path).unwrap());
    let app = app_of(table());
    assert_eq!(status(&app, Method::HEAD, "/orders/7", Some("read")).await, 200);
    assert_eq!(status(&app, Method::HEAD, "/orders/7", Some("write")).await, 403);
    let app = app_of(table().require(Method::HEAD, "/orders/{id}", scope("head")));
    assert_eq!(status(&app, Method::HEAD, "/orders/7", Some("head")).await, 200);
    assert_eq!(status(&app, Method::HEAD, "/orders/7", Some("read")).await, 403);
    let app = app_of(AccessTable::new().require(Method::PUT, "/orders/{id}", scope("write")));
    assert_eq!(status(&app, Method::HEAD, "/orders/7", Some("write")).await, 403);
}

#[tokio::test]
async fn any_covers_the_methods_that_are_not_listed() {
    let table = AccessTable::new().public(Method::GET, "/files/{*path}").require(
        RouteMethod::ANY,
        "/files/{*path}",
        scope("files"),
    );
    let app = app(table.layer_with(matched_path).unwrap());
    assert_eq!(status(&app, Method::GET, "/files/a", None).await, 200);
    assert_eq!(status(&app, Method::DELETE, "/files/a", None).await, 401);
    assert_eq!(status(&app, Method::DELETE, "/files/a", Some("files")).await, 200);
}

#[tokio::test]
async fn a_preflight_has_no_caller_and_is_refused_like_one() {
    let app = app(table().layer_with(matched_path).unwrap());
    let options = || Request::options("/orders/7").header("origin", "https://app.example");
    let preflight = options().header("access-control-request-method", "PUT").body(Body::empty()).unwrap();
    assert_eq!(app.clone().oneshot(preflight).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let other = options().body(Body::empty()).unwrap();
    assert_eq!(app.oneshot(other).await.unwrap().status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn without_a_layer_in_front_only_public_routes_are_reached() {
    let app = Router::new()
        .route("/health", get(async || "in"))
        .route("/me", get(async || "in"))
        .layer(table().layer_with(matched_path).unwrap());
    assert_eq!(status(&app, Method::GET, "/health", None).await, 200);
    assert_eq!(status(&app, Method::GET, "/me", None).await, 500);
    assert_eq!(status(&app, Method::GET, "/nowhere", None).await, 500);
}

#[tokio::test]
async fn a_decision_may_take_time_and_answers_may_differ() {
    let later = check_async("later", async |caller: portcullis::verified::AnyVerified| caller.has_scope("read"));
    let layer = AccessTable::new().require(Method::GET, "/me", later).layer().unwrap();
    let app_ = app(layer.clone());
    assert_eq!(status(&app_, Method::GET, "/me", Some("read")).await, 200);
    assert_eq!(status(&app_, Method::GET, "/me", Some("write")).await, 403);
    let grpc = Router::new()
        .route("/me", get(async || "in"))
        .layer(layer.rejection(GrpcStatus::new()))
        .layer(AuthLayer::new(Scopes).optional());
    let response = call(&grpc, Method::GET, "/me", Some("write")).await;
    assert_eq!(response.headers()["grpc-status"], "7");
    let own = |error: &AuthError| Response::new(Body::from(error.code().as_str()));
    let app = Router::new().layer(AccessTable::new().layer().unwrap().rejection(own));
    assert_eq!(status(&app, Method::GET, "/", None).await, 200);
}

#[test]
fn a_test_can_compare_the_list_of_routes() {
    let expected = r#"METHOD  PATH               REQUIREMENT
GET     /health            public
GET     /me                authenticated
GET     /orders/{id}       scope("read")
PUT     /orders/{id}       scope("write")
GET     /tenants/{tenant}  claim("/tenant") == param("tenant")
ANY     /files/{*path}     scope("files")"#;
    assert_eq!(table().to_string(), expected);
    let public: Vec<_> = table()
        .routes()
        .filter(|route| route.access().to_string() == "public")
        .map(|route| route.path().to_owned())
        .collect();
    assert_eq!(public, ["/health"]);
    assert_eq!(AccessTable::new().to_string(), "METHOD  PATH  REQUIREMENT");
}

#[tokio::test]
async fn tables_are_merged_and_nested_like_routers() {
    let orders = || AccessTable::new().public(Method::GET, "/").require(Method::GET, "/{id}", scope("read"));
    let routes = || Router::new().route("/", get(async || "in")).route("/{id}", get(async || "in"));
    let table = AccessTable::new()
        .merge(AccessTable::new().public(Method::GET, "/"))
        .nest("/orders", &orders())
        .nest("/v2/", &orders());
    let paths: Vec<_> = table.routes().map(|route| route.path().to_owned()).collect();
    assert_eq!(paths, ["/", "/orders", "/orders/{id}", "/v2/", "/v2/{id}"]);
    let app = Router::new()
        .route("/", get(async || "in"))
        .nest("/orders", routes())
        .nest("/v2/", routes())
        .layer(table.layer_with(matched_path).unwrap())
        .layer(AuthLayer::new(Scopes).optional());
    for (uri, anonymous, reader) in [
        ("/", 200, 200),
        ("/orders", 200, 200),
        ("/orders/1", 401, 200),
        ("/orders/", 401, 403),
        ("/v2/", 200, 200),
        ("/v2/1", 401, 200),
        ("/v2", 401, 403),
    ] {
        assert_eq!(status(&app, Method::GET, uri, None).await, anonymous, "{uri}");
        assert_eq!(status(&app, Method::GET, uri, Some("read")).await, reader, "{uri}");
    }
}

#[test]
fn every_problem_is_reported_at_start() {
    let table = AccessTable::new()
        .public(Method::GET, "/a")
        .authenticated(Method::GET, "/a")
        .public(Method::GET, "no-slash")
        .public(Method::GET, "/{open")
        .public(Method::GET, "/:old")
        .public(Method::GET, "/b/{x}")
        .public(Method::PUT, "/b/{y}")
        .require(Method::GET, "/c/{x}", claim("/a", eq(param("y"))))
        .require(Method::GET, "/d/{x}", role_at("/grants/{z}", "admin"))
        .require(Method::GET, "/e", scope("a b"));
    let error = table.layer_with(matched_path).unwrap_err();
    let problems: Vec<_> = error.problems().collect();
    let parts = [
        "GET /a is listed twice",
        "no-slash",
        "/{open",
        "/:old",
        r#""/c/{x}" lacks"#,
        r#""/d/{x}" lacks"#,
        r#"scope("a b")"#,
        "/b/{y}",
    ];
    for part in parts {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part} in {error}");
    }
    assert_eq!(problems.len(), parts.len(), "{error}");
    assert!(self::table().layer_with(matched_path).is_ok());
}

// ----- no request is decided by the line of another route

const TEMPLATES: [&str; 9] = [
    "/admin",
    "/admin/",
    "/{page}",
    "/admin/{id}",
    "/admin/users",
    "/files/{*path}",
    "/a-{x}",
    "/{{admin}}",
    "/%61dmin/x",
];

fn matched_path(extensions: &http::Extensions) -> Option<&str> {
    extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

/// Returns a router whose handlers answer with the template that was matched.
fn telling() -> Router {
    let tell = |path: MatchedPath| async move { path.as_str().to_owned() };
    TEMPLATES.iter().fold(Router::new(), |router, template| router.route(template, get(tell)))
}

/// Returns a table in which each template requires another scope.
fn scoped() -> AccessTable {
    TEMPLATES.iter().enumerate().fold(AccessTable::new(), |table, (place, template)| {
        table.require(Method::GET, *template, scope(format!("s{place}")))
    })
}

async fn told(app: &Router, uri: &str, token: &str) -> Option<String> {
    let response = call(app, Method::GET, uri, Some(token)).await;
    let in_ = response.status() == StatusCode::OK;
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    in_.then(|| String::from_utf8(body.to_vec()).unwrap())
}

async fn assert_reached_by_its_own_line_only(uri: &str) {
    let routed = told(&telling(), uri, "x").await;
    let unaware = scoped().danger_layer_without_matched_path().unwrap();
    for layer in [unaware, scoped().layer_with(matched_path).unwrap()] {
        let guarded = telling().layer(layer).layer(AuthLayer::new(Scopes));
        for (place, template) in TEMPLATES.iter().enumerate() {
            let reached = told(&guarded, uri, &format!("s{place}")).await;
            let expected = routed.clone().filter(|routed| routed == template);
            assert_eq!(reached, expected, "{uri} with the scope of {template}");
        }
    }
}

#[tokio::test]
async fn disguised_paths_match_the_same_route_as_in_the_router() {
    for uri in [
        "/admin",
        "/admin/",
        "//admin",
        "/admin//",
        "/./admin",
        "/admin/.",
        "/x/../admin",
        "/%61dmin",
        "/%61dmin/x",
        "/%2561dmin",
        "/ADMIN",
        "/admin;x",
        "/admin?x",
        "/admin%2Fusers",
        "/admin/users",
        "/admin/users/",
        "/admin/%75sers",
        "/admin\\users",
        "/files/",
        "/files//",
        "/files/../admin",
        "/files/%2e%2e/admin",
        "/a-",
        "/a-b",
        "/{admin}",
        "/%7Badmin%7D",
        "/admin%00",
        "http://other.example/admin",
        "/",
        "*",
        "/admin%20",
        "/.",
        "/..",
        "/é",
    ] {
        if uri.parse::<Uri>().is_ok() {
            assert_reached_by_its_own_line_only(uri).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(seed::seed()), ..ProptestConfig::default() })]

    #[test]
    fn any_path_matches_the_same_route_as_in_the_router(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "/", "/", "/", "admin", "%61dmin", "users", "files", ".", "..", "%2F", "%2e", "a-", "x", "{admin}", ";", "%",
            ]),
            1..8,
        ).prop_map(|parts| format!("/{}", parts.concat()))
    ) {
        if parts.parse::<Uri>().is_ok() {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(assert_reached_by_its_own_line_only(&parts));
        }
    }
}

#[tokio::test]
async fn a_route_that_only_the_router_has_is_found_by_the_matched_path() {
    let table = AccessTable::new().require(Method::GET, "/orders/{id}", scope("read"));
    let app = |layer: AccessLayer| {
        let routes =
            Router::new().route("/orders/{id}", get(async || "order")).route("/orders/export", get(async || "all"));
        routes.layer(layer).layer(AuthLayer::new(Scopes))
    };
    // As documented, the table alone matches `/orders/{id}`.
    let unaware = app(table.danger_layer_without_matched_path().unwrap());
    assert_eq!(status(&unaware, Method::GET, "/orders/export", Some("read")).await, 200);
    let aware = app(table.layer_with(matched_path).unwrap());
    assert_eq!(status(&aware, Method::GET, "/orders/export", Some("read")).await, 403);
    assert_eq!(status(&aware, Method::GET, "/orders/7", Some("read")).await, 200);
}

#[tokio::test]
async fn a_fallback_is_reached_through_a_template_that_covers_it_and_never_by_the_matched_path() {
    let table = AccessTable::new().public(RouteMethod::ANY, "/{*path}");
    let app = |layer: AccessLayer| {
        Router::new().fallback(async || "fallback").layer(layer).layer(AuthLayer::new(Scopes).optional())
    };
    assert_eq!(status(&app(table.danger_layer_without_matched_path().unwrap()), Method::GET, "/x", None).await, 200);
    let aware = app(table.layer_with(matched_path).unwrap());
    assert_eq!(status(&aware, Method::GET, "/x", None).await, 401);
}

/// Row T9: a public template must not open a route that was not listed by mistake.
#[tokio::test]
async fn row_t9_a_forgotten_route_is_refused_although_a_public_template_covers_it() {
    let table = AccessTable::new().public(Method::GET, "/{page}").public(Method::GET, "/health");
    let app = |layer: AccessLayer| {
        let routes =
            Router::new().route("/{page}", get(async || "a page")).route("/admin", get(async || "all secrets"));
        routes.layer(layer).layer(AuthLayer::new(Scopes).optional())
    };
    let guarded = app(table.layer_with(matched_path).unwrap());
    assert_eq!(status(&guarded, Method::GET, "/admin", None).await, 401);
    assert_eq!(status(&guarded, Method::GET, "/about", None).await, 200);

    let error = table.layer().unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    assert!(error.to_string().contains("/{page}") && error.to_string().contains("layer_with"), "{error}");
    assert!(AccessTable::new().public(Method::GET, "/{*rest}").layer().is_err());
    assert!(AccessTable::new().public(Method::GET, "/health").public(Method::GET, "/{{x}}").layer().is_ok());
    // The dangerous method still allows it.
    let open = app(table.danger_layer_without_matched_path().unwrap());
    assert_eq!(status(&open, Method::GET, "/admin", None).await, 200);
}
