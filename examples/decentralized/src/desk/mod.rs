//! The desk of `acme`: who has an account at acme's log-in gets a short-lived user of NATS, for a key that stays in the browser or the program.
//!
//! An access token goes in, a user's token comes out (`POST /nats/users`). The client proves that it holds the key, and the desk never sees it. This is how people
//! call the services who have no credentials file: the same services, which know nothing of acme's log-in. When the session at the log-in ends, so do its
//! users of NATS.

mod enrol;
mod enrolled;
mod log_in;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};

use self::{enrolled::EnrolledUsers, log_in::LogIn};
use crate::{Failure, client, market::Market, service, settings::Settings};

/// What the log-in's tokens for the desk are for.
const AUDIENCE: &str = "https://desk.acme.example";

/// Whose desk it is.
const ORGANISATION: &str = "acme";

pub(crate) async fn serve(settings: &Settings) -> Result<(), Failure> {
    let (listener, origin) = service::listen(settings.desk_port, "DESK_PORT").await?;
    let users = EnrolledUsers::open(Market::open(&settings.data)?, &settings.data).await?;
    let log_in = match &settings.issuer {
        Some(issuer) => LogIn::at_provider(issuer, &users)?,
        None => LogIn::own(&origin, &users)?,
    };
    let page = Page::new(settings)?;
    let desk = enrol::Desk::new(users, service::proofs(&origin)?);
    let app = Router::new()
        .route("/nats/users", post(enrol::enrol))
        .route_layer(log_in.auth)
        .with_state(Arc::new(desk))
        .merge(log_in.routes)
        .merge(pages(page));
    service::serve("desk", listener, &origin, app, settings).await
}

/// What the page is told.
#[derive(Clone, Debug)]
struct Page {
    orders_url: String,
    /// The URL of the identity provider, if the desk has no log-in of its own.
    provider: Option<String>,
    /// What the page may load, and whom it may talk to: the services of this example, and the identity provider.
    policy: HeaderValue,
}

impl Page {
    fn new(settings: &Settings) -> Result<Self, Failure> {
        let provider = settings.issuer.as_deref().map(client::origin).transpose()?.unwrap_or_default();
        let policy = format!(
            "default-src 'self'; connect-src 'self' {} {provider}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            settings.orders_url
        );
        let (orders_url, provider) = (settings.orders_url.clone(), settings.issuer.clone());
        Ok(Self { orders_url, provider, policy: HeaderValue::try_from(policy)? })
    }
}

fn pages(page: Page) -> Router {
    Router::new()
        .route("/page.css", get(async || asset("text/css", include_str!("../../assets/page.css"))))
        .route("/page.js", get(async || asset("text/javascript", include_str!("../../assets/page.js"))))
        .route("/nats.js", get(async || asset("text/javascript", include_str!("../../assets/nats.js"))))
        .route("/log_in.js", get(async || asset("text/javascript", include_str!("../../assets/log_in.js"))))
        .route("/", get(html))
        .route("/config.json", get(config))
        .with_state(page)
}

async fn html(State(page): State<Page>) -> Response {
    let html = asset("text/html; charset=utf-8", include_str!("../../assets/page.html"));
    ([(CONTENT_SECURITY_POLICY, page.policy)], html).into_response()
}

/// Where the page finds orders, and where its users log in.
async fn config(State(page): State<Page>) -> Json<Value> {
    let provider = page.provider.map(|issuer| json!({ "issuer": issuer, "client_id": log_in::CLIENT_ID }));
    Json(json!({ "orders": page.orders_url, "audience": AUDIENCE, "provider": provider }))
}

fn asset(kind: &'static str, text: &'static str) -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(CONTENT_TYPE, kind)], text)
}

fn no_store(answer: impl IntoResponse) -> Response {
    ([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer).into_response()
}
