//! Sessions of the application's own page, for [`BrowserSessions`](crate::routes::BrowserSessions).

mod log_in;

use std::{error::Error, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::ConfigError;
use zeroize::Zeroizing;

pub use self::log_in::PageLogIn;
use super::{
    AuthorizationServer, Client, EndpointRequest, OAuthError, TokenResponse,
    token::{Opening, narrowing},
};
use crate::{
    documents::{ClientAuthentication, GrantType},
    refresh::{FamilyId, NotAccepted, RefreshError, Share, random, session_of_token},
};

/// What the MAC of a page is for, so that it is no other MAC of the same key.
const CONTEXT: &[u8] = b"portcullis page 1";

impl AuthorizationServer {
    pub(crate) fn issuer(&self) -> &str {
        self.spec().issuer()
    }

    /// Makes sure that there is a page's client of this id.
    pub(crate) async fn check_page_client(&self, client_id: &str) -> Result<(), ConfigError> {
        let problem = match self.page_client(client_id).await {
            Ok(_) => return Ok(()),
            Err(error) => error.source().map_or_else(|| error.to_string(), ToString::to_string),
        };
        Err(ConfigError::new(problem))
    }

    /// Returns the page's client: one that has no secret to keep, and uses refresh tokens.
    async fn page_client(&self, client_id: &str) -> Result<Arc<Client>, OAuthError> {
        let client = self.find_client(client_id).await?;
        let is_page = |client: &Arc<Client>| {
            client.authentication() == ClientAuthentication::None && client.may_use(GrantType::RefreshToken)
        };
        client.filter(is_page).ok_or_else(|| {
            ConfigError::new(format!("{client_id:?} is not a public client that uses refresh tokens: add one")).into()
        })
    }

    /// Opens a session of the page. Returns its tokens, and how long it lasts at most.
    pub(crate) async fn log_in_page(
        &self,
        client_id: &str,
        log_in: PageLogIn,
    ) -> Result<(TokenResponse, Duration), OAuthError> {
        let client = self.page_client(client_id).await?;
        let server = self.clone();
        let opened = async move { server.log_in_page_now(&client, log_in).await };
        self.sessions().tasks().to_its_end(opened).await?
    }

    async fn log_in_page_now(
        &self,
        client: &Client,
        log_in: PageLogIn,
    ) -> Result<(TokenResponse, Duration), OAuthError> {
        self.check_user(&log_in.subject, log_in.label.as_deref()).await?;
        let narrowing = narrowing(client, log_in.resource.as_deref().into_iter())?;
        let log_in = log_in.log_in(client);
        let consent = self.keep_consent(client, &log_in, false).await?;
        let (session, share) = (FamilyId::from_bytes(random()?), Share::new(random()?));
        let tokens = self.open_session(client, Opening { session, share, log_in, consent, narrowing }).await?;
        Ok((tokens, client.policy.longest()))
    }

    /// Refreshes a session of the page. The request may have `resource` and `scope`.
    pub(crate) async fn refresh_page(
        &self,
        client_id: &str,
        refresh_token: &str,
        request: &EndpointRequest<'_>,
    ) -> Result<(TokenResponse, Duration), OAuthError> {
        let client = self.page_client(client_id).await?;
        let tokens = self.refresh_with(&client, refresh_token, &request.parameters()?).await?;
        Ok((tokens, client.policy.longest()))
    }

    /// Ends the session of a refresh token of the page.
    pub(crate) async fn end_page(&self, client_id: &str, refresh_token: &str) -> Result<(), OAuthError> {
        self.sessions().end_by_token(refresh_token, client_id).await?;
        Ok(())
    }

    /// Ends all sessions of the user whose session this is. A session that has ended ends no other.
    pub(crate) async fn end_everywhere(&self, client_id: &str, refresh_token: &str) -> Result<(), OAuthError> {
        let found = self.sessions().find_by_token(refresh_token, client_id).await?;
        let family = found.ok_or(RefreshError::InvalidGrant(NotAccepted::Unknown))?;
        if let Some(reason) = family.ended {
            return Err(RefreshError::InvalidGrant(NotAccepted::Ended(reason)).into());
        }
        Ok(self.sessions().log_out_everywhere(family.log_in.subject()).await?)
    }

    /// Returns the MAC of the session of a refresh token; `None` if this issuer has not made the token. It is the same for all tokens of a session.
    pub(crate) fn page_mac(&self, refresh_token: &str) -> Option<Zeroizing<String>> {
        let keys = self.sessions().keys();
        let (session, key_id) = session_of_token(refresh_token, keys)?;
        let tag = keys.find(key_id)?.tag(CONTEXT, session.as_bytes());
        Some(Zeroizing::new(URL_SAFE_NO_PAD.encode(&tag.as_ref()[..16])))
    }
}
