//! [`Endpoints`]: where the endpoints of a server are.

use std::sync::Arc;

use portcullis_core::{ConfigError, policy::TokenSpec};

use super::{AuthorizationServer, DeclaredClients, keys::AnyKeys};
use crate::{
    StoreError,
    documents::{ClientAuthentication, GrantType, KEY_SET_PATH, PublishedDocument, ServerMetadata},
    space_separated::space_separated,
};

/// Which endpoints a server has, and where they are. All are on the host of the issuer.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    /// The issuer, without a slash at its end.
    base: String,
    /// What precedes the name of an endpoint.
    prefix: String,
    pub(super) authorization: Option<String>,
    pub(super) verification_page: Option<String>,
    scopes: Vec<String>,
    /// How clients may prove who they are.
    pub(super) client_authentication: Vec<ClientAuthentication>,
    clients_have_documents: bool,
    clients_exchange: bool,
    /// How services authenticate that introspect.
    pub(super) introspection: Vec<ClientAuthentication>,
}

/// An endpoint that the server answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// The token endpoint (RFC 6749 section 3.2).
    Token,
    /// The device authorization endpoint (RFC 8628), if there is a [page](super::AuthorizationServerBuilder::verification_page) for it.
    DeviceAuthorization,
    /// The revocation endpoint (RFC 7009).
    Revocation,
    /// The introspection endpoint (RFC 7662), if a [service](super::ResourceServer) may ask.
    Introspection,
}

impl Endpoint {
    /// Returns its name, the last part of its path.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::DeviceAuthorization => "device_authorization",
            Self::Revocation => "revoke",
            Self::Introspection => "introspect",
        }
    }
}

impl Endpoints {
    pub(super) fn of(spec: &TokenSpec) -> Self {
        let base = spec.issuer().trim_end_matches('/').to_owned();
        Self {
            base,
            prefix: "/oauth".to_owned(),
            authorization: None,
            verification_page: None,
            scopes: Vec::new(),
            client_authentication: vec![ClientAuthentication::None, ClientAuthentication::ClientSecretBasic],
            clients_have_documents: false,
            clients_exchange: false,
            introspection: Vec::new(),
        }
    }

    pub(super) fn scope(&mut self, scope: &str) {
        self.scopes.extend(space_separated(scope).map(str::to_owned));
    }

    /// Adds what is there because of the clients.
    pub(super) fn declare(&mut self, clients: &DeclaredClients, has_view: bool) {
        self.clients_exchange = has_view && clients.may_exchange_tokens();
        self.clients_have_documents = clients.may_have_documents();
        if clients.may_have_keys() {
            self.client_authentication.push(ClientAuthentication::PrivateKeyJwt);
        }
    }

    pub(super) fn url(&self, endpoint: Endpoint) -> String {
        format!("{}{}/{}", self.base, self.prefix, endpoint.name())
    }

    fn key_set(&self) -> String {
        format!("{}{KEY_SET_PATH}", self.base)
    }

    /// Returns the metadata: what is there, and nothing else.
    pub(super) fn metadata(&self, spec: &TokenSpec, has_key_set: bool) -> ServerMetadata {
        let mut metadata = ServerMetadata::of(spec)
            .token_endpoint(self.url(Endpoint::Token))
            .revocation_endpoint(self.url(Endpoint::Revocation))
            .grant(GrantType::ClientCredentials);
        metadata = self.client_authentication.iter().copied().fold(metadata, ServerMetadata::client_authentication);
        if self.clients_have_documents {
            metadata = metadata.client_id_metadata_documents();
        }
        if self.clients_exchange {
            metadata = metadata.grant(GrantType::TokenExchange);
        }
        if !self.introspection.is_empty() {
            metadata = metadata.introspection_endpoint(self.url(Endpoint::Introspection));
            metadata = self.introspection.iter().copied().fold(metadata, ServerMetadata::introspection_authentication);
        }
        if has_key_set {
            metadata = metadata.key_set(self.key_set());
        }
        if let Some(url) = &self.authorization {
            metadata = metadata.authorization_endpoint(url);
            metadata = metadata.grant(GrantType::AuthorizationCode).grant(GrantType::RefreshToken);
        }
        if self.verification_page.is_some() {
            metadata = metadata.device_authorization_endpoint(self.url(Endpoint::DeviceAuthorization));
            metadata = metadata.grant(GrantType::DeviceCode).grant(GrantType::RefreshToken);
        }
        metadata.scope(&self.scopes.join(" "))
    }
}

impl AuthorizationServer {
    /// Returns the server's metadata (RFC 8414), which names what the server has, and nothing else. Serve it at each of
    /// [`metadata_paths`](Self::metadata_paths).
    pub fn metadata(&self) -> &PublishedDocument {
        &self.0.metadata
    }

    /// Returns the paths at which clients look for the metadata: the one of RFC 8414 section 3.1, the one without the issuer's path, and those of
    /// OpenID Connect, where many clients look first.
    pub fn metadata_paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.metadata_paths.iter().map(String::as_str)
    }

    /// Returns the published key set; `None` if tokens are signed with a secret. Serve it at [`key_set_path`](Self::key_set_path).
    ///
    /// # Errors
    ///
    /// If it is not known at the moment: answer 503, and services go on with the one that they have.
    pub fn key_set(&self) -> Result<Option<Arc<PublishedDocument>>, StoreError> {
        self.0.keys.published()
    }

    /// Returns the path of the key set.
    pub fn key_set_path(&self) -> &str {
        path_of(&self.0.key_set_url)
    }

    /// Returns the endpoints that the server answers by itself.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> {
        let has_devices = self.0.endpoints.verification_page.is_some();
        let devices = has_devices.then_some(Endpoint::DeviceAuthorization);
        let introspection = (!self.0.resource_servers.is_empty()).then_some(Endpoint::Introspection);
        [Endpoint::Token, Endpoint::Revocation].into_iter().chain(devices).chain(introspection)
    }

    /// Returns the path of an endpoint.
    pub fn path(&self, endpoint: Endpoint) -> String {
        path_of(&self.0.endpoints.url(endpoint)).to_owned()
    }
}

/// Returns the path of a URL that was checked before.
pub(super) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// Returns the parts of a server that clients find by its metadata.
pub(super) fn published(
    endpoints: &Endpoints,
    spec: &TokenSpec,
    keys: &dyn AnyKeys,
) -> Result<(PublishedDocument, Vec<String>, String), ConfigError> {
    // A key set that is not known at the moment is there all the same.
    let has_key_set = !matches!(keys.published(), Ok(None));
    let metadata = endpoints.metadata(spec, has_key_set);
    let mut paths = metadata.paths()?;
    for path in metadata.openid_paths()? {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Ok((metadata.publish(MAX_AGE)?, paths, endpoints.key_set()))
}

/// How long the metadata may be cached: an hour, as a change of it is prepared.
const MAX_AGE: std::time::Duration = std::time::Duration::from_secs(3600);
