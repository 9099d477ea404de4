//! A server of the Model Context Protocol that keeps notes: see README.md.

mod notes;
mod scopes;

use std::{error::Error, sync::Arc};

use axum::{Router, http::Uri, middleware::from_fn, routing::post_service};
use portcullis::{AuthLayer, JwtAuthenticator, RemoteKeys, TrustedIssuer, metadata::ResourceMetadata};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};

/// Returns the server at the URL `resource`, which trusts the tokens of `issuer` for that URL. Browsers may call it from pages of `origins`.
///
/// # Errors
///
/// Returns an error if a URL is not acceptable.
pub fn app(issuer: &str, resource: &str, origins: &[String]) -> Result<Router, Box<dyn Error>> {
    // Clients find their way from here: the 401 has the URL of this document, and the document names the issuer.
    let metadata = ResourceMetadata::builder(resource)
        .authorization_server(issuer)
        .scopes(scopes::ALL.split(' '))
        .name("Notes")
        .build()?;
    let keys = RemoteKeys::discover(issuer).start()?;
    let authenticator = JwtAuthenticator::new(TrustedIssuer::new(issuer, keys).audience(resource))?;
    let auth = AuthLayer::new(authenticator).resource_metadata(metadata.url().to_owned()).scope(scopes::BASE);

    let url: Uri = resource.parse()?;
    let mcp = mcp(&url, origins)?;
    Ok(Router::new()
        .route(url.path(), post_service(mcp))
        .layer(from_fn(scopes::guard))
        .layer(auth) // outside of the guard, because the last one is the first to see a request
        .route_service(metadata.path(), metadata.service()))
}

type Mcp = StreamableHttpService<notes::Notes, NeverSessionManager>;

fn mcp(url: &Uri, origins: &[String]) -> Result<Mcp, String> {
    let host = url.authority().ok_or("the URL of the server has no host")?;
    // A page of another origin must not reach a server on the user's machine by a name of its own that leads there (DNS rebinding).
    let config = StreamableHttpServerConfig::default()
        .with_allowed_hosts([host.as_str()])
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        // No sessions: a session id would be a second thing by which a caller could be known.
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let notes = notes::Notes::default();
    Ok(StreamableHttpService::new(move || Ok(notes.clone()), Arc::default(), config))
}
