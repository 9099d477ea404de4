//! An authorization server in your own program: clients, codes, consents, and the endpoints as functions over values.
//!
//! The primary type of this module is [`AuthorizationServer`]. The application has the pages: it logs its users in, asks them for consent, and
//! answers a validated [`AuthorizationRequest`]. Everything else is done here: codes with PKCE, refresh tokens, tokens for programs,
//! exchanged tokens, and introspection.
//!
//! ```
//! # #[cfg(feature = "axum")]
//! use axum::Router;
//! use portcullis_core::{Algorithm, policy::TokenSpec};
//! use portcullis_issuer::records::MemoryRecordStore;
//! use portcullis_issuer::refresh::{DangerUncheckedSubjects, MemoryRefreshStore, RefreshKeys, Sessions};
//! use portcullis_issuer::server::{AuthorizationServer, Client, ClientList};
//! use portcullis_issuer::{SigningKey, TokenIssuer};
//! use portcullis_store::{MemoryLog, Revocations};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = [7; 32];
//! let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
//! let key = SigningKey::generate(Algorithm::Es256)?; // or a `KeyRing`
//! let issuer = TokenIssuer::new(spec, key.clone())?;
//! let revocations = Revocations::builder(MemoryLog::new()).start()?;
//! let refresh_keys = RefreshKeys::new(1, secret)?;
//! let sessions = Sessions::new(issuer, MemoryRefreshStore::new(), refresh_keys, revocations, DangerUncheckedSubjects);
//! let page = Client::public("web")
//!     .redirect_uri("https://app.example.com/callback")
//!     .scope("orders:read")
//!     .resource("https://orders.example.com");
//! let server = AuthorizationServer::builder(sessions, key, MemoryRecordStore::new(), ClientList::new([page])?)
//!     .authorization_endpoint("https://id.example.com/authorize")
//!     .build()?;
//! # #[cfg(feature = "axum")]
//! let app: Router = Router::new().fallback_service(server.routes()); // the feature `axum`
//! # Ok(())
//! # }
//! ```
//!
//! [`AuthorizationRequest`] shows the application's page, at the authorization endpoint.
//!
//! Not built: request objects (JAR, RFC 9101), pushed requests (PAR, RFC 9126), authorization details (RAR, RFC 9396), dynamic registration (RFC
//! 7591), ID tokens (OpenID Connect), actor tokens (RFC 8693), signed answers of introspection (RFC 9701). Parameters that would change what a request means are refused, and not ignored.

mod api_tokens;
mod assertion;
mod authentication;
mod authorization;
#[cfg(feature = "axum")]
mod browser;
mod builder;
mod client;
mod code;
mod consent;
mod deletion;
mod device;
mod endpoints;
mod error;
mod event;
mod introspection;
mod keys;
mod own_tokens;
mod parameters;
mod proof;
mod rate_limit;
mod request;
mod resource_server;
mod revocation;
mod sessions;
mod ticket;
mod token;

use std::{fmt, sync::Arc};

use portcullis_core::{Clock, ConfigError, UnixTime, policy::TokenSpec};

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use self::browser::PageLogIn;
#[cfg(feature = "metadata-documents")]
#[cfg_attr(docsrs, doc(cfg(feature = "metadata-documents")))]
pub use self::client::MetadataDocuments;
#[cfg(feature = "axum")]
pub(crate) use self::client::is_own_machine;
use self::{
    api_tokens::ApiTokenSubjects,
    client::{AnyClients, KeySets},
    endpoints::Endpoints,
    keys::AnyKeys,
    own_tokens::OwnTokens,
    rate_limit::Limit,
    resource_server::ResourceServers,
    sessions::AnySessions,
};
pub use self::{
    authorization::{
        AuthorizationAnswer, AuthorizationError, AuthorizationRequest, Decision, Denial, OpenQuestion, Permitted,
        Prompt, Question, Visitor,
    },
    builder::AuthorizationServerBuilder,
    client::{
        Client, ClientList, ClientSecret, Clients, DeclaredClients, Deletion, Either, ExchangePolicy, StoredClient,
        StoredClientError, StoredClients,
    },
    consent::Consent,
    device::{DeviceAuthorization, DeviceRequest, OpenDeviceRequest},
    endpoints::Endpoint,
    error::{OAuthError, OAuthErrorCode},
    event::ServerEvent,
    introspection::Introspection,
    keys::IssuerKeys,
    rate_limit::{EndpointAttempt, RetryAfter},
    request::EndpointRequest,
    resource_server::ResourceServer,
    token::TokenResponse,
};
use crate::{
    StoreError,
    documents::PublishedDocument,
    records::AnyRecords,
    refresh::{Millis, RefreshStore, Sessions, Subjects},
};

/// An authorization server (RFC 6749). Cheap to clone.
#[derive(Clone)]
pub struct AuthorizationServer(Arc<Inner>);

pub(super) struct Inner {
    sessions: Box<dyn AnySessions>,
    records: Box<dyn AnyRecords>,
    clients: Box<dyn AnyClients>,
    keys: Box<dyn AnyKeys>,
    own_tokens: OwnTokens,
    resource_servers: ResourceServers,
    endpoints: Endpoints,
    metadata: PublishedDocument,
    metadata_paths: Vec<String>,
    key_set_url: String,
    on_event: Option<Box<Listener>>,
    rate_limit: Option<Box<Limit>>,
    key_sets: Option<Box<dyn KeySets>>,
    api_tokens: Option<Box<dyn ApiTokenSubjects>>,
}

type Listener = dyn Fn(&ServerEvent) + Send + Sync;

impl AuthorizationServer {
    fn sessions(&self) -> &dyn AnySessions {
        &*self.0.sessions
    }

    fn records(&self) -> &dyn AnyRecords {
        &*self.0.records
    }

    fn spec(&self) -> &TokenSpec {
        self.sessions().issuer().spec()
    }

    /// Returns the time of the store of records, which is the same for all instances.
    async fn store_now(&self) -> Result<Millis, StoreError> {
        self.records().now().await
    }

    /// Makes the stores forget sessions, codes and other records that are over. Returns how many were forgotten.
    ///
    /// **Call it about once an hour, on one instance or on all**: stores in a file or in PostgreSQL grow until it is called.
    ///
    /// # Errors
    ///
    /// If a store cannot be reached. Nothing is lost: the next call forgets more.
    pub async fn forget_ended(&self) -> Result<usize, OAuthError> {
        let sessions = self.sessions().forget_ended().await;
        let records = self.records().forget_before(self.store_now().await?).await?;
        Ok(sessions? + records)
    }

    /// Returns the time by which this instance mints tokens.
    fn token_now(&self) -> UnixTime {
        self.sessions().issuer().own_clock().now()
    }

    /// Returns a client that can be used; `None` if there is none of this id.
    async fn find_client(&self, client_id: &str) -> Result<Option<Arc<Client>>, OAuthError> {
        // No client has such a name, so no store is asked.
        if client_id.is_empty() || client_id.len() > 1024 || client_id.chars().any(char::is_control) {
            return Ok(None);
        }
        let client = self.0.clients.find(client_id).await?;
        // Registries of an application's own check nothing.
        let problems = client.iter().flat_map(|client| client.problems_at(self.spec())).collect();
        ConfigError::check(problems)?;
        Ok(client.filter(|client| client.id() == client_id))
    }

    /// Tells the operator of a failure, which the client is not told the reason of.
    pub(crate) fn watched<T>(&self, endpoint: &'static str, outcome: Result<T, OAuthError>) -> Result<T, OAuthError> {
        if let Err(error) = &outcome
            && error.code().status() >= 500
        {
            self.tell(|| ServerEvent::Failed { endpoint, error: error.clone() });
        }
        outcome
    }

    fn tell(&self, event: impl FnOnce() -> ServerEvent) {
        if let Some(listener) = &self.0.on_event {
            listener(&event());
        }
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("sessions", &self.0.sessions)
            .field("records", &self.0.records)
            .field("clients", &self.0.clients)
            .finish_non_exhaustive()
    }
}
