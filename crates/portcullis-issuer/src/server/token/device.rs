//! Redeeming the code of a device.

use std::sync::Arc;

use super::{TokenResponse, code::not_accepted, narrowing};
use crate::{
    records::{NewRecord, RecordKey, Swapped},
    refresh::{LogIn, Narrowing, to_its_end},
    server::{
        AuthorizationServer, Client, OAuthError, OAuthErrorCode, ServerEvent,
        code::{Code, Form},
        device::{Asked, KeptDevice, device_key},
        parameters::Parameters,
    },
};

impl AuthorizationServer {
    /// Answers a device that asks for its tokens (RFC 8628 section 3.4). It goes on if the device hangs up.
    pub(super) async fn redeem_device(
        &self,
        client: &Arc<Client>,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let text = parameters.required("device_code")?;
        let code = Code::open(Form::DEVICE, text, self.sessions().keys()).ok_or_else(not_accepted)?;
        let (server, client, narrowing) = (self.clone(), Arc::clone(client), narrowing(client, parameters)?);
        to_its_end(async move { server.redeem_device_now(&client, code, &narrowing).await }).await?
    }

    async fn redeem_device_now(
        &self,
        client: &Client,
        code: Code,
        narrowing: &Narrowing,
    ) -> Result<TokenResponse, OAuthError> {
        self.check_unredeemed(client, code.session, &code.share).await?;
        let key = device_key(code.session)?;
        let (log_in, consent) = self.granted_to_device(client, &code, &key).await?;
        let session = code.session;
        let opened = self.sessions().log_in_as(session, code.share, log_in, &client.policy, narrowing).await?;
        // Otherwise another request with the same code was faster.
        let Some(tokens) = opened else { return Err(self.replayed(client, session).await?) };
        // Its record stays until its end, and redeems nothing: there is a session of its id.
        self.still_allows(client, tokens.session(), &consent).await?;
        Ok(TokenResponse::of_session(&tokens, client))
    }

    /// Returns what the user has granted to a device. If the user has not decided yet, it keeps when the device has asked.
    async fn granted_to_device(
        &self,
        client: &Client,
        code: &Code,
        key: &RecordKey,
    ) -> Result<(LogIn, String), OAuthError> {
        loop {
            let record = self.records().find(key).await?.ok_or_else(not_accepted)?;
            let kept = KeptDevice::parse(&record)?;
            if !kept.has_share(code.share.digest()) {
                self.tell(|| ServerEvent::KeyLeaked { session: code.session });
                return Err(not_accepted());
            }
            // Nothing is kept about the question of another client.
            if kept.client_id != client.id() {
                return Err(not_accepted());
            }
            let (error, next) = match kept.asked(self.now().await?) {
                Asked::Granted(log_in, consent) => return Ok((log_in, consent)),
                Asked::Refused(error) => return Err(refused(error)),
                Asked::Wait(error, next) => (error, NewRecord::new(next.to_json())),
            };
            let next = record.until().map_or(next.clone(), |until| next.until(until));
            // Otherwise, the user has decided meanwhile, or the device asks twice at once.
            if self.records().swap(key, Some(record.version()), Some(next)).await? == Swapped::Stored {
                return Err(refused(error));
            }
        }
    }
}

fn refused(code: OAuthErrorCode) -> OAuthError {
    let description = match code {
        OAuthErrorCode::AuthorizationPending => "the user has not decided yet",
        OAuthErrorCode::SlowDown => {
            "the user has not decided yet: wait five seconds longer between questions from now on"
        }
        OAuthErrorCode::ExpiredToken => "the user took too long: ask for another code",
        _ => "the user has denied the request",
    };
    OAuthError::new(code, description)
}
