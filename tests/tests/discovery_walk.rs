//! The walk of a client that knows only the URL of a service, as those of the Model Context Protocol make it: from the first 401 to a token, over real
//! connections.
#![cfg(test)]

#[path = "support/wire.rs"]
mod wire;

use aws_lc_rs::digest;
use axum::{
    Router,
    extract::RawQuery,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, header};
use portcullis::{
    Algorithm, AuthLayer, Claims, JwtAuthenticator, RemoteKeys, RequireLayer, TrustedIssuer,
    clock::{Clock, SystemClock},
    metadata::ResourceMetadata,
    policy::TokenSpec,
    requirement::scope,
};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    records::MemoryRecordStore,
    refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions},
    server::{AuthorizationError, AuthorizationServer, Client, ClientList, Decision, Denial, Visitor},
};
use portcullis_store::{MemoryLog, Revocations};
use serde_json::Value;
use tokio::task::JoinSet;
use wire::{Answer, encoded, listen, pair, send};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "http://127.0.0.1:1/callback";

#[tokio::test]
async fn a_client_finds_its_way_from_the_first_401_to_a_token_and_on_to_a_wider_one() {
    for path in ["", "/tenant1", "/a/b"] {
        walk(path).await;
    }
}

/// The walk, with an issuer that has this path.
async fn walk(path: &str) {
    let world = World::start(path).await;
    // 1. Without a credential: no error, but where to go, and what to ask for.
    let refused = send(Request::get(&world.resource), "").await;
    assert_eq!(refused.status, 401);
    let challenge = refused.header("www-authenticate");
    assert!(!challenge.contains("error"), "{challenge}");
    assert_eq!(parameter(&challenge, "scope"), "tools:list");
    // 2. The metadata of the resource, which has to be about the URL that was called (RFC 9728 section 3.3).
    let metadata = get_json(&parameter(&challenge, "resource_metadata")).await;
    assert_eq!(metadata["resource"], *world.resource);
    let issuer = metadata["authorization_servers"][0].as_str().unwrap();
    // 3. The metadata of the authorization server, by each of the ways that clients try.
    let host = issuer.strip_suffix(path).unwrap();
    let ways = [
        format!("{host}/.well-known/oauth-authorization-server{path}"),
        format!("{host}/.well-known/openid-configuration{path}"),
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{host}/.well-known/oauth-authorization-server"),
    ];
    let mut found = Vec::new();
    for way in ways {
        found.push(get_json(&way).await);
    }
    assert!(found.iter().all(|each| each == &found[0] && each["issuer"] == issuer), "{found:?}");
    let server = &found[0];
    assert_eq!(server["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(server["authorization_response_iss_parameter_supported"], true);
    // 4. The code flow, with the resource named.
    let token = obtain(server, &world.resource, "tools:list").await;
    let listed = call(&world.resource, &token).await;
    assert_eq!((listed.status, &*listed.body), (200, "alice"));
    // 5. A tool that needs more: the answer says what, and a wider token is asked for.
    let tool = format!("{}/delete", world.resource);
    let refused = call(&tool, &token).await;
    assert_eq!(refused.status, 403);
    let challenge = refused.header("www-authenticate");
    assert_eq!(parameter(&challenge, "error"), "insufficient_scope");
    let wider = format!("tools:list {}", parameter(&challenge, "scope"));
    assert_eq!(call(&tool, &obtain(server, &world.resource, &wider).await).await.status, 200);
    // A token for another service is refused here, though the same server has issued it.
    let other = obtain(server, "https://other.test", "tools:list").await;
    assert_eq!(call(&world.resource, &other).await.status, 401);
}

/// The code flow with PKCE, as a public client. The page says yes by itself.
async fn obtain(server: &Value, resource: &str, scopes: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    let query = encoded(&[
        ("response_type", "code"),
        ("client_id", "agent"),
        ("redirect_uri", CALLBACK),
        ("state", "s-1"),
        ("scope", scopes),
        ("resource", resource),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let url = format!("{}?{query}", server["authorization_endpoint"].as_str().unwrap());
    let answer = send(Request::get(url), "").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let location = answer.header("location");
    let parameters: Vec<(String, String)> = location.split_once('?').unwrap().1.split('&').map(pair).collect();
    let find = |name: &str| parameters.iter().find(|(known, _)| known == name).unwrap().1.clone();
    // The mix-up defence of RFC 9207.
    assert_eq!((find("state"), find("iss")), ("s-1".to_owned(), server["issuer"].as_str().unwrap().to_owned()));
    let body = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", "agent"),
        ("code", &find("code")),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
        ("resource", resource),
    ]);
    let request = Request::post(server["token_endpoint"].as_str().unwrap());
    let answer = send(request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str::<Value>(&answer.body).unwrap()["access_token"].as_str().unwrap().to_owned()
}

struct World {
    resource: String,
    _servers: JoinSet<()>,
}

impl World {
    async fn start(path: &str) -> Self {
        let mut servers = JoinSet::new();
        let (issuer_listener, resource_listener) = (listen().await, listen().await);
        let issuer = format!("http://{}{path}", issuer_listener.local_addr().unwrap());
        let resource = format!("http://{}/mcp", resource_listener.local_addr().unwrap());
        let server = server(&issuer, &resource).await;
        let routes = server.routes();
        let app = Router::new().route(&format!("{path}/authorize"), get(move |query| authorize(server, query)));
        let app = app.fallback_service(routes);
        servers.spawn(async move { axum::serve(issuer_listener, app).await.unwrap() });
        let service = service(&issuer, &resource);
        servers.spawn(async move { axum::serve(resource_listener, service).await.unwrap() });
        Self { resource, _servers: servers }
    }
}

/// The service, which knows only the issuer's URL.
fn service(issuer: &str, resource: &str) -> Router {
    let keys = RemoteKeys::discover(issuer).start().unwrap();
    let metadata = ResourceMetadata::builder(resource).authorization_server(issuer).build().unwrap();
    let authenticator = JwtAuthenticator::new(TrustedIssuer::new(issuer, keys).audience(resource)).unwrap();
    let auth = AuthLayer::new(authenticator).resource_metadata(metadata.url().to_owned()).scope("tools:list");
    Router::new()
        .route("/mcp", get(who).layer(RequireLayer::new(scope("tools:list"))))
        .route("/mcp/delete", get(who).layer(RequireLayer::new(scope("tools:delete"))))
        .layer(auth)
        .route_service(metadata.path(), metadata.service())
}

async fn who(claims: Claims) -> String {
    claims.subject().unwrap_or_default().to_owned()
}

async fn server(issuer: &str, resource: &str) -> AuthorizationServer {
    let spec = TokenSpec::new(issuer).audience(resource).audience("https://other.test");
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let tokens = TokenIssuer::new(spec, key.clone()).unwrap();
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(std::time::Duration::from_secs(10)).await.unwrap();
    let refresh_keys = RefreshKeys::new(1, [7; 32]).unwrap();
    let sessions = Sessions::new(tokens, MemoryRefreshStore::new(), refresh_keys, revocations, DangerUncheckedSubjects);
    let agent = Client::public("agent").redirect_uri(CALLBACK).scope("tools:list tools:delete");
    let agent = agent.resource(resource).resource("https://other.test");
    AuthorizationServer::builder(sessions, key, MemoryRecordStore::new(), ClientList::new([agent]).unwrap())
        .authorization_endpoint(format!("{issuer}/authorize"))
        .build()
        .unwrap()
}

/// A page on which Alice says yes.
async fn authorize(server: AuthorizationServer, RawQuery(query): RawQuery) -> Result<Response, AuthorizationError> {
    let request = server.authorization_request(&query.unwrap_or_default()).await?;
    let alice = Visitor::new("alice", "the id of a session", SystemClock.now());
    let answer = match request.decide(Some(&alice)).await? {
        Decision::Ask(question) => {
            let question = server.resume_question(question.ticket(), &alice).await?;
            question.allow(question.request().scopes().map(str::to_owned)).await?
        }
        Decision::Grant(permitted) => permitted.grant().await?,
        _ => request.deny(Denial::LoginRequired),
    };
    Ok(answer.into_response())
}

async fn call(url: &str, token: &str) -> Answer {
    send(Request::get(url).header(header::AUTHORIZATION, format!("Bearer {token}")), "").await
}

async fn get_json(url: &str) -> Value {
    let answer = send(Request::get(url), "").await;
    assert_eq!((answer.status, &*answer.header("content-type")), (200, "application/json"), "{url}");
    serde_json::from_str(&answer.body).unwrap()
}

/// A parameter of a challenge.
fn parameter(challenge: &str, name: &str) -> String {
    let (_, rest) = challenge.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {challenge:?}"));
    rest.split('"').next().unwrap().to_owned()
}
