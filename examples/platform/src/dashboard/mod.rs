//! The dashboard: a page, its API, and the identity provider.

mod account;
mod authorize;
mod data;
mod issuer;
mod limit;
mod log_in;
mod pages;
mod passwords;
mod users;

use std::future::{IntoFuture, pending};

use axum::{Json, Router, extract::State, http::HeaderValue, routing::get};
use portcullis::{Admission, AuthLayer, Claims, JwtAuthenticator, RemoteKeys, TrustedIssuer, requirement::scope};
use portcullis_issuer::{refresh::Sessions, routes::BrowserSessions, server::AuthorizationServer};
use portcullis_store::{RedbRefreshStore, Revocations};
use serde_json::{Value, json};
use tokio::{net::TcpListener, signal::unix::SignalKind};
use tower_http::{
    cors::{Any, CorsLayer},
    set_header::SetResponseHeaderLayer,
};

use self::{issuer::Upkeep, users::Users};
use crate::{Failure, orders::LOG_OUT, say, settings::Settings};

/// What the routes of the dashboard's own identity provider need.
#[derive(Clone, Debug)]
struct IdentityProvider {
    server: AuthorizationServer,
    sessions: Sessions<RedbRefreshStore, Revocations, Users>,
    browser: BrowserSessions,
    users: Users,
    settings: Settings,
}

/// What a page needs to know.
#[derive(Clone, Debug)]
struct PageConfig(Value);

/// Serves the dashboard at this URL until the operator ends it. `orders_url` is where the second service is.
///
/// # Errors
///
/// If a setting cannot be used, or the folder with the data.
pub async fn serve(listener: TcpListener, url: &str, orders_url: &str, settings: &Settings) -> Result<(), Failure> {
    let (app, upkeep) = match &settings.issuer {
        None => own(url, orders_url, settings).await?,
        Some(issuer) => (external(issuer, settings)?, None),
    };
    let app = app.route("/config.json", get(config).with_state(page_config(url, orders_url, settings)));
    let app = app.merge(pages::routes()).layer(SetResponseHeaderLayer::overriding(
        axum::http::header::CONTENT_SECURITY_POLICY,
        policy(orders_url, settings)?,
    ));
    say(&format!("dashboard is at {url}"))?;
    let server = axum::serve(listener, app).with_graceful_shutdown(ended()?);
    let upkeep = async {
        match upkeep {
            Some(upkeep) => upkeep.run().await,
            None => pending().await,
        }
    };
    tokio::select! {
        outcome = server.into_future() => Ok(outcome?),
        () = upkeep => Ok(()),
    }
}

/// The dashboard is its own identity provider.
async fn own(url: &str, orders_url: &str, settings: &Settings) -> Result<(Router, Option<Upkeep>), Failure> {
    let log_out_at = format!("{orders_url}{LOG_OUT}");
    let (provider, admission, upkeep) = issuer::start(url, &log_out_at, settings).await?;
    // Pages of other origins may use the endpoints of the provider, without cookies.
    let cors = CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any);
    let routes = provider.server.routes();
    let oauth = routes.paths().fold(Router::new(), |oauth, path| oauth.route_service(path, routes.clone()));
    let browser = provider.browser.clone();
    let page = browser.paths().iter().fold(log_in::routes(), |page, path| page.route_service(path, browser.clone()));
    let api = api().merge(account::routes()).merge(authorize::routes());
    let app = api
        .layer(portcullis::RequireLayer::new(scope("account")))
        .layer(AuthLayer::new(admission).realm("dashboard"))
        .merge(page)
        .merge(authorize::pages())
        .with_state(provider)
        .merge(oauth.layer(cors));
    Ok((app, Some(upkeep)))
}

/// Another identity provider has the users. The dashboard is one of its services.
fn external(issuer: &str, settings: &Settings) -> Result<Router, Failure> {
    let keys = RemoteKeys::discover(issuer).start()?;
    let trusted = TrustedIssuer::new(issuer, keys).audience(&settings.dashboard_audience);
    let auth = AuthLayer::new(Admission::new(JwtAuthenticator::new(trusted)?)).realm("dashboard");
    Ok(api().layer(auth).route("/", get(pages::app)).route("/device", get(pages::app)))
}

fn api<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/api/me", get(me))
}

/// Who the caller is, as the token says.
async fn me(claims: Claims) -> Json<Value> {
    Json(json!({
        "subject": claims.subject(),
        "issuer": claims.issuer(),
        "session": claims.session_id(),
        "scopes": claims.scopes().iter().collect::<Vec<_>>(),
        "expires_at": claims.expires_at().map(portcullis::clock::UnixTime::as_secs),
    }))
}

async fn config(State(PageConfig(config)): State<PageConfig>) -> Json<Value> {
    Json(config)
}

fn page_config(url: &str, orders_url: &str, settings: &Settings) -> PageConfig {
    PageConfig(json!({
        "issuer": settings.issuer.as_deref().unwrap_or(url),
        "is_external": settings.issuer.is_some(),
        "client_id": settings.client_id,
        "dashboard": { "audience": settings.dashboard_audience, "url": "" },
        "orders": { "audience": settings.orders_audience, "url": orders_url },
    }))
}

/// The page loads nothing from elsewhere, and talks only to the services that it is configured with.
fn policy(orders_url: &str, settings: &Settings) -> Result<HeaderValue, Failure> {
    let issuer = settings.issuer.as_deref().unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {orders_url} {issuer}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    Ok(HeaderValue::from_str(&policy)?)
}

/// The operator ends the program.
fn ended() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = tokio::signal::unix::signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    })
}
