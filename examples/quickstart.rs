//! A protected service. Run it, then paste the lines that it prints.

use std::{env, error::Error};

use axum::{Router, routing::get};
use portcullis::{AuthLayer, Claims, JwtAuthenticator, RequireLayer, requirement::scope};
use portcullis_test::MockIssuer;
use tokio::net::TcpListener;

async fn me(claims: Claims) -> String {
    format!("you are {} at {}\n", claims.subject().unwrap_or("unknown"), claims.issuer())
}

async fn orders() -> &'static str {
    "order 1: seven oranges\n"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Stands in for an identity provider. A real service names its own `TrustedIssuer`.
    let issuer = MockIssuer::new();
    let auth = AuthLayer::new(JwtAuthenticator::new(issuer.trusted())?);

    let app = Router::new()
        .route("/me", get(me))
        .route("/orders", get(orders).layer(RequireLayer::new(scope("orders:read"))))
        .layer(auth) // guards the routes above
        .route("/health", get(async || "public\n"));

    let port = env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))
        .await
        .map_err(|error| format!("cannot listen on port {port} ({error}): choose another one with PORT=3001"))?;

    let url = format!("http://{}", listener.local_addr()?);
    let [guest, clerk] = ["profile", "orders:read"].map(|scope| issuer.token().subject("alice").scope(scope).sign());
    println!("Guarding {url}: /health is public, /me needs a token, /orders the scope orders:read. Try:\n");
    println!("# 401, there is no token\ncurl -i {url}/me\n");
    println!("# 200\ncurl -i {url}/me -H 'Authorization: Bearer {guest}'\n");
    println!("# 403, the token lacks the scope\ncurl -i {url}/orders -H 'Authorization: Bearer {guest}'\n");
    println!("# 200\ncurl -i {url}/orders -H 'Authorization: Bearer {clerk}'\n");
    Ok(axum::serve(listener, app).await?)
}
