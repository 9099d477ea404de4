//! An authorization server on this machine, its pages, and a client of each kind.

use axum::{
    Router,
    extract::{Query, RawQuery, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use portcullis::{
    Algorithm, KeySet,
    clock::{Clock, SystemClock},
    policy::TokenSpec,
};
use portcullis_issuer::{
    SigningKey, TokenIssuer,
    documents::GrantType,
    records::MemoryRecordStore,
    refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions},
    server::{
        AuthorizationError, AuthorizationServer, Client, ClientList, ClientSecret, Decision, Denial, ExchangePolicy,
        OAuthError, OpenDeviceRequest, ResourceServer, Visitor,
    },
};
use portcullis_store::{MemoryLog, Revocations};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinSet};

/// Nothing listens there: a browser would be sent there with a code.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:1/callback";
pub(crate) const ORDERS: &str = "https://orders.test";
pub(crate) const BILLS: &str = "https://bills.test";
/// With all characters that a client has to encode in the `Authorization` header (RFC 6749 section 2.3.1), or that a form would change.
pub(crate) const SECRET: &str = "a secret + %20 with:odd&characters=~!*'()/\u{e9}";
/// So is this a name that has to be encoded.
pub(crate) const WORKER: &str = "https://worker.test:8443/about";

pub(crate) struct World {
    issuer: String,
    robot: SigningKey,
    _server: JoinSet<()>,
}

impl World {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        Self::start_at(listener, issuer).await
    }

    /// Starts one that clients find at this issuer: a proxy that passes on what comes.
    pub(crate) async fn start_at(listener: TcpListener, issuer: String) -> Self {
        let robot = SigningKey::generate(Algorithm::Es256).unwrap();
        let server = server(&issuer, &robot).await;
        let routes = server.routes();
        let app = Router::new().route("/authorize", get(authorize)).route("/device", get(device)).with_state(server);
        // Where nothing is said about caches.
        let app = app.route("/silent", post(async || "")).fallback_service(routes);
        let mut tasks = JoinSet::new();
        tasks.spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { issuer, robot, _server: tasks }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What a program needs to know.
    pub(crate) fn facts(&self) -> Value {
        let key = self.robot.to_pem().unwrap();
        json!({
            "issuer": self.issuer,
            "resource": ORDERS,
            "other": BILLS,
            "callback": CALLBACK,
            "page": { "id": "page" },
            "server": { "id": "server", "secret": SECRET },
            "worker": { "id": WORKER, "secret": SECRET },
            "robot": { "id": "robot", "key": &*key, "kid": self.robot.id() },
            "device": { "id": "cli" },
            "service": { "id": "orders", "secret": SECRET },
        })
    }
}

async fn server(issuer: &str, robot: &SigningKey) -> AuthorizationServer {
    let spec = TokenSpec::new(issuer).audience(ORDERS).audience(BILLS);
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let tokens = TokenIssuer::new(spec, key.clone()).unwrap();
    let revocations = Revocations::builder(MemoryLog::new()).start().unwrap();
    revocations.require(std::time::Duration::from_secs(10)).await.unwrap();
    let refresh_keys = RefreshKeys::new(1, [7; 32]).unwrap();
    let view = revocations.view().clone();
    let sessions = Sessions::new(tokens, MemoryRefreshStore::new(), refresh_keys, revocations, DangerUncheckedSubjects);
    let sessions = sessions.revocations(&view).unwrap();
    let clients = ClientList::new(clients(robot)).unwrap();
    AuthorizationServer::builder(sessions, key, MemoryRecordStore::new(), clients)
        .authorization_endpoint(format!("{issuer}/authorize"))
        .verification_page(format!("{issuer}/device"))
        .advertised_scope("orders:read orders:write")
        .resource_server(ResourceServer::with_secret(ORDERS, ClientSecret::from_secret(SECRET).unwrap()).id("orders"))
        .build()
        .unwrap()
}

fn clients(robot: &SigningKey) -> Vec<Client> {
    let secret = || ClientSecret::from_secret(SECRET).unwrap();
    let may = |client: Client| client.scope("orders:read orders:write").resource(ORDERS).resource(BILLS);
    let robots_grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];
    let exchange = ExchangePolicy::new().tokens_for(ORDERS).resource(BILLS).scope("orders:read");
    let robots_keys = KeySet::from(robot.verifying_key());
    vec![
        may(Client::public("page").redirect_uri(CALLBACK)),
        may(Client::confidential("server", secret()).redirect_uri(CALLBACK)),
        may(Client::confidential(WORKER, secret()).grants([GrantType::ClientCredentials]).exchange(exchange)),
        may(Client::with_keys("robot", robots_keys).redirect_uri(CALLBACK).grants(robots_grants)),
        may(Client::public("cli").grants([GrantType::DeviceCode, GrantType::RefreshToken])),
    ]
}

/// Alice, who has just logged in.
fn alice() -> Visitor {
    Visitor::new("alice", "the id of a session", SystemClock.now())
}

/// The page of the authorization endpoint, on which Alice says yes.
async fn authorize(
    State(server): State<AuthorizationServer>,
    RawQuery(query): RawQuery,
) -> Result<Response, AuthorizationError> {
    let request = server.authorization_request(&query.unwrap_or_default()).await?;
    let answer = match request.decide(Some(&alice())).await? {
        Decision::Ask(question) => {
            let question = server.resume_question(question.ticket(), &alice()).await?;
            question.allow(question.request().scopes().map(str::to_owned)).await?
        }
        Decision::Grant(permitted) => permitted.grant().await?,
        Decision::Answer(answer) => answer,
        _ => request.deny(Denial::LoginRequired),
    };
    Ok(answer.into_response())
}

#[derive(Deserialize)]
struct Entered {
    user_code: String,
    says: String,
}

/// The page on which Alice enters the code of a device, and says yes or no.
async fn device(
    State(server): State<AuthorizationServer>,
    Query(entered): Query<Entered>,
) -> Result<String, OAuthError> {
    let request = server.device_request(&entered.user_code).await?.unwrap();
    let ticket = request.ticket(&alice()).await?;
    let answered: OpenDeviceRequest = server.resume_device(&ticket, &alice()).await?;
    if entered.says == "yes" {
        answered.allow(answered.request().scopes()).await?;
    } else {
        answered.deny().await?;
    }
    Ok(entered.says)
}
