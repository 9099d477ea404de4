//! [`ServerMetadata`]: an issuer's metadata.

use std::time::Duration;

use portcullis_core::{Algorithm, ConfigError, keys::AlgorithmSet, policy::TokenSpec};
use serde::Serialize;

use super::{ClientAuthentication, GrantType, PublishedDocument, url::PublishedUrl};
use crate::space_separated::space_separated;

/// An issuer's metadata (RFC 8414), with which clients and services find its endpoints and its key set.
///
/// It says only what was set: there is no endpoint by default. It is not the metadata of an OpenID provider, which issues ID tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "metadata is read only if it is published"]
pub struct ServerMetadata {
    issuer: String,
    key_set: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    device_authorization_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
    scopes: Vec<String>,
    grants: Vec<GrantType>,
    client_authentication: Vec<ClientAuthentication>,
    reads_client_documents: bool,
    introspection_authentication: Vec<ClientAuthentication>,
}

/// The document. Lists without elements are left out (RFC 8414 section 3.2).
#[derive(Serialize)]
struct Body<'a> {
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revocation_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    introspection_endpoint: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    scopes_supported: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    response_types_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    grant_types_supported: &'a [GrantType],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    token_endpoint_auth_methods_supported: &'a [ClientAuthentication],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    revocation_endpoint_auth_methods_supported: &'a [ClientAuthentication],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    introspection_endpoint_auth_methods_supported: &'a [ClientAuthentication],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    introspection_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    revocation_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    code_challenge_methods_supported: &'static [&'static str],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    authorization_response_iss_parameter_supported: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    client_id_metadata_document_supported: bool,
}

impl ServerMetadata {
    /// Begins the metadata of the issuer that this specification names.
    pub fn of(spec: &TokenSpec) -> Self {
        Self {
            issuer: spec.issuer().to_owned(),
            key_set: None,
            authorization_endpoint: None,
            token_endpoint: None,
            device_authorization_endpoint: None,
            revocation_endpoint: None,
            introspection_endpoint: None,
            scopes: Vec::new(),
            grants: Vec::new(),
            client_authentication: Vec::new(),
            reads_client_documents: false,
            introspection_authentication: Vec::new(),
        }
    }

    /// Sets the URL of the key set, `jwks_uri`. Defaults to none.
    pub fn key_set(self, url: impl Into<String>) -> Self {
        Self { key_set: Some(url.into()), ..self }
    }

    /// Sets the URL of the authorization endpoint. It takes the response type `code` alone, demands PKCE with `S256` (RFC 7636), and names the
    /// issuer in every answer (`iss`, RFC 9207): the metadata says so. Defaults to none.
    pub fn authorization_endpoint(self, url: impl Into<String>) -> Self {
        Self { authorization_endpoint: Some(url.into()), ..self }
    }

    /// Sets the URL of the token endpoint. Say by [`grant`](Self::grant) and [`client_authentication`](Self::client_authentication) what it
    /// takes. Defaults to none.
    pub fn token_endpoint(self, url: impl Into<String>) -> Self {
        Self { token_endpoint: Some(url.into()), ..self }
    }

    /// Sets the URL of the device authorization endpoint (RFC 8628 section 3.1). Needs the grant [`GrantType::DeviceCode`]. Defaults to none.
    pub fn device_authorization_endpoint(self, url: impl Into<String>) -> Self {
        Self { device_authorization_endpoint: Some(url.into()), ..self }
    }

    /// Sets the URL of the revocation endpoint (RFC 7009), to which clients authenticate as to the token endpoint. Defaults to none.
    pub fn revocation_endpoint(self, url: impl Into<String>) -> Self {
        Self { revocation_endpoint: Some(url.into()), ..self }
    }

    /// Sets the URL of the introspection endpoint (RFC 7662). Defaults to none.
    pub fn introspection_endpoint(self, url: impl Into<String>) -> Self {
        Self { introspection_endpoint: Some(url.into()), ..self }
    }

    /// Says that a client's id may be the URL of a document about it (`client_id_metadata_document_supported`). Defaults to saying nothing.
    pub fn client_id_metadata_documents(self) -> Self {
        Self { reads_client_documents: true, ..self }
    }

    /// Adds to the scopes that clients may ask for: one, or several separated by spaces. Defaults to none: the document does not name them.
    pub fn scope(mut self, scope: &str) -> Self {
        add(&mut self.scopes, space_separated(scope).map(str::to_owned));
        self
    }

    /// Adds a way to get tokens from the token endpoint.
    pub fn grant(mut self, grant: GrantType) -> Self {
        add(&mut self.grants, [grant]);
        self
    }

    /// Adds a way in which clients authenticate to the token endpoint.
    pub fn client_authentication(mut self, method: ClientAuthentication) -> Self {
        add(&mut self.client_authentication, [method]);
        self
    }

    /// Adds a way in which services authenticate to the introspection endpoint. Defaults to none: the document does not say how.
    pub fn introspection_authentication(mut self, method: ClientAuthentication) -> Self {
        add(&mut self.introspection_authentication, [method]);
        self
    }

    /// Returns the paths of the document on the issuer's host, percent-encoded as in the issuer.
    ///
    /// The first is that of RFC 8414 section 3.1: the well-known name stands before the issuer's path. If the issuer has a path, the name
    /// alone is the second, for clients that ignore the path. Only one issuer of a host can have it: leave it out if there are several.
    ///
    /// # Errors
    ///
    /// If the issuer is not a URL, see [`publish`](Self::publish).
    pub fn paths(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.url()?.oauth_paths())
    }

    /// Returns the paths at which clients of OpenID Connect look for the document: after the issuer's path (Discovery 1.0 section 4), and before
    /// it. Serve it there only for clients that find it nowhere else: it does not say that there are ID tokens, but a client may expect
    /// them.
    ///
    /// # Errors
    ///
    /// If the issuer is not a URL, see [`publish`](Self::publish).
    pub fn openid_paths(&self) -> Result<Vec<String>, ConfigError> {
        Ok(self.url()?.openid_paths())
    }

    /// Returns the document. Caches may keep it for `max_age`, in whole seconds.
    ///
    /// # Errors
    ///
    /// All problems: the issuer or an endpoint is not an `https` URL (or `http` of a loopback address), or the issuer has a query or a
    /// fragment; there is a grant without its endpoint, or a token endpoint without a grant or without an authentication, for which clients would
    /// assume a default.
    pub fn publish(&self, max_age: Duration) -> Result<PublishedDocument, ConfigError> {
        ConfigError::check(self.problems())?;
        let body = serde_json::to_string(&self.body())
            .map_err(|_| ConfigError::new("the metadata cannot be written as JSON"))?;
        Ok(PublishedDocument::new(body, "application/json", max_age))
    }

    fn url(&self) -> Result<PublishedUrl<'_>, ConfigError> {
        PublishedUrl::parse_issuer(&self.issuer).map_err(ConfigError::new)
    }

    fn problems(&self) -> Vec<String> {
        let endpoints = [
            ("jwks_uri", &self.key_set),
            ("authorization_endpoint", &self.authorization_endpoint),
            ("token_endpoint", &self.token_endpoint),
            ("device_authorization_endpoint", &self.device_authorization_endpoint),
            ("revocation_endpoint", &self.revocation_endpoint),
            ("introspection_endpoint", &self.introspection_endpoint),
        ];
        let parse = |(name, url): (&str, &Option<String>)| PublishedUrl::parse(name, url.as_ref()?).err();
        let has_device = self.grants.contains(&GrantType::DeviceCode);
        let has_code = self.grants.contains(&GrantType::AuthorizationCode);
        let has_methods = !self.client_authentication.is_empty();
        let (has_tokens, has_login) = (self.token_endpoint.is_some(), self.authorization_endpoint.is_some());
        let is_authenticated = has_tokens || self.revocation_endpoint.is_some();
        let rules = [
            (
                has_tokens && self.grants.is_empty(),
                "a token endpoint needs a grant: clients assume others if none is named",
            ),
            (
                is_authenticated && !has_methods,
                "a token or revocation endpoint needs a way in which clients authenticate: they assume a secret if none is named",
            ),
            (!has_tokens && !self.grants.is_empty(), "a grant needs a token endpoint"),
            (!is_authenticated && has_methods, "a way in which clients authenticate needs a token endpoint"),
            (
                self.introspection_endpoint.is_none() && !self.introspection_authentication.is_empty(),
                "a way in which services authenticate needs an introspection endpoint",
            ),
            (has_code && !has_login, "the grant `authorization_code` needs an authorization endpoint"),
            (
                has_device != self.device_authorization_endpoint.is_some(),
                "the grant of devices and a device authorization endpoint need each other",
            ),
            (has_login && !has_code, "an authorization endpoint needs the grant `authorization_code`"),
        ];
        let mut problems: Vec<_> = PublishedUrl::parse_issuer(&self.issuer).err().into_iter().collect();
        problems.extend(endpoints.into_iter().filter_map(parse));
        problems.extend(rules.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, rule)| rule.to_owned()));
        problems
    }

    fn body(&self) -> Body<'_> {
        let has_login = self.authorization_endpoint.is_some();
        let of_login = |list: &'static [&'static str]| if has_login { list } else { &[] };
        let of_revocation = if self.revocation_endpoint.is_some() { &*self.client_authentication } else { &[] };
        let of_tokens = if self.token_endpoint.is_some() { &*self.client_authentication } else { &[] };
        Body {
            issuer: &self.issuer,
            jwks_uri: self.key_set.as_deref(),
            authorization_endpoint: self.authorization_endpoint.as_deref(),
            token_endpoint: self.token_endpoint.as_deref(),
            device_authorization_endpoint: self.device_authorization_endpoint.as_deref(),
            revocation_endpoint: self.revocation_endpoint.as_deref(),
            introspection_endpoint: self.introspection_endpoint.as_deref(),
            scopes_supported: &self.scopes,
            response_types_supported: of_login(&["code"]),
            grant_types_supported: &self.grants,
            token_endpoint_auth_methods_supported: of_tokens,
            revocation_endpoint_auth_methods_supported: of_revocation,
            introspection_endpoint_auth_methods_supported: &self.introspection_authentication,
            introspection_endpoint_auth_signing_alg_values_supported: algorithms(&self.introspection_authentication),
            token_endpoint_auth_signing_alg_values_supported: algorithms(of_tokens),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms(of_revocation),
            code_challenge_methods_supported: of_login(&["S256"]),
            authorization_response_iss_parameter_supported: has_login,
            client_id_metadata_document_supported: self.reads_client_documents,
        }
    }
}

/// Returns the algorithms of assertions (RFC 8414 section 2): there must be such a list if clients authenticate with them, and none otherwise.
fn algorithms(methods: &[ClientAuthentication]) -> Vec<&'static str> {
    if !methods.contains(&ClientAuthentication::PrivateKeyJwt) {
        return Vec::new();
    }
    AlgorithmSet::ASYMMETRIC.iter().map(Algorithm::name).collect()
}

/// Adds what is not in the list yet.
fn add<T: PartialEq>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for element in more {
        if !list.contains(&element) {
            list.push(element);
        }
    }
}
