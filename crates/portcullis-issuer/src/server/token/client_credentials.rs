//! Tokens with which an application acts for itself.

use super::TokenResponse;
use crate::{
    AccessToken,
    server::{AuthorizationServer, Client, OAuthError, parameters::Parameters},
};

impl AuthorizationServer {
    /// Mints a token for the client itself (RFC 6749 section 4.4). There is no refresh token: it can ask again.
    pub(super) async fn client_credentials(
        &self,
        client: &Client,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let scopes = client.scopes_for(parameters.scopes()?)?;
        let resources = client.resources_for(parameters.all("resource"))?;
        if resources.len() > 1 && !client.may_combine_resources {
            return Err(OAuthError::invalid_target("the token would be for several resources: name one by `resource`"));
        }
        let mut content = AccessToken::for_application(client.id()).scope(&scopes.join(" "));
        content = resources.into_iter().fold(content, AccessToken::audience);
        if let Some(lifetime) = client.lifetime {
            content = content.lifetime(lifetime);
        }
        let access = self.sessions().issuer().mint(&content).await?;
        // A client that was deleted meanwhile gets nothing: the deletion revokes what was minted before it.
        if self.find_client(client.id()).await?.is_none() {
            return Err(OAuthError::invalid_client());
        }
        Ok(TokenResponse::of_token(access))
    }
}
