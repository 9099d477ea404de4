//! Deleting a client, with all that came of it.

use portcullis_core::{ConfigError, policy::Leeway, revocation::Revocation};

use super::{AuthorizationServer, Deletion, OAuthError, consent::consent_key};
use crate::{
    records::{RecordGroup, RecordKey, RecordKind},
    refresh::EndReason,
};

impl AuthorizationServer {
    /// Deletes a client, ends its sessions and access tokens, and forgets what users allow it. It goes on if its caller goes away, and can be
    /// repeated: after an error, repeat it until it succeeds.
    ///
    /// A code or a refresh token that is presented meanwhile gives nothing that lasts: the client is looked for again after a session was
    /// opened. The id stays taken for a while: see [`StoredClients`](super::StoredClients).
    ///
    /// # Errors
    ///
    /// If the client [cannot be deleted](Deletion::Fixed), of which nothing was ended; or if a part did not succeed. Also if sessions of a user cannot be
    /// read, so that they may be of this client: the source of the error says how many. No token comes of them any more.
    pub async fn delete_client(&self, client_id: &str) -> Result<(), OAuthError> {
        let (server, client_id) = (self.clone(), client_id.to_owned());
        let deleted = async move { server.delete_client_now(&client_id).await };
        self.sessions().tasks().end_to_its_end(deleted).await?
    }

    async fn delete_client_now(&self, client_id: &str) -> Result<(), OAuthError> {
        // First, so that everything that is opened later finds no client.
        if let Deletion::Fixed { why } = self.0.clients.delete(client_id).await? {
            return Err(ConfigError::new(format!("the client {client_id:?} cannot be deleted: {why}")).into());
        }
        let issuer = self.spec().issuer();
        let cut_off = Revocation::cut_off_at(self.sessions().issuer().own_clock().now(), Leeway::default());
        let revoked = self.sessions().revoke(Revocation::client(issuer, client_id, cut_off)).await;
        // What a client that acts for itself has got is about the client, also after another one has exchanged it. No user is named so.
        let exchanged = self.sessions().revoke(Revocation::subject(issuer, client_id, cut_off)).await;
        // The log forgets the client long before these end by themselves.
        let tokens = match &self.0.api_tokens {
            Some(tokens) => tokens.end_of_application(client_id).await,
            None => Ok(()),
        };
        let ended = self.end_all_of_client(client_id).await;
        tokens?;
        revoked?;
        exchanged?;
        ended
    }

    /// Ends the sessions of a client, and forgets its consents, user by user. Each is done even if another one failed.
    async fn end_all_of_client(&self, client_id: &str) -> Result<(), OAuthError> {
        let users = self.records().list(&RecordGroup::new(RecordKind::UserOfClient, client_id)?).await?;
        let mut outcome = Ok(());
        for (subject, _) in users {
            let ended = self.end_all_of_both(&subject, client_id).await;
            outcome = outcome.and(ended);
        }
        outcome
    }

    async fn end_all_of_both(&self, subject: &str, client_id: &str) -> Result<(), OAuthError> {
        self.end_sessions_of(subject, client_id, EndReason::Revoked).await?;
        self.forget_consent(subject, client_id).await
    }

    /// Forgets what a user allows a client, and last that there may be sessions of the two, so that it is found again if it did not succeed.
    pub(super) async fn forget_consent(&self, subject: &str, client_id: &str) -> Result<(), OAuthError> {
        self.forget(&consent_key(subject, client_id)?).await?;
        self.forget(&RecordKey::new(RecordKind::UserOfClient, client_id, subject)?).await
    }

    pub(super) async fn forget(&self, key: &RecordKey) -> Result<(), OAuthError> {
        while let Some(record) = self.records().find(key).await? {
            self.records().swap(key, Some(record.version()), None).await?;
        }
        Ok(())
    }
}
