//! The token endpoint.

mod client_credentials;
mod code;
mod device;
mod exchange;
mod exchange_for_user;
mod opening;
mod response;

pub(super) use self::opening::Opening;
pub use self::response::TokenResponse;
use super::{
    AuthorizationServer, Client, Endpoint, EndpointRequest, OAuthError, OAuthErrorCode, parameters::Parameters,
};
use crate::{documents::GrantType, refresh::Narrowing};

impl AuthorizationServer {
    /// Answers a request to the token endpoint (RFC 6749 section 3.2).
    ///
    /// # Errors
    ///
    /// The answer for the client, see [`OAuthErrorCode`]. After [`OAuthErrorCode::TemporarilyUnavailable`], it may send the same request again.
    pub async fn token(&self, request: &EndpointRequest<'_>) -> Result<TokenResponse, OAuthError> {
        self.watched(Endpoint::Token.name(), self.token_of(request).await)
    }

    async fn token_of(&self, request: &EndpointRequest<'_>) -> Result<TokenResponse, OAuthError> {
        let parameters = request.parameters()?;
        let client = self.authenticate(Endpoint::Token, request, &parameters).await?;
        let grant = GrantType::from_name(parameters.required("grant_type")?).ok_or_else(|| {
            OAuthError::new(OAuthErrorCode::UnsupportedGrantType, "this server does not have such a grant")
        })?;
        if !client.may_use(grant) {
            return Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, "the client may not use this grant"));
        }
        match grant {
            GrantType::AuthorizationCode => self.redeem(&client, &parameters).await,
            GrantType::RefreshToken => self.refresh(&client, &parameters).await,
            GrantType::DeviceCode => self.redeem_device(&client, &parameters).await,
            GrantType::ClientCredentials => self.client_credentials(&client, &parameters).await,
            GrantType::TokenExchange => self.exchange(&client, request, &parameters).await,
        }
    }

    /// Exchanges a refresh token (RFC 6749 section 6).
    async fn refresh(&self, client: &Client, parameters: &Parameters) -> Result<TokenResponse, OAuthError> {
        self.refresh_with(client, parameters.required("refresh_token")?, parameters).await
    }

    pub(super) async fn refresh_with(
        &self,
        client: &Client,
        refresh_token: &str,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let mut narrowing = narrowing(client, parameters.all("resource"))?;
        if let Some(scopes) = parameters.scopes()? {
            narrowing = narrowing.scope(&scopes.join(" "));
        }
        let tokens = self.sessions().refresh(refresh_token, client.id(), &client.policy, narrowing).await?;
        Ok(TokenResponse::of_session(&tokens, client))
    }
}

/// Returns what the client asks of the next access token, and may have now: it may be allowed less than when its user was asked.
pub(super) fn narrowing<'a>(
    client: &Client,
    resources: impl Iterator<Item = &'a str>,
) -> Result<Narrowing, OAuthError> {
    let (mut narrowing, mut resources) = (Narrowing::new(), resources.peekable());
    if resources.peek().is_some() {
        let resources = client.resources_for(resources)?;
        narrowing = resources.into_iter().fold(narrowing, Narrowing::audience);
    }
    if let Some(lifetime) = client.lifetime {
        narrowing = narrowing.lifetime(lifetime);
    }
    let (scopes, resources) = (client.allowed_scopes(), client.resources());
    narrowing = narrowing.within(scopes.map(str::to_owned).collect(), resources.map(str::to_owned).collect());
    Ok(if client.may_combine_resources { narrowing } else { narrowing.for_one_audience() })
}
