//! An identity provider, all but the audience.

#[cfg(feature = "reqwest")]
use portcullis_core::ConfigError;
use portcullis_core::{TrustedIssuer, keys::KeySource, policy::Profile};

use crate::{RemoteKeys, RemoteKeysBuilder};

/// An identity provider whose quirks are known: made by the functions of [this module](crate::provider).
///
/// Nothing is fetched before [`trust`](Self::trust), or the start of its [`keys`](Self::keys).
#[derive(Clone, Debug)]
#[must_use = "a provider is trusted for an audience: see `trust` and `trust_with`"]
pub struct Provider {
    name: &'static str,
    issuer: String,
    /// Where the keys are, if not where the issuer's metadata says.
    keys_at: Option<String>,
    quirks: Vec<Quirk>,
}

/// In what an issuer differs from what a [`TrustedIssuer`] takes for granted.
#[derive(Clone, Debug)]
pub(super) enum Quirk {
    /// Roles stand at this JSON pointer.
    RolesAt(String),
    /// The client's id stands at this JSON pointer.
    ClientAt(&'static str),
    /// No claim names a client.
    NoClient,
    /// Every token is that of an application.
    ApplicationsOnly,
    /// Tokens of applications have this text as that claim, which no user can choose; those of users have another, or none.
    ApplicationIf(&'static str, &'static str),
    /// Access tokens have this claim, ID tokens have not.
    Has(&'static str),
    /// The tokens that are meant have this text as that claim.
    HasValue(&'static str, String),
    /// Where a token has this claim, it is this text.
    ValueIfPresent(&'static str, &'static str),
    /// Access tokens are of this kind, ID tokens are not.
    Profile(Profile),
}

impl Provider {
    /// One whose metadata names `issuer`, and says where its keys are.
    pub(super) fn new<const N: usize>(name: &'static str, issuer: String, quirks: [Quirk; N]) -> Self {
        Self { name, issuer, keys_at: None, quirks: quirks.into() }
    }

    /// One whose keys are at a known URL.
    pub(super) fn keys_at(mut self, url: String) -> Self {
        self.keys_at = Some(url);
        self
    }

    /// One more thing in which it differs.
    pub(super) fn with(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// What people call it: `Auth0`, `Entra ID`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What its tokens have as `iss`, exactly.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Its keys, for [`trust_with`](Self::trust_with): to set how they are fetched, and to start.
    pub fn keys(&self) -> RemoteKeysBuilder {
        match &self.keys_at {
            Some(url) => RemoteKeys::from_url(url),
            None => RemoteKeys::discover(&self.issuer),
        }
    }

    /// Trusts its tokens for `audience` when one of `keys` signed them.
    ///
    /// The keys are [its own](Self::keys), or any others that are known to be: a shared secret of a Supabase project, say.
    /// What `audience` is, is the provider's to say: see the function that made it.
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

    /// Trusts its tokens for `audience`, and fetches its keys from now on, with the defaults. To be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If there is no runtime, or no client can be made. That the provider cannot be reached is no error: tokens are then answered
    /// with 503 until it can.
    #[cfg(feature = "reqwest")]
    pub fn trust(&self, audience: impl Into<String>) -> Result<TrustedIssuer, ConfigError> {
        Ok(self.trust_with(audience, self.keys().start()?))
    }
}
