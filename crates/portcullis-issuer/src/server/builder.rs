//! [`AuthorizationServerBuilder`]: what a server is made of.

use std::{fmt, sync::Arc};

use portcullis_core::{ConfigError, revocation::Revoker};

use super::{
    AuthorizationServer, Clients, EndpointAttempt, Inner, IssuerKeys, Listener, RefreshStore, ResourceServer,
    RetryAfter, ServerEvent, Sessions, Subjects,
    api_tokens::ApiTokenSubjects,
    client::{AnyClients, KeySets},
    endpoints::{Endpoints, published},
    keys::{AnyKeys, keys_problem},
    own_tokens::OwnTokens,
    rate_limit::Limit,
    resource_server::checked,
    sessions::AnySessions,
};
use crate::{
    documents::ClientAuthentication,
    records::{AnyRecords, RecordStore},
};

/// What a server is made of. Made by [`AuthorizationServer::builder`].
#[must_use = "there is no server before `build`"]
pub struct AuthorizationServerBuilder {
    sessions: Box<dyn AnySessions>,
    keys: Box<dyn AnyKeys>,
    own_tokens: Result<OwnTokens, ConfigError>,
    records: Box<dyn AnyRecords>,
    clients: Box<dyn AnyClients>,
    endpoints: Endpoints,
    on_event: Option<Box<Listener>>,
    rate_limit: Option<Box<Limit>>,
    resource_servers: Vec<ResourceServer>,
    key_sets: Option<Box<dyn KeySets>>,
    api_tokens: Option<Box<dyn ApiTokenSubjects>>,
}

impl AuthorizationServer {
    /// Begins the settings of a server: it opens sessions in `sessions`, whose access tokens `keys` verify, keeps codes and consents in `records`,
    /// and knows `clients`.
    pub fn builder<S: RefreshStore, R: Revoker, J: Subjects>(
        sessions: Sessions<S, R, J>,
        keys: impl IssuerKeys,
        records: impl RecordStore,
        clients: impl Clients,
    ) -> AuthorizationServerBuilder {
        AuthorizationServerBuilder {
            own_tokens: OwnTokens::new(&sessions, keys.verifying()),
            endpoints: Endpoints::of(sessions.issuer().spec()),
            sessions: Box::new(sessions),
            keys: Box::new(keys),
            records: Box::new(records),
            clients: Box::new(clients),
            on_event: None,
            rate_limit: None,
            resource_servers: Vec::new(),
            key_sets: None,
            api_tokens: None,
        }
    }
}

impl AuthorizationServerBuilder {
    /// Sets the URL of the application's page at which users answer requests of clients: see
    /// [`authorization_request`](AuthorizationServer::authorization_request). Defaults to none: then no client gets a code.
    pub fn authorization_endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoints.authorization = Some(url.into());
        self
    }

    /// Sets the URL of the application's page at which users enter the code that a device shows: see
    /// [`device_request`](AuthorizationServer::device_request). Keep it short, as users type it. Defaults to none: then no device gets a code.
    pub fn verification_page(mut self, url: impl Into<String>) -> Self {
        self.endpoints.verification_page = Some(url.into());
        self
    }

    /// Adds to the scopes that the metadata names: one, or several separated by spaces. Defaults to none: it names no scope.
    #[doc(alias = "scopes_supported")]
    pub fn advertised_scope(mut self, scope: &str) -> Self {
        self.endpoints.scope(scope);
        self
    }

    /// Takes a client's secret in the body as well (`client_secret_post`), for client libraries that send it in no other way.
    ///
    /// Bodies are kept where headers are not: in logs of proxies, in traces, in reports of errors. Defaults to the `Authorization` header alone.
    pub fn danger_secrets_in_bodies(mut self) -> Self {
        self.endpoints.client_authentication.push(ClientAuthentication::ClientSecretPost);
        self
    }

    /// Lets a service ask about the tokens that are for it (RFC 7662): see [`introspect`](AuthorizationServer::introspect). Several add up. Defaults to
    /// none: then there is no introspection endpoint.
    pub fn resource_server(mut self, service: ResourceServer) -> Self {
        self.resource_servers.push(service);
        self
    }

    /// Calls `listener` for every event. It must not block. Defaults to none.
    pub fn on_event(self, listener: impl Fn(&ServerEvent) + Send + Sync + 'static) -> Self {
        Self { on_event: Some(Box::new(listener)), ..self }
    }

    /// Asks `limit` about every request to an endpoint before anything is looked up, so that requests beyond it cost little. It answers from memory:
    /// it must not block. A refused request is answered with [`OAuthErrorCode::TooManyRequests`](super::OAuthErrorCode::TooManyRequests). Defaults to no
    /// limit.
    ///
    /// It does not see the pages of the application: limit attempts to log in there. The ready routes (feature `axum`) tell it the network if the application
    /// puts a `routes::PeerAddress` into the extensions of each request.
    pub fn rate_limit(
        self,
        limit: impl Fn(&EndpointAttempt<'_>) -> Result<(), RetryAfter> + Send + Sync + 'static,
    ) -> Self {
        Self { rate_limit: Some(Box::new(limit)), ..self }
    }

    /// Fetches the keys of clients that name them by a URL ([`Client::with_jwks_uri`](super::Client::with_jwks_uri)), which outsiders may have
    /// chosen: see [`TenantKeys::from_outside_url`](portcullis_jwks::TenantKeys::from_outside_url). Defaults to none: then no such client gets in.
    ///
    /// - The keys are fetched when the client first authenticates, and kept while it does at least once an hour. A key that is not among them is looked
    ///   for again, at most each 30 s.
    /// - While the keys cannot be fetched, the client is answered that the server cannot decide at the moment (503).
    /// - At most 1000 key sets are kept.
    ///
    /// The client that fetches must send no credentials.
    ///
    /// ```no_run
    /// # use portcullis_issuer::server::AuthorizationServerBuilder;
    /// use portcullis_jwks::{HttpClient, TenantKeys};
    ///
    /// # fn example(builder: AuthorizationServerBuilder) -> Result<(), portcullis_core::ConfigError> {
    /// let client = HttpClient::new()?;
    /// let builder = builder.client_key_sets(TenantKeys::new().keys(move |keys| keys.fetch(client.clone())));
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "jwks-uri")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks-uri")))]
    pub fn client_key_sets(self, keys: portcullis_jwks::TenantKeys) -> Self {
        Self { key_sets: Some(Box::new(super::client::RemoteKeySets::new(keys))), ..self }
    }

    /// Lets clients exchange API tokens of this issuer, if [their rules allow it](super::ExchangePolicy::api_tokens): for an access token that services
    /// verify without asking, and for one with which an application [acts for a user](super::ExchangePolicy::acts_for_users). Defaults to none: no API token
    /// is exchanged.
    ///
    /// A client that is [deleted](AuthorizationServer::delete_client) then loses the API tokens that it has as an application, too. The tokens that earlier systems
    /// have made are not exchanged: rotate them first.
    #[cfg(feature = "api-tokens")]
    #[cfg_attr(docsrs, doc(cfg(feature = "api-tokens")))]
    pub fn api_tokens<S, M, Q>(self, tokens: crate::api_tokens::ApiTokens<S, M, Q>) -> Self
    where
        S: crate::api_tokens::ApiTokenStore,
        M: crate::api_tokens::Memberships,
        Q: Revoker,
    {
        let subjects = super::api_tokens::Subjects::new(tokens, &*self.sessions);
        Self { api_tokens: Some(Box::new(subjects)), ..self }
    }

    /// Makes the server.
    ///
    /// # Errors
    ///
    /// All problems of the settings, and of the clients as far as they are [known](Clients::declared); and if `keys` do not have the key with which
    /// the sessions' issuer signs.
    pub fn build(self) -> Result<AuthorizationServer, ConfigError> {
        let Self {
            sessions,
            keys,
            own_tokens,
            records,
            clients,
            mut endpoints,
            on_event,
            rate_limit,
            resource_servers,
            key_sets,
            api_tokens,
        } = self;
        endpoints.verification_page.iter().try_for_each(|page| super::device::check_page(page))?;
        let (spec, has_view) = (sessions.issuer().spec(), sessions.view().is_some());
        let declared = clients.declared(spec);
        let problems = declared.problems_with(has_view).into_iter().chain(keys_problem(sessions.issuer(), &*keys));
        let problems = problems.chain(api_tokens_problem(api_tokens.as_deref(), spec.issuer()));
        ConfigError::check(problems.collect())?;
        endpoints.declare(&declared, has_view);
        endpoints.introspection = resource_servers.iter().map(|service| service.proof.method()).collect();
        let resource_servers = checked(resource_servers, spec, has_view)?;
        let (metadata, metadata_paths, key_set_url) = published(&endpoints, spec, &*keys)?;
        Ok(AuthorizationServer(Arc::new(Inner {
            own_tokens: own_tokens?,
            sessions,
            records,
            clients,
            keys,
            endpoints,
            metadata,
            metadata_paths,
            key_set_url,
            on_event,
            rate_limit,
            resource_servers,
            key_sets,
            api_tokens,
        })))
    }
}

/// Users, applications and scopes are those of one issuer.
fn api_tokens_problem(tokens: Option<&dyn ApiTokenSubjects>, issuer: &str) -> Option<String> {
    let is_other = tokens.is_some_and(|tokens| !tokens.are_of(issuer));
    is_other.then(|| format!("the API tokens are of another issuer than {issuer}, which would exchange them"))
}

impl fmt::Debug for AuthorizationServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServerBuilder")
            .field("sessions", &self.sessions)
            .field("records", &self.records)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
