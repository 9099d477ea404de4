//! Redeeming an authorization code.

use std::sync::Arc;

use super::{Opening, TokenResponse, narrowing};
use crate::{
    StoreError,
    records::{NewRecord, RecordKey, Swapped},
    refresh::{EndReason, FamilyId, Narrowing, Share},
    server::{
        AuthorizationServer, Client, OAuthError, ServerEvent,
        code::{Code, CodeKind, KeptCode, Mismatch, code_key},
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
        let code = Code::open(CodeKind::AUTHORIZATION, text, self.sessions().keys()).ok_or_else(not_accepted)?;
        let presented = Presented {
            code,
            redirect_uri: parameters.get("redirect_uri").map(str::to_owned),
            verifier: verifier.to_owned(),
            narrowing: narrowing(client, parameters.all("resource"))?,
        };
        let (server, client) = (self.clone(), Arc::clone(client));
        let redeemed = async move { server.redeem_now(&client, presented).await };
        self.sessions().tasks().to_its_end(redeemed).await?
    }

    async fn redeem_now(&self, client: &Client, presented: Presented) -> Result<TokenResponse, OAuthError> {
        let (code, session) = (&presented.code, presented.code.session);
        let share = code.share_with(&presented.verifier);
        self.check_unredeemed(client, session, &share).await?;
        let key = code_key(session)?;
        let kept = self.attempt(client, session, &key).await?;
        if let Err(mismatch) = kept.check(code.share.digest(), presented.redirect_uri.as_deref(), &presented.verifier) {
            return Err(self.mismatched(client, session, &kept, mismatch));
        }
        let KeptCode { log_in, consent, .. } = kept;
        let narrowing = presented.narrowing;
        self.open_session(client, Opening { session, share, log_in, consent, narrowing }).await
    }

    /// Makes sure that a code was not redeemed before: then it is the code of this session, however old it is. Only the client that could have
    /// redeemed it ends the session: a code alone is in histories and logs.
    pub(super) async fn check_unredeemed(
        &self,
        client: &Client,
        session: FamilyId,
        share: &Share,
    ) -> Result<(), OAuthError> {
        let Some(family) = self.sessions().find(session).await? else { return Ok(()) };
        if family.share == share.digest() && family.log_in.client_id() == client.id() {
            return Err(self.replayed(client, session).await?);
        }
        self.tell(|| ServerEvent::CodeSeen { client_id: client.id().to_owned(), session });
        Err(not_accepted())
    }

    /// Ends what came of a code that is presented again (RFC 6749 section 4.1.2). Returns the answer.
    pub(super) async fn replayed(&self, client: &Client, session: FamilyId) -> Result<OAuthError, OAuthError> {
        self.tell(|| ServerEvent::CodeReplayed { client_id: client.id().to_owned(), session });
        self.sessions().end(session, EndReason::Reuse).await?;
        Ok(not_accepted())
    }

    /// Counts an attempt of the code's own client before the code is looked at, so that several at once are several. Returns what is kept of it.
    async fn attempt(&self, client: &Client, session: FamilyId, key: &RecordKey) -> Result<KeptCode, OAuthError> {
        const ROUNDS: usize = 16;
        for _ in 0..ROUNDS {
            let found = self.records().find(key).await?.ok_or_else(not_accepted)?;
            let kept = KeptCode::from_json(found.text()).ok_or_else(unreadable)?;
            if kept.log_in.client_id() != client.id() {
                self.tell(|| ServerEvent::CodeSeen { client_id: client.id().to_owned(), session });
                return Err(not_accepted());
            }
            if kept.attempts >= KeptCode::MOST_ATTEMPTS {
                return Err(not_accepted());
            }
            let kept = kept.after_another();
            let next = NewRecord::new(kept.to_json());
            let next = found.until().map_or(next.clone(), |until| next.until(until));
            if self.records().swap(key, Some(found.version()), Some(next)).await? == Swapped::Stored {
                return Ok(kept);
            }
        }
        Err(StoreError::new("a code is presented by too many requests at once").into())
    }

    /// Returns the answer to an attempt that does not redeem the code.
    fn mismatched(&self, client: &Client, session: FamilyId, kept: &KeptCode, mismatch: Mismatch) -> OAuthError {
        self.tell(|| match mismatch {
            Mismatch::Forged => ServerEvent::KeyLeaked { session },
            Mismatch::RedirectUri | Mismatch::Verifier => {
                ServerEvent::CodeMismatch { client_id: client.id().to_owned(), attempts: kept.attempts }
            }
        });
        not_accepted()
    }
}

pub(super) fn not_accepted() -> OAuthError {
    OAuthError::invalid_grant("the code is not accepted")
}

fn unreadable() -> OAuthError {
    StoreError::new("the record of a code is of a later version, or damaged").into()
}
