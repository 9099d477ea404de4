//! [`Provider`]: an identity provider, complete except for the audience.

#[cfg(feature = "reqwest")]
use portcullis_core::ConfigError;
use portcullis_core::{TrustedIssuer, keys::KeySource, policy::Profile};

use crate::{RemoteKeys, RemoteKeysBuilder};

/// A well-known identity provider. Made by the functions of [this module](crate::provider).
///
/// Nothing is fetched before [`trust`](Self::trust), or before its [`keys`](Self::keys) are started.
#[derive(Clone, Debug)]
#[must_use = "a provider is trusted for an audience: see `trust` and `trust_with`"]
pub struct Provider {
    name: &'static str,
    issuer: String,
    /// The URL of the keys, if not from the issuer's metadata.
    keys_at: Option<String>,
    quirks: Vec<Quirk>,
}

/// How an issuer differs from the defaults of a [`TrustedIssuer`].
#[derive(Clone, Debug)]
pub(super) enum Quirk {
    /// Roles are at this JSON pointer.
    RolesAt(String),
    /// The client's id is at this JSON pointer.
    ClientAt(&'static str),
    /// No claim names a client.
    NoClient,
    /// Every token belongs to an application.
    ApplicationsOnly,
    /// Tokens of applications have this text as that claim, which users cannot choose; tokens of users have another value, or none.
    ApplicationIf(&'static str, &'static str),
    /// Access tokens have this claim, ID tokens do not.
    Has(&'static str),
    /// The accepted tokens have this text as that claim.
    HasValue(&'static str, String),
    /// If a token has this claim, its value is this text.
    ValueIfPresent(&'static str, &'static str),
    /// Access tokens have this profile, ID tokens do not.
    Profile(Profile),
}

impl Provider {
    /// Returns a provider whose metadata names `issuer` and the URL of its keys.
    pub(super) fn new<const N: usize>(name: &'static str, issuer: String, quirks: [Quirk; N]) -> Self {
        Self { name, issuer, keys_at: None, quirks: quirks.into() }
    }

    /// Fetches the keys from a known URL.
    pub(super) fn keys_at(mut self, url: String) -> Self {
        self.keys_at = Some(url);
        self
    }

    /// Adds a quirk.
    pub(super) fn with(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// Returns the usual name: `Auth0`, `Entra ID`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the exact `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns its keys, for [`trust_with`](Self::trust_with): to configure how they are fetched, and to start.
    pub fn keys(&self) -> RemoteKeysBuilder {
        match &self.keys_at {
            Some(url) => RemoteKeys::from_url(url),
            None => RemoteKeys::discover(&self.issuer),
        }
    }

    /// Trusts its tokens with this `audience` if one of `keys` signed them.
    ///
    /// The keys are [its own](Self::keys), or others that you know to be valid, for example the shared secret of a Supabase project. The
    /// provider decides what the audience is: see the function that made it.
    pub fn trust_with(&self, audience: impl Into<String>, keys: impl KeySource) -> TrustedIssuer {
        let plain = TrustedIssuer::new(&self.issuer, keys).audience(audience);
        self.quirks.iter().fold(plain, |issuer, quirk| match quirk {
            Quirk::RolesAt(pointer) => issuer.roles_at(pointer),
            Quirk::ClientAt(pointer) => issuer.client_claim(*pointer),
            Quirk::NoClient => issuer.without_client_claim(),
            Quirk::ApplicationsOnly => issuer.application_if("/iss", &self.issuer),
            Quirk::ApplicationIf(pointer, value) => issuer.application_if(*pointer, *value),
            Quirk::Has(pointer) => issuer.access_token_claim(*pointer),
            Quirk::HasValue(pointer, value) => issuer.access_token_claim_value(*pointer, value),
            Quirk::ValueIfPresent(pointer, value) => issuer.access_token_claim_value_if_present(*pointer, *value),
            Quirk::Profile(profile) => issuer.profile(*profile),
        })
    }

    /// Trusts its tokens with this `audience`, and fetches its keys from now on, with the default settings. Must be called inside a tokio
    /// runtime.
    ///
    /// # Errors
    ///
    /// If there is no runtime, or no client can be created. An unreachable provider is not an error: tokens are answered with 503 until
    /// it can be reached.
    #[cfg(feature = "reqwest")]
    pub fn trust(&self, audience: impl Into<String>) -> Result<TrustedIssuer, ConfigError> {
        Ok(self.trust_with(audience, self.keys().start()?))
    }
}
