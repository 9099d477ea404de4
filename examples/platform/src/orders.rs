//! The second service. It knows the issuer's URL, and shares no key and no code with the dashboard.
//!
//! The issuer tells it by log-out tokens which sessions have ended, so that it refuses their access tokens from then on. It keeps that in a log of its own.

use std::{
    io::{self, Read},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderValue, Method, header::AUTHORIZATION},
    routing::{get, post},
};
use portcullis::{
    Admission, AuthLayer, Claims, JwtAuthenticator, RemoteKeys, RequireLayer, TrustedIssuer,
    requirement::{fresh, scope},
    revocation::BackChannelLogout,
};
use portcullis_store::{RedbLog, Revocations};
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};
use tower_http::cors::CorsLayer;

use crate::{Failure, settings::Settings};

/// How many orders there are.
type Orders = Arc<AtomicU64>;

/// Where the issuer posts log-out tokens.
pub(crate) const LOG_OUT: &str = "/log-out";

/// Serves the second service, which accepts the tokens of this issuer.
///
/// # Errors
///
/// If a setting cannot be used, or the folder with the data.
pub async fn serve(listener: TcpListener, issuer: &str, settings: &Settings) -> Result<(), Failure> {
    // The start does not wait for the keys: until they are there, requests get 503.
    let keys = RemoteKeys::discover(issuer).start()?;
    let revocations = Revocations::builder(open(&settings.data).await?).start()?;
    revocations.require(Duration::from_secs(10)).await?;
    let trusted = TrustedIssuer::new(issuer, keys.clone()).audience(&settings.orders_audience);
    let admission = Admission::new(JwtAuthenticator::new(trusted)?).revocations(&revocations);
    let auth = AuthLayer::new(admission).realm("orders");
    // A log-out token is for the client whose session has ended, and not for a service.
    let at_issuer = TrustedIssuer::new(issuer, keys);
    let at_issuer = settings.log_out_clients.iter().fold(at_issuer, TrustedIssuer::audience);
    let log_outs = BackChannelLogout::new(at_issuer, revocations.clone())?.revocations(&revocations);
    let app = Router::new()
        .route("/orders", get(list).layer(RequireLayer::new(scope("orders:read"))))
        .route("/orders/new", post(place).layer(RequireLayer::new(scope("orders:write"))))
        // What cannot be undone needs a log-in of late. A client whose user has logged in earlier is told to ask again, with `max_age`.
        .route(
            "/orders/cancel",
            post(cancel).layer(RequireLayer::new(scope("orders:write").and(fresh(settings.fresh)))),
        )
        .with_state(Orders::new(AtomicU64::new(7)))
        .layer(auth)
        .layer(cors(settings)?)
        .route_service(LOG_OUT, log_outs);
    let server = async { axum::serve(listener, app).await };
    tokio::select! {
        outcome = server => Ok(outcome?),
        () = end_of_input(), if crate::settings::optional("UNTIL_INPUT_ENDS").is_some() => Ok(()),
    }
}

/// The log of this service alone. A process before, which has been killed, may have it for a moment yet.
async fn open(folder: &Path) -> Result<RedbLog, Failure> {
    std::fs::create_dir_all(folder)?;
    let mut attempts = 0;
    loop {
        match RedbLog::open(folder.join("orders.redb")) {
            Ok(log) => return Ok(log),
            Err(error) if attempts == 50 => return Err(error.into()),
            Err(_) => attempts += 1,
        }
        sleep(Duration::from_millis(100)).await;
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

async fn cancel(claims: Claims, State(orders): State<Orders>) -> Json<Value> {
    orders.store(0, Ordering::Relaxed);
    Json(json!({ "cancelled_by": claims.subject(), "orders": 0 }))
}

/// The process that started this one has ended, perhaps by a crash.
async fn end_of_input() {
    let read = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new()));
    // It has ended in any case.
    let _ = read.await;
}
