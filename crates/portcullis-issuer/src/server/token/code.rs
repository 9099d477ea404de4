//! Redeeming an authorization code.

use std::sync::Arc;

use super::{TokenResponse, narrowing};
use crate::{
    StoreError,
    records::{NewRecord, Record, RecordKey, RecordKind, Swapped},
    refresh::{EndReason, FamilyId, Narrowing, to_its_end},
    server::{
        AuthorizationServer, Client, OAuthError, ServerEvent,
        code::{Code, Form, KeptCode, Mismatch},
        parameters::Parameters,
    },
};

/// What a client presents.
struct Presented {
    code: Code,
    redirect_uri: Option<String>,
    verifier: String,
    narrowing: Narrowing,
}

impl AuthorizationServer {
    /// Redeems a code (RFC 6749 section 4.1.3). It goes on if the client hangs up.
    pub(super) async fn redeem(
        &self,
        client: &Arc<Client>,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let text = parameters.required("code")?;
        let verifier = parameters.required("code_verifier")?;
        let code = Code::open(Form::AUTHORIZATION, text, self.sessions().keys()).ok_or_else(not_accepted)?;
        let presented = Presented {
            code,
            redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
            verifier: verifier.to_owned(),
            narrowing: narrowing(client, parameters),
        };
        let (server, client) = (self.clone(), Arc::clone(client));
        to_its_end(async move { server.redeem_now(&client, presented).await }).await?
    }

    async fn redeem_now(&self, client: &Client, presented: Presented) -> Result<TokenResponse, OAuthError> {
        let session = presented.code.session;
        self.check_unredeemed(client, &presented.code).await?;
        let key = key_of(session)?;
        let found = self.records().find(&key).await?.ok_or_else(not_accepted)?;
        let kept = KeptCode::from_json(found.text()).ok_or_else(unreadable)?;
        let share = presented.code.share.digest();
        let checked = kept.check(share, client.id(), presented.redirect_uri.as_deref(), &presented.verifier);
        if let Err(mismatch) = checked {
            return Err(self.mismatched(client, session, found, kept, mismatch).await?);
        }
        let (share, log_in) = (presented.code.share, kept.log_in);
        let opened = self.sessions().log_in_as(session, share, log_in, &client.policy, &presented.narrowing).await?;
        // Otherwise another request with the same code was faster.
        let Some(tokens) = opened else { return Err(self.replayed(client, session).await?) };
        self.records().swap(&key, Some(found.version()), None).await?;
        self.still_allows(client, tokens.session()).await?;
        Ok(TokenResponse::of_session(&tokens, client))
    }

    /// Makes sure that a code was not redeemed before: then it is the code of this session, however old it is.
    pub(super) async fn check_unredeemed(&self, client: &Client, code: &Code) -> Result<(), OAuthError> {
        let session = code.session;
        let Some(family) = self.sessions().find(session).await? else { return Ok(()) };
        if family.share != code.share.digest() {
            self.tell(|| ServerEvent::KeyLeaked { session });
            return Err(not_accepted());
        }
        Err(self.replayed(client, session).await?)
    }

    /// Ends what came of a code that is presented again (RFC 6749 section 4.1.2). Returns the answer.
    pub(super) async fn replayed(&self, client: &Client, session: FamilyId) -> Result<OAuthError, OAuthError> {
        self.tell(|| ServerEvent::CodeReplayed { client_id: client.id().to_owned(), session });
        self.sessions().end(session, EndReason::Reuse).await?;
        Ok(not_accepted())
    }

    /// Counts an attempt that does not redeem the code. Returns the answer.
    async fn mismatched(
        &self,
        client: &Client,
        session: FamilyId,
        found: Record,
        kept: KeptCode,
        mismatch: Mismatch,
    ) -> Result<OAuthError, OAuthError> {
        if mismatch == Mismatch::Forged {
            self.tell(|| ServerEvent::KeyLeaked { session });
            return Ok(not_accepted());
        }
        let attempts = self.count_attempt(&key_of(session)?, found, kept).await?;
        self.tell(|| ServerEvent::CodeMismatch { client_id: client.id().to_owned(), attempts });
        Ok(not_accepted())
    }

    /// Counts a wrong attempt, and ends the code at the last one. Returns how many there were.
    async fn count_attempt(&self, key: &RecordKey, found: Record, kept: KeptCode) -> Result<u8, OAuthError> {
        let (mut found, mut kept) = (found, kept);
        loop {
            let attempts = kept.attempts.saturating_add(1);
            let next = (attempts < KeptCode::MOST_ATTEMPTS).then(|| {
                let next = NewRecord::new(kept.after(attempts).to_json());
                found.until().map_or(next.clone(), |until| next.until(until))
            });
            if self.records().swap(key, Some(found.version()), next).await? == Swapped::Stored {
                return Ok(attempts);
            }
            // Another attempt was counted meanwhile, or the code has ended.
            let Some(later) = self.records().find(key).await? else { return Ok(attempts) };
            kept = KeptCode::from_json(later.text()).ok_or_else(unreadable)?;
            found = later;
        }
    }
}

pub(in crate::server) fn key_of(session: FamilyId) -> Result<RecordKey, OAuthError> {
    Ok(RecordKey::new(RecordKind::Code, session.session_id(), "")?)
}

pub(super) fn not_accepted() -> OAuthError {
    OAuthError::invalid_grant("the code is not accepted")
}

fn unreadable() -> OAuthError {
    StoreError::new("the record of a code is of a later version, or damaged").into()
}
