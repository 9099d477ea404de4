//! The server of notes with its authorization server, each on a port of its own.

use std::time::Duration;

use axum::{
    Router,
    extract::RawQuery,
    http::{Request, Response},
    response::IntoResponse,
    routing::get,
};
use portcullis::{
    Algorithm,
    clock::{Clock, SystemClock},
    policy::TokenSpec,
};
use portcullis_issuer::{
    AccessToken, SigningKey, TokenIssuer,
    records::MemoryRecordStore,
    refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions},
    server::{
        AuthorizationError, AuthorizationServer, Client, ClientList, Clients, Decision, Denial, MetadataDocuments,
        Visitor,
    },
};
use portcullis_jwks::{Fetch, FetchError, OutsideDocuments};
use portcullis_store::{MemoryLog, Revocations};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

pub(crate) const CALLBACK: &str = "http://127.0.0.1:1/callback";
pub(crate) const SCOPES: &str = "notes:list notes:read notes:write";
pub(crate) const OTHER: &str = "https://other.test";
/// A client whose id is the URL of a document about it.
pub(crate) const DOCUMENT: &str = "https://agent.example.com/client.json";

pub(crate) struct World {
    /// The URL of the server, all that a client knows.
    pub(crate) resource: String,
    tokens: TokenIssuer,
    _servers: JoinSet<()>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with_origins(&[]).await
    }

    /// With pages of these origins, which may call the server.
    pub(crate) async fn with_origins(origins: &[String]) -> Self {
        let (issuer_listener, resource_listener) = (listen().await, listen().await);
        let issuer = format!("http://{}", issuer_listener.local_addr().unwrap());
        let resource = format!("http://{}/mcp", resource_listener.local_addr().unwrap());
        let spec = TokenSpec::new(&*issuer).audience(&resource).audience(OTHER);
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let tokens = TokenIssuer::new(spec, key.clone()).unwrap();
        let server = authorization_server(tokens.clone(), key, &issuer, &resource).await;
        let routes = server.routes();
        let page = Router::new().route("/authorize", get(move |query| authorize(server, query)));
        let app = mcp_server::app(&issuer, &resource, origins).unwrap();
        let mut servers = JoinSet::new();
        servers.spawn(async move { axum::serve(issuer_listener, page.fallback_service(routes)).await.unwrap() });
        servers.spawn(async move { axum::serve(resource_listener, app).await.unwrap() });
        Self { resource, tokens, _servers: servers }
    }

    /// A token for a user, of another client.
    pub(crate) async fn token(&self, user: &str, audience: &str, scopes: &str) -> String {
        let token = AccessToken::for_user(user, "other").audience(audience).scope(scopes);
        self.tokens.mint(&token).await.unwrap().token().to_owned()
    }
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

async fn authorization_server(
    tokens: TokenIssuer,
    key: SigningKey,
    issuer: &str,
    resource: &str,
) -> AuthorizationServer {
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(Duration::from_secs(10)).await.unwrap();
    let refresh_keys = RefreshKeys::new(1, [7; 32]).unwrap();
    let sessions = Sessions::new(tokens, MemoryRefreshStore::new(), refresh_keys, revocations, DangerUncheckedSubjects);
    let agent = Client::public("agent").redirect_uri(CALLBACK).scope(SCOPES).resource(resource);
    let documents = MetadataDocuments::new(OutsideDocuments::new(Web)).scope(SCOPES).resource(resource);
    let clients = ClientList::new([agent]).unwrap().or(documents);
    AuthorizationServer::builder(sessions, key, MemoryRecordStore::new(), clients)
        .authorization_endpoint(format!("{issuer}/authorize"))
        .build()
        .unwrap()
}

/// A page on which Alice says yes to everything.
async fn authorize(
    server: AuthorizationServer,
    RawQuery(query): RawQuery,
) -> Result<axum::response::Response, AuthorizationError> {
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

/// Stands in for the Internet, where the client publishes its document.
#[derive(Clone, Debug)]
struct Web;

impl Fetch for Web {
    async fn fetch(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
        assert_eq!(request.uri(), DOCUMENT);
        let document = json!({
            "client_id": DOCUMENT,
            "client_name": "Walker",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "token_endpoint_auth_method": "none",
        });
        let response = Response::builder().header("content-type", "application/json");
        Ok(response.body(document.to_string().into_bytes()).unwrap())
    }
}
