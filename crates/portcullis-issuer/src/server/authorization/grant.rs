//! Granting a request: the code, and what is kept.

use std::time::Duration;

use super::{AuthorizationAnswer, AuthorizationRequest, Visitor};
use crate::{
    StoreError,
    records::{NewRecord, Swapped},
    refresh::{FamilyId, Share, random},
    server::{
        OAuthError, ServerEvent,
        code::{Code, CodeKind, KeptCode, code_key},
    },
};

impl AuthorizationRequest {
    /// How long a code can be redeemed: 60 s. Clients do so at once.
    pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

    /// Answers the client with a code, and keeps what the user has allowed it.
    pub(super) async fn grant<'a>(
        &self,
        visitor: &Visitor,
        scopes: impl IntoIterator<Item = &'a str> + Send,
        is_asked: bool,
    ) -> Result<AuthorizationAnswer, OAuthError> {
        let server = &self.server;
        let now = server.store_now().await?;
        // The session begins now, and not when its code is redeemed: what ends the user's sessions until then ends this one, too.
        let log_in = visitor.log_in(&self.client, scopes, &self.resources).decided_at(now.to_unix());
        let consent = server.keep_consent(&self.client, &log_in, is_asked).await?;
        let (session, share) = (FamilyId::from_bytes(random()?), Share::new(random()?));
        let kept = KeptCode::new(share.digest(), self.redirect_uri.clone(), self.challenge.clone(), log_in, consent);
        let record = NewRecord::new(kept.to_json()).until(now.plus(Self::CODE_LIFETIME));
        if server.records().swap(&code_key(session)?, None, Some(record)).await? != Swapped::Stored {
            return Err(StoreError::new("there is a code of this id already").into());
        }
        let code = Code { session, share }.seal(CodeKind::AUTHORIZATION, server.sessions().keys().current());
        server.tell(|| ServerEvent::Granted { client_id: self.client.id().to_owned(), session });
        Ok(self.answer_with_code(&code))
    }
}
