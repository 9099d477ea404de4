//! Ready routes of an [`AuthorizationServer`](crate::server::AuthorizationServer), for axum and every other server on `tower` and `http`.
//!
//! The primary type of this module is [`ServerRoutes`], made by [`AuthorizationServer::routes`](crate::server::AuthorizationServer::routes). The
//! rules:
//!
//! 1. Endpoints accept `POST` with a body of type `application/x-www-form-urlencoded`, of 64 KiB at most, and nothing in the query of the URL, where
//!    proxies and logs would keep it. Several `Authorization` headers are refused.
//! 2. Every answer of an endpoint has `Cache-Control: no-store`, errors too. The metadata and the key set may be cached, and conditional requests are
//!    answered.
//! 3. A path is compared byte for byte: `/oauth/%74oken` is not the token endpoint.
//! 4. The routes are public: put no guard in front of them. Clients authenticate in their requests. Limits of time are for layers around them.
//! 5. A [limit of rates](crate::server::AuthorizationServerBuilder::rate_limit) gets the network of the [`PeerAddress`] in the extensions of a request. The
//!    application sets it, because only the server knows the connection; no header is read for it.
//! 6. A client is not told why the server has failed. The operator is, by [`ServerEvent::Failed`](crate::server::ServerEvent::Failed); and each answer
//!    with an error has the [`OAuthError`](crate::server::OAuthError) in its extensions, for layers around the routes.
//!
//! For the application's own page, [`BrowserSessions`] keeps the refresh token in a cookie that no script can read.
//!
//! The pages are the application's, and so is the authorization endpoint: there, [`AuthorizationAnswer`](crate::server::AuthorizationAnswer) and
//! [`AuthorizationError`](crate::server::AuthorizationError) are responses of axum.
//!
//! # Example
//!
//! ```
//! # use portcullis_core::{Algorithm, policy::TokenSpec, revocation::Revocation};
//! # use portcullis_issuer::refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions};
//! # use portcullis_issuer::{SigningKey, TokenIssuer, records::MemoryRecordStore, server::ClientList};
//! # use portcullis_store::{MemoryLog, Revocations};
//! use axum::{Router, extract::RawQuery, response::{IntoResponse, Response}, routing::get};
//! use http::{Method, header::{AUTHORIZATION, CONTENT_TYPE}};
//! use portcullis_issuer::server::{AuthorizationError, AuthorizationServer, Denial};
//! use tower_http::cors::{Any, CorsLayer};
//!
//! /// The application's page. A real one lets the user log in, and asks.
//! async fn authorize(server: AuthorizationServer, query: Option<String>) -> Result<Response, AuthorizationError> {
//!     let request = server.authorization_request(&query.unwrap_or_default()).await?;
//!     Ok(request.deny(Denial::LoginRequired).into_response())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
//! # let key = SigningKey::generate(Algorithm::EdDsa)?;
//! # let issuer = TokenIssuer::new(spec, key.clone())?;
//! # let revocations = Revocations::builder(MemoryLog::new()).start()?;
//! # let sessions = Sessions::new(issuer, MemoryRefreshStore::new(), RefreshKeys::new(1, [7; 32])?, revocations, DangerUncheckedSubjects);
//! # let (keys, records, clients) = (key, MemoryRecordStore::new(), ClientList::new([])?);
//! let server = AuthorizationServer::builder(sessions, keys, records, clients)
//!     .authorization_endpoint("https://id.example.com/authorize")
//!     .build()?;
//!
//! // Pages of other origins may use the endpoints, and send no cookies. Only these routes get CORS.
//! let cors = CorsLayer::new()
//!     .allow_origin(Any)
//!     .allow_methods([Method::GET, Method::POST])
//!     .allow_headers([AUTHORIZATION, CONTENT_TYPE]);
//! let routes = server.routes();
//! let oauth = routes.paths().fold(Router::new(), |oauth, path| oauth.route_service(path, routes.clone()));
//! let app: Router = Router::new()
//!     .route("/authorize", get(move |RawQuery(query)| authorize(server, query)))
//!     .merge(oauth.layer(cors));
//! # use tower::ServiceExt;
//! # let get = |path: &str| http::Request::get(path).body(axum::body::Body::empty());
//! # let metadata = app.clone().oneshot(get("/.well-known/oauth-authorization-server")?).await?;
//! # assert_eq!((metadata.status(), &metadata.headers()["access-control-allow-origin"]), (http::StatusCode::OK, &"*".parse()?));
//! # assert_eq!(app.oneshot(get("/authorize")?).await?.status(), http::StatusCode::BAD_REQUEST);
//! # Ok(())
//! # }
//! ```
//!
//! Without CORS, `router.fallback_service(server.routes())` is enough: any path that is not the server's is answered with 404.

mod answer;
mod browser;
mod document;
mod form;
mod future;
mod into_response;
#[cfg(feature = "api-tokens")]
mod leak_reports;
mod page;
mod peer;
mod serve;
mod service;

#[cfg(feature = "api-tokens")]
#[cfg_attr(docsrs, doc(cfg(feature = "api-tokens")))]
pub use self::leak_reports::LeakReports;
pub use self::{browser::BrowserSessions, future::RoutesFuture, peer::PeerAddress, service::ServerRoutes};
