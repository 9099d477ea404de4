//! [`Opening`]: a session that a grant opens.

use super::TokenResponse;
use crate::{
    refresh::{FamilyId, LogIn, Narrowing, Share},
    server::{AuthorizationServer, Client, OAuthError},
};

/// A session that a grant opens: that of a code, of a device, or of the application's own page.
pub(in crate::server) struct Opening {
    pub(in crate::server) session: FamilyId,
    pub(in crate::server) share: Share,
    pub(in crate::server) log_in: LogIn,
    /// The id of the consent.
    pub(in crate::server) consent: String,
    pub(in crate::server) narrowing: Narrowing,
}

impl AuthorizationServer {
    /// Opens a session, whose id is that of its code. Returns its first tokens.
    pub(in crate::server) async fn open_session(
        &self,
        client: &Client,
        opening: Opening,
    ) -> Result<TokenResponse, OAuthError> {
        let Opening { session, share, log_in, consent, narrowing } = opening;
        let opened = self.sessions().log_in_as(session, share, log_in, &client.policy, &narrowing).await?;
        // Otherwise another request with the same code was faster.
        let Some(tokens) = opened else { return Err(self.replayed(client, session).await?) };
        // The record of the code stays until its end, and redeems nothing: there is a session of its id.
        self.still_allows(client, tokens.session(), &consent).await?;
        Ok(TokenResponse::of_session(&tokens, client))
    }
}
