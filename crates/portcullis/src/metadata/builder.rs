//! [`ResourceMetadataBuilder`]: builds the document.

use std::sync::Arc;

use portcullis_core::ConfigError;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Document, ResourceMetadata, url::SecureUrl};
use crate::location::BearerMethod;

/// Builds the metadata of a protected resource. Made by [`ResourceMetadata::builder`].
///
/// A second call of the same method replaces the first value, unless the method's name is the singular of a list: those methods add a
/// value.
#[derive(Clone, Debug)]
#[must_use = "nothing is served before `build`"]
pub struct ResourceMetadataBuilder {
    resource: String,
    authorization_servers: Vec<String>,
    bearer_methods: Vec<BearerMethod>,
    members: Map<String, Value>,
    problems: Vec<String>,
}

impl ResourceMetadataBuilder {
    pub(super) fn new(resource: String) -> Self {
        Self {
            resource,
            authorization_servers: Vec::new(),
            bearer_methods: vec![BearerMethod::Header],
            members: Map::new(),
            problems: Vec::new(),
        }
    }

    /// Adds an authorization server that issues tokens for this resource: its issuer, an `https` URL without query and fragment (RFC 8414
    /// section 2), exactly as it is written in the tokens. Defaults to none.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Sets the scopes that clients may request (`scopes_supported`). Defaults to leaving the member out.
    pub fn scopes<S: Into<String>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.set("scopes_supported", scopes.into_iter().map(|scope| Value::String(scope.into())).collect())
    }

    /// Sets how a token may be presented (`bearer_methods_supported`). Defaults to the `Authorization` header, like the layer; list
    /// others if the layer has other locations. An empty list leaves the member out.
    pub fn bearer_methods(mut self, methods: impl IntoIterator<Item = BearerMethod>) -> Self {
        self.bearer_methods = methods.into_iter().collect();
        self
    }

    /// Sets a name for people (`resource_name`). Defaults to none.
    pub fn name(self, name: impl Into<String>) -> Self {
        self.set("resource_name", Value::String(name.into()))
    }

    /// Sets the page for developers (`resource_documentation`), any URL. Defaults to none.
    pub fn documentation(self, url: impl Into<String>) -> Self {
        self.set("resource_documentation", Value::String(url.into()))
    }

    /// Sets the URL of this resource's own keys (`jwks_uri`): the keys that *it* signs with, not the issuer's. Defaults to none.
    pub fn jwks_uri(mut self, url: impl Into<String>) -> Self {
        let url = url.into();
        if let Err(problem) = SecureUrl::parse("jwks_uri", &url) {
            self.problems.push(problem);
        }
        self.set("jwks_uri", Value::String(url))
    }

    /// Adds any other member, for example `resource_policy_uri` or one in another language (`resource_name#de`).
    ///
    /// An empty list is left out (RFC 9728 section 3.2). [`build`](Self::build) refuses members that have their own method.
    pub fn member(mut self, name: &str, value: impl Serialize) -> Self {
        if OWN_MEMBERS.contains(&name) {
            self.problems.push(format!("{name}: use the method for it, not `member`"));
            return self;
        }
        match serde_json::to_value(value) {
            Ok(value) => self.set(name, value),
            Err(error) => {
                self.problems.push(format!("{name}: cannot be written as JSON ({error})"));
                self
            }
        }
    }

    /// Checks all members and makes the document.
    ///
    /// # Errors
    ///
    /// If `resource`, an authorization server or `jwks_uri` is not an `https` URL (except for loopback addresses) or has a fragment, or
    /// if a member cannot be set like this. The error lists every problem.
    pub fn build(mut self) -> Result<ResourceMetadata, ConfigError> {
        let resource = SecureUrl::parse("resource", &self.resource);
        let mut problems: Vec<_> = resource.as_ref().err().cloned().into_iter().collect();
        problems.extend(self.authorization_servers.iter().filter_map(|issuer| issuer_problem(issuer)));
        problems.append(&mut self.problems);

        match resource {
            Ok(resource) if problems.is_empty() => {
                let (path, url) = (resource.metadata_path(), resource.metadata_url());
                Ok(ResourceMetadata { document: Arc::new(Document { json: self.json(), path, url }) })
            }
            _ => Err(problems_error(problems)),
        }
    }

    fn json(self) -> String {
        let mut document = Map::new();
        document.insert("resource".into(), self.resource.into());
        document.insert("authorization_servers".into(), self.authorization_servers.into());
        let methods: Value = self.bearer_methods.into_iter().map(BearerMethod::as_str).collect();
        document.insert("bearer_methods_supported".into(), methods);
        document.extend(self.members);
        document.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
        Value::Object(document).to_string()
    }

    fn set(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }
}

/// Members that [`ResourceMetadataBuilder::member`] must not set, because the builder checks them or gives them a default.
const OWN_MEMBERS: &[&str] = &[
    "resource",
    "authorization_servers",
    "scopes_supported",
    "bearer_methods_supported",
    "resource_name",
    "resource_documentation",
    "jwks_uri",
];

fn issuer_problem(issuer: &str) -> Option<String> {
    match SecureUrl::parse("authorization_servers", issuer) {
        Ok(url) if url.has_query() => Some(format!("authorization_servers: {issuer:?} has a query: leave it out")),
        Ok(_) => None,
        Err(problem) => Some(problem),
    }
}

fn problems_error(problems: Vec<String>) -> ConfigError {
    match ConfigError::check(problems) {
        Err(error) => error,
        Ok(()) => ConfigError::new("the metadata cannot be used"),
    }
}
