//! The revocation endpoint.

use portcullis_core::revocation::Revocation;

use super::{AuthorizationServer, Endpoint, EndpointRequest, OAuthError};

impl AuthorizationServer {
    /// Answers a request to the revocation endpoint (RFC 7009): a refresh token ends its session, an access token ends alone. It is a success,
    /// too, if the token is unknown, has ended, or is another client's, for which nothing changes.
    ///
    /// # Errors
    ///
    /// The answer for the client. After [`TemporarilyUnavailable`](super::OAuthErrorCode::TemporarilyUnavailable), the token may still be good, and
    /// the client sends the same request again.
    pub async fn revoke(&self, request: &EndpointRequest<'_>) -> Result<(), OAuthError> {
        self.watched(Endpoint::Revocation.name(), self.revocation_of(request).await)
    }

    async fn revocation_of(&self, request: &EndpointRequest<'_>) -> Result<(), OAuthError> {
        let parameters = request.parameters()?;
        let client = self.authenticate(Endpoint::Revocation, request, &parameters).await?;
        // `token_type_hint` is not needed: the forms differ.
        let token = parameters.required("token")?;
        if self.sessions().end_by_token(token, client.id()).await? {
            return Ok(());
        }
        let Some(verified) = self.0.own_tokens.verify(token).await? else { return Ok(()) };
        if verified.client_id() != Some(client.id()) {
            return Ok(());
        }
        // Our own access tokens have both.
        if let (Some(id), Some(expires_at)) = (verified.token_id(), verified.expires_at()) {
            self.sessions().revoke(Revocation::token(self.spec().issuer(), id, expires_at)).await?;
        }
        Ok(())
    }
}
