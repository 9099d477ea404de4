//! The second service. It knows the issuer's URL, and shares no key and no code with the dashboard.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, Method, header::AUTHORIZATION},
    routing::{get, post},
};
use portcullis::{AuthLayer, Claims, JwtAuthenticator, RemoteKeys, RequireLayer, TrustedIssuer, requirement::scope};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

use crate::{Failure, settings::Settings};

/// How many orders there are.
type Orders = Arc<AtomicU64>;

pub(crate) async fn serve(listener: TcpListener, issuer: &str, settings: &Settings) -> Result<(), Failure> {
    // The start does not wait for the keys: until they are there, requests get 503.
    let keys = RemoteKeys::discover(issuer).start()?;
    let trusted = TrustedIssuer::new(issuer, keys).audience(&settings.orders_audience);
    let auth = AuthLayer::new(JwtAuthenticator::new(trusted)?).realm("orders");
    let app = Router::new()
        .route("/orders", get(list).layer(RequireLayer::new(scope("orders:read"))))
        .route("/orders/new", post(place).layer(RequireLayer::new(scope("orders:write"))))
        .with_state(Orders::new(AtomicU64::new(7)))
        .layer(auth)
        .layer(cors(settings)?);
    let server = async { axum::serve(listener, app).await };
    tokio::select! {
        outcome = server => Ok(outcome?),
        () = end_of_input(), if crate::settings::optional("UNTIL_INPUT_ENDS").is_some() => Ok(()),
    }
}

/// The dashboard's page is of another origin. It sends its token, and no cookies.
fn cors(settings: &Settings) -> Result<CorsLayer, Failure> {
    let cors = CorsLayer::new().allow_methods([Method::GET, Method::POST]).allow_headers([AUTHORIZATION]);
    match &settings.dashboard_origin {
        Some(origin) => Ok(cors.allow_origin(origin.parse::<HeaderValue>()?)),
        None => Ok(cors),
    }
}

async fn list(claims: Claims, State(orders): State<Orders>) -> Json<Value> {
    Json(json!({ "seen_by": claims.subject(), "orders": orders.load(Ordering::Relaxed) }))
}

async fn place(claims: Claims, State(orders): State<Orders>) -> Json<Value> {
    let orders = orders.fetch_add(1, Ordering::Relaxed) + 1;
    Json(json!({ "placed_by": claims.subject(), "orders": orders }))
}

/// The process that started this one has ended, perhaps by a crash.
async fn end_of_input() {
    let read = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    // It has ended in any case.
    let _ = read.await;
}
