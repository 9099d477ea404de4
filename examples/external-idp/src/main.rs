//! A service whose users log in at an identity provider: see README.md.

use std::{
    env,
    error::Error,
    io::{self, Write},
};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use portcullis::{
    AuthLayer, Claims, JwtAuthenticator, RemoteKeys, RequireLayer, TrustedIssuer, keys::Health, requirement::scope,
};
use tokio::net::TcpListener;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Logs problems with the provider, and why a request was refused. Refusals are at `debug`, because clients cause them.
    let filter = env::var("RUST_LOG").unwrap_or_else(|_| "info,portcullis=debug".into()).parse::<Targets>()?;
    let format = tracing_subscriber::fmt().with_writer(io::stderr).with_max_level(LevelFilter::TRACE).finish();
    format.with(filter).init();
    let (issuer, audience) = (variable("ISSUER")?, variable("AUDIENCE")?);

    // From here on, the keys are found and kept fresh in the background. The start does not wait for them: if the provider
    // is down, the service starts anyway, and requests get 503 until the provider is back.
    let keys = RemoteKeys::discover(&issuer).start()?;
    let auth = AuthLayer::new(JwtAuthenticator::new(TrustedIssuer::new(issuer, keys.clone()).audience(audience))?);

    let app = Router::new()
        .route("/me", get(me))
        .route("/orders", get(orders).layer(RequireLayer::new(scope("orders:read"))))
        .layer(auth) // guards the routes above
        .route("/health/ready", get(ready).with_state(keys));

    let port = env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .map_err(|error| format!("cannot listen on port {port} ({error}): choose another one with PORT=3001"))?;
    writeln!(io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    Ok(axum::serve(listener, app).await?)
}

async fn me(claims: Claims) -> String {
    format!("you are {} at {}\n", claims.subject().unwrap_or("unknown"), claims.issuer())
}

async fn orders() -> &'static str {
    "order 1: seven oranges\n"
}

/// For the load balancer: requests can be decided as long as there are keys, fresh or not.
async fn ready(State(keys): State<RemoteKeys>) -> (StatusCode, String) {
    match keys.health() {
        Health::Degraded { stale_for } => {
            (StatusCode::OK, format!("ready, with keys that are stale for {stale_for:?}\n"))
        }
        health if health.is_ready() => (StatusCode::OK, "ready\n".into()),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "no keys of the identity provider\n".into()),
    }
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: see README.md for what it is at your provider"))
}
