//! The routes, and who may use them.

mod admin;
mod events;
mod health;
mod login;
mod logout;
mod orders;
mod problem;

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, MatchedPath},
    http::Method,
    routing::{get, post},
};
use portcullis::{
    AccessTable, Admission, Algorithm, AuthLayer, Claims, ConfigError, JwtAuthenticator, TrustedIssuer,
    access_table::{AccessLayer, RouteMethod},
    clock::UnixTime,
    requirement::{role, scope},
    revocation::{RevocationApi, WhenStale},
};
use portcullis_store::Revocations;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::{
    admin::AdminDesk,
    events::{EventDesk, events},
    orders::Orders,
};
pub(crate) use self::{login::LoginDesk, logout::Exit};
use crate::{config::TokenRules, secrets::Secrets, users::Users};

/// The service: its routes, and the list of them to be printed.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) router: Router,
    pub(crate) access: AccessTable,
}

/// What the service is put together from.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) rules: &'a TokenRules,
    pub(crate) users: Users,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) revocations: Revocations,
    pub(crate) login: LoginDesk,
    pub(crate) exit: Arc<Exit>,
    /// Turns true when the service is about to end.
    pub(crate) ending: watch::Receiver<bool>,
}

/// How long orders may still be read when it is not known what is revoked.
const STALE_READS: Duration = Duration::from_secs(60);

impl App {
    /// Puts the service together.
    ///
    /// # Errors
    ///
    /// If the rules cannot be used.
    pub(crate) fn new(parts: Parts<'_>) -> Result<Self, ConfigError> {
        let access = protected_access();
        let guard: AccessLayer =
            access.layer_with(|extensions| extensions.get::<MatchedPath>().map(MatchedPath::as_str))?;

        // While the log of revocations cannot be reached, any token may have been revoked. By default, requests are then
        // answered with 503: those that place orders, revoke or administer. Requests that read orders are served for a
        // while: at worst, a user can read orders for a minute after their access ended.
        let fail_closed = admission(&parts)?;
        let bounded = fail_closed.clone().when_stale(WhenStale::Bounded(STALE_READS));

        let orders = Orders::new();
        let protected = protected_routes(&parts, &fail_closed, &orders)
            .route_layer(guard.clone())
            .route_layer(authentication(fail_closed));
        let reads =
            Router::new().route("/orders", get(orders::list)).route_layer(guard).route_layer(authentication(bounded));

        // Beside the layers, not behind them: who comes to log in may still send the token that has expired.
        let router = public_routes(parts).merge(protected).merge(reads);
        Ok(Self { router, access: public_access().merge(access) })
    }
}

fn public_access() -> AccessTable {
    AccessTable::new().public(Method::GET, "/health").public(Method::GET, "/ready").public(Method::POST, "/login")
}

fn protected_access() -> AccessTable {
    AccessTable::new()
        .authenticated(Method::GET, "/me")
        .authenticated(Method::POST, "/logout")
        .authenticated(Method::POST, "/logout-everywhere")
        .require(Method::GET, "/orders", scope("orders:read"))
        .require(Method::POST, "/orders", scope("orders:write"))
        .require(Method::GET, "/events", scope("orders:read"))
        .require(Method::GET, "/admin/secrets", role("admin"))
        .require(Method::GET, "/admin/health", role("admin"))
        .require(Method::POST, "/admin/revoke", role("admin"))
        .require(RouteMethod::ANY, "/admin/revocations", role("admin"))
}

fn public_routes(parts: Parts<'_>) -> Router {
    let login = post(login::login).layer(DefaultBodyLimit::max(login::BODY_LIMIT)).with_state(Arc::new(parts.login));
    Router::new()
        .route("/health", get(health::health).with_state(parts.secrets))
        .route("/ready", get(health::ready).with_state(parts.revocations))
        .route("/login", login)
}

fn protected_routes(parts: &Parts<'_>, admission: &Admission, orders: &Orders) -> Router {
    let Parts { users, secrets, revocations, exit, ending, .. } = parts;
    let desk = AdminDesk {
        exit: Arc::clone(exit),
        admission: admission.clone(),
        secrets: Arc::clone(secrets),
        users: users.clone(),
    };
    let events_desk = EventDesk { orders: orders.clone(), revocations: revocations.clone(), ending: ending.clone() };
    let revoke = post(admin::revoke).layer(DefaultBodyLimit::max(admin::BODY_LIMIT)).with_state(Arc::new(desk));
    Router::new()
        .route("/me", get(me))
        .route("/logout", post(logout::session).with_state(Arc::clone(exit)))
        .route("/logout-everywhere", post(logout::everywhere).with_state(Arc::clone(exit)))
        .route("/orders", post(orders::place).with_state(orders.clone()))
        .route("/events", get(events).with_state(events_desk))
        .route("/admin/secrets", get(admin::secret_states).with_state(Arc::clone(secrets)))
        .route("/admin/health", get(admin::health).with_state(revocations.clone()))
        .route("/admin/revoke", revoke)
        .route_service("/admin/revocations", RevocationApi::new(revocations.clone(), role("admin")))
}

/// Everything that is asked of a token, in one place: who signed it, for whom, when, and that it is not revoked.
fn admission(parts: &Parts<'_>) -> Result<Admission, ConfigError> {
    let TokenRules { issuer, audience, leeway, .. } = parts.rules;
    let issuer = TrustedIssuer::new(issuer, parts.secrets.ring())
        .audience(audience)
        .algorithms(Algorithm::Hs256)
        .leeway(*leeway);
    Ok(Admission::new(JwtAuthenticator::new(issuer)?).revocations(&parts.revocations))
}

fn authentication(admission: Admission) -> AuthLayer {
    AuthLayer::new(admission).realm("service-api")
}

async fn me(claims: Claims) -> Json<Value> {
    Json(json!({
        "subject": claims.subject(),
        "scopes": claims.scopes().iter().collect::<Vec<_>>(),
        "expires_at": claims.expires_at().map(UnixTime::as_secs),
    }))
}
