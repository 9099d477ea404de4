//! Starts the server: see README.md.

use std::{
    env,
    error::Error,
    io::{self, Write},
};

use tokio::net::TcpListener;
use tracing_subscriber::fmt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    fmt().with_writer(io::stderr).init();
    let port = env::var("PORT").unwrap_or_else(|_| "4200".into());
    let issuer = env::var("ISSUER").unwrap_or_else(|_| "http://localhost:4000".into());
    let resource = env::var("RESOURCE").unwrap_or_else(|_| format!("http://localhost:{port}/mcp"));
    let origins = env::var("ORIGINS").unwrap_or_default();
    let origins: Vec<String> = origins.split_whitespace().map(str::to_owned).collect();

    let app = mcp_server::app(&issuer, &resource, &origins)?;
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    writeln!(io::stdout(), "listening at {resource}, with tokens of {issuer}")?;
    Ok(axum::serve(listener, app).await?)
}
