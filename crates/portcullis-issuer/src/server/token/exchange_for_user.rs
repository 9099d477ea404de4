//! An application exchanges its API token for an access token of a user, who has consented.

use std::time::Duration;

use portcullis_core::{
    UnixTime,
    verified::{CredentialKind, Facts},
};

use super::{
    TokenResponse,
    exchange::{check_scopes, not_accepted, resources},
};
use crate::{
    AccessToken, ActingParty,
    server::{AuthorizationServer, Client, ExchangePolicy, OAuthError, ServerEvent, parameters::Parameters},
};

/// How long a token lives, at most, that an API token was exchanged for: nothing but its end tells services that the API token was revoked.
pub(super) const LIFE: Duration = Duration::from_secs(600);

/// The parameter that names the user. RFC 8693 has none; this is Keycloak's name.
pub(super) const REQUESTED_SUBJECT: &str = "requested_subject";

impl AuthorizationServer {
    /// Exchanges the API token of an application for an access token with which it acts for a user. The user has to have allowed that.
    pub(super) async fn exchange_for_user(
        &self,
        client: &Client,
        policy: &ExchangePolicy,
        text: &str,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let subject = self.find_subject(text).await?;
        check_application(client, policy, &subject)?;
        let user = parameters.required(REQUESTED_SUBJECT)?;
        let asked = parameters.scopes()?.filter(|scopes| !scopes.is_empty());
        let scopes = asked.ok_or_else(|| OAuthError::invalid_request("name the scopes that are needed, by `scope`"))?;
        check_scopes(policy, &subject, &scopes)?;
        let resources = resources(client, policy, parameters)?;
        self.check_consent(client, user, &scopes, &resources).await?;
        let content = AccessToken::for_user(user, client.id()).scope(&scopes.join(" "));
        let content = content.actor(ActingParty::new(client.id())).ends_by(end(&subject, self.token_now()));
        let content = client.lifetime.into_iter().fold(content, AccessToken::lifetime);
        let content = resources.iter().fold(content, AccessToken::audience);
        let minted = self.sessions().issuer().mint(&content).await?;
        // All of it may have changed while a signer far away was signing.
        let again = self.find_subject(text).await?;
        check_scopes(policy, &again, &scopes)?;
        self.check_consent(client, user, &scopes, &resources).await?;
        self.check_still_there(client).await?;
        let token_of = subject.client_id().unwrap_or_default().to_owned();
        self.tell(|| ServerEvent::Exchanged { client_id: client.id().to_owned(), token_of, impersonates: false });
        Ok(TokenResponse::of_exchange(minted))
    }

    /// Makes sure that the user allows the client all this, and may do it. To the client, no user, no consent and less than asked for are one.
    async fn check_consent(
        &self,
        client: &Client,
        user: &str,
        scopes: &[String],
        resources: &[String],
    ) -> Result<(), OAuthError> {
        let consent = self.consent_of(user, client.id()).await?;
        let allows = consent.is_some_and(|consent| consent.covers(scopes, resources));
        let Some(api_tokens) = &self.0.api_tokens else { return Err(not_accepted()) };
        if allows && api_tokens.user_may(user, scopes).await? {
            return Ok(());
        }
        Err(OAuthError::invalid_request("the user has not allowed this"))
    }
}

/// Makes sure that the token is the client's own, as an application.
fn check_application(client: &Client, policy: &ExchangePolicy, subject: &Facts) -> Result<(), OAuthError> {
    let is_application = subject.credential() == CredentialKind::ApiToken && subject.subject().is_none();
    if policy.acts_for_users && is_application && subject.client_id() == Some(client.id()) {
        Ok(())
    } else {
        Err(not_accepted())
    }
}

/// Returns when the new token of an API token ends, at the latest.
pub(super) fn end(subject: &Facts, now: UnixTime) -> UnixTime {
    let latest = now.plus(LIFE);
    subject.expires_at().map_or(latest, |end| end.min(latest))
}
