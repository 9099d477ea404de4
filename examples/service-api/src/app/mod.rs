//! The routes, and who may use them.

mod login;
mod orders;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, MatchedPath, State},
    http::Method,
    routing::{get, post},
};
use portcullis::{
    AccessTable, Algorithm, AuthLayer, Claims, ConfigError, JwtAuthenticator, TrustedIssuer, UnixTime,
    requirement::{role, scope},
};
use serde_json::{Value, json};

pub(crate) use login::LoginDesk;

use crate::{config::TokenRules, secrets::Secrets};

/// The service: its routes, and the list of them to be printed.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) access: AccessTable,
}

impl App {
    /// Puts the service together.
    ///
    /// # Errors
    ///
    /// If the rules cannot be used.
    pub(crate) fn new(rules: &TokenRules, secrets: &Arc<Secrets>, desk: LoginDesk) -> Result<Self, ConfigError> {
        let (public_access, protected_access) = (public_access(), protected_access());
        let guard = protected_access
            .layer()?
            .matched_path(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str));
        let protected = protected_routes(secrets).route_layer(guard).route_layer(authentication(rules, secrets)?);

        // Beside the layer, not behind it: who comes to log in may still send the token that has expired.
        let router = public_routes(secrets, desk).merge(protected);
        Ok(Self { router, access: public_access.merge(protected_access) })
    }
}

fn public_access() -> AccessTable {
    AccessTable::new().public(Method::GET, "/health").public(Method::POST, "/login")
}

fn protected_access() -> AccessTable {
    AccessTable::new()
        .authenticated(Method::GET, "/me")
        .require(Method::GET, "/orders", scope("orders:read"))
        .require(Method::POST, "/orders", scope("orders:write"))
        .require(Method::GET, "/admin/secrets", role("admin"))
}

fn public_routes(secrets: &Arc<Secrets>, desk: LoginDesk) -> Router {
    let login = post(login::login).layer(DefaultBodyLimit::max(login::BODY_LIMIT)).with_state(Arc::new(desk));
    Router::new().route("/health", get(health).with_state(Arc::clone(secrets))).route("/login", login)
}

fn protected_routes(secrets: &Arc<Secrets>) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/orders", get(orders::list).post(orders::place))
        .route("/admin/secrets", get(secret_states).with_state(Arc::clone(secrets)))
}

/// Everything that is asked of a token, in one place.
///
/// A denylist and token versions come in here, as the authenticator's revocation view; routes and guards stay as they
/// are.
fn authentication(rules: &TokenRules, secrets: &Secrets) -> Result<AuthLayer, ConfigError> {
    let issuer = TrustedIssuer::new(&rules.issuer, &rules.audience, secrets.ring())
        .algorithms(Algorithm::Hs256)
        .leeway(rules.leeway);
    Ok(AuthLayer::new(JwtAuthenticator::new(issuer)?).realm("service-api"))
}

/// For probes, and for the runbook: the generation says whether a new list of secrets has been taken.
async fn health(State(secrets): State<Arc<Secrets>>) -> Json<Value> {
    Json(json!({ "status": "ok", "generation": secrets.generation() }))
}

async fn me(claims: Claims) -> Json<Value> {
    Json(json!({
        "subject": claims.subject(),
        "scopes": claims.scopes().iter().collect::<Vec<_>>(),
        "expires_at": claims.expires_at().map(UnixTime::as_secs),
    }))
}

/// Ids and states; never a secret.
async fn secret_states(State(secrets): State<Arc<Secrets>>) -> Json<Value> {
    let states = secrets.states().into_iter();
    let list: Vec<_> = states.map(|(id, state)| json!({ "id": id, "state": state.to_string() })).collect();
    Json(json!({ "generation": secrets.generation(), "secrets": list }))
}
