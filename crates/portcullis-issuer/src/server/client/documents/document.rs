//! [`Document`]: what a client says about itself.

use portcullis_core::KeySet;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{DocumentId, Settings, name::is_name};
use crate::{
    documents::GrantType,
    server::client::{Client, is_own_machine},
};

/// What a client says about itself (RFC 7591 section 2). What is not here is not needed.
#[derive(Deserialize)]
pub(super) struct Document<'a> {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    scope: Option<String>,
    #[serde(borrow)]
    jwks: Option<&'a RawValue>,
    jwks_uri: Option<String>,
    client_secret: Option<IgnoredAny>,
    client_secret_expires_at: Option<IgnoredAny>,
}

/// How many redirect URIs a client has, at most.
const MOST_REDIRECT_URIS: usize = 32;

impl<'a> Document<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        // serde would read a list as the struct, too, whose texts are named nowhere in the document.
        if !text.trim_ascii_start().starts_with('{') {
            return Err("the document is no JSON object".to_owned());
        }
        // The error has no text of the document but names of members, and where.
        serde_json::from_str(text).map_err(|error| format!("the document cannot be read: {error}"))
    }

    /// Returns the client, if everything that it says about itself is allowed.
    ///
    /// `check_keys` says what is wrong with the URL of keys.
    pub(super) fn client(
        self,
        id: &DocumentId<'_>,
        settings: &Settings,
        check_keys: impl Fn(&str) -> Result<(), String>,
    ) -> Result<Client, String> {
        // Otherwise the document of one client could be used by another one (section 4 of the draft).
        if self.client_id != id.as_str() {
            return Err("the document is about another client: `client_id` has to be its URL, byte for byte".to_owned());
        }
        if self.client_secret.is_some() || self.client_secret_expires_at.is_some() {
            return Err("the document has a secret, which everyone can read".to_owned());
        }
        let mut client = self.proven(id, check_keys)?.grants(self.grants()?).refresh_policy(settings.policy);
        for uri in self.allowed_redirect_uris(id, settings)? {
            client = client.redirect_uri(uri);
        }
        let asked: Option<Vec<_>> = self.scope.as_ref().map(|scope| scope.split(' ').collect());
        let is_asked = |scope: &&String| asked.as_ref().is_none_or(|asked| asked.contains(&scope.as_str()));
        client = settings.scopes.iter().filter(is_asked).fold(client, |client, scope| client.scope(scope));
        client = settings.resources.iter().fold(client, Client::resource);
        if let Some(lifetime) = settings.lifetime {
            client = client.access_token_lifetime(lifetime);
        }
        if let Some(name) = self.client_name.filter(|name| is_name(name)) {
            client = client.name(name);
        }
        let problems = client.problems();
        if problems.is_empty() { Ok(client.outsider()) } else { Err(problems.join("; ")) }
    }

    /// Begins the client, by the way in which it proves who it is.
    fn proven(&self, id: &DocumentId<'_>, check_keys: impl Fn(&str) -> Result<(), String>) -> Result<Client, String> {
        match (self.token_endpoint_auth_method.as_deref(), self.jwks, self.jwks_uri.as_deref()) {
            // A client that says nothing has no secret, whatever the default of RFC 7591 is.
            (None | Some("none"), ..) => Ok(Client::public(id.as_str())),
            (Some("private_key_jwt"), Some(_), Some(_)) => {
                Err("the document has `jwks` and `jwks_uri`: use one of the two (RFC 7591 section 2)".to_owned())
            }
            (Some("private_key_jwt"), Some(jwks), None) => {
                let keys = KeySet::from_jwks_strict(jwks.get());
                let keys = keys.map_err(|error| format!("the keys in the document cannot be used: {error}"))?;
                Ok(Client::with_keys(id.as_str(), keys))
            }
            (Some("private_key_jwt"), None, Some(uri)) => {
                check_keys(uri).map_err(|why| format!("the client's keys may not be fetched: {why}"))?;
                Ok(Client::with_jwks_uri(id.as_str(), uri))
            }
            (Some("private_key_jwt"), None, None) => Err("the document has no keys (`jwks` or `jwks_uri`)".to_owned()),
            _ => Err("the client has to be public (`none`), or to have keys (`private_key_jwt`)".to_owned()),
        }
    }

    /// Returns the grants that the client wants, as far as it may have them: codes, and refresh tokens unless it does without.
    fn grants(&self) -> Result<Vec<GrantType>, String> {
        let wants = |list: &Option<Vec<String>>, name: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|each| each == name))
        };
        if !wants(&self.grant_types, "authorization_code") || !wants(&self.response_types, "code") {
            return Err("the client does without codes, and there is no other grant for it".to_owned());
        }
        let mut grants = vec![GrantType::AuthorizationCode];
        grants.extend(wants(&self.grant_types, "refresh_token").then_some(GrantType::RefreshToken));
        Ok(grants)
    }

    fn allowed_redirect_uris(&self, id: &DocumentId<'_>, settings: &Settings) -> Result<&[String], String> {
        let by_rule = |uri: &str| settings.redirect_uris.as_ref().is_some_and(|rule| rule(id.as_str(), uri));
        let is_allowed = |uri: &String| id.has_origin_of(uri) || is_own_machine(uri) || by_rule(uri);
        if self.redirect_uris.len() > MOST_REDIRECT_URIS {
            return Err("the document has too many redirect URIs".to_owned());
        }
        match self.redirect_uris.iter().find(|uri| !is_allowed(uri)) {
            None => Ok(&self.redirect_uris),
            Some(_) => Err("a redirect URI leads to another origin than the client's id".to_owned()),
        }
    }
}
