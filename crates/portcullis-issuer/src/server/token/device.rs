//! Redeeming the code of a device.

use std::sync::Arc;

use super::{Opening, TokenResponse, code::not_accepted, narrowing};
use crate::{
    records::{NewRecord, Record, RecordKey, Swapped},
    refresh::LogIn,
    server::{
        AuthorizationServer, Client, OAuthError, OAuthErrorCode, ServerEvent,
        code::{Code, CodeKind},
        device::{Asked, KeptDevice, device_key},
        parameters::Parameters,
    },
};

impl AuthorizationServer {
    /// Answers a device that asks for its tokens (RFC 8628 section 3.4). Once the user has granted them, it goes on if the device hangs up.
    pub(super) async fn redeem_device(
        &self,
        client: &Arc<Client>,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let text = parameters.required("device_code")?;
        let code = Code::open(CodeKind::DEVICE, text, self.sessions().keys()).ok_or_else(not_accepted)?;
        let narrowing = narrowing(client, parameters.all("resource"))?;
        self.check_unredeemed(client, code.session, &code.share).await?;
        let (log_in, consent) = self.granted_to_device(client, &code).await?;
        let opening = Opening { session: code.session, share: code.share, log_in, consent, narrowing };
        let (server, client) = (self.clone(), Arc::clone(client));
        let opened = async move { server.open_session(&client, opening).await };
        self.sessions().tasks().to_its_end(opened).await?
    }

    /// Returns what the user has granted to a device. If the user has not decided yet, it keeps when the device has asked.
    ///
    /// It reads twice at most, and writes once: a device that asks many times at once must not make each question wait for all others.
    async fn granted_to_device(&self, client: &Client, code: &Code) -> Result<(LogIn, String), OAuthError> {
        let (key, now) = (device_key(code.session)?, self.store_now().await?);
        let (record, kept) = self.kept_for_device(client, code, &key).await?;
        let (error, next) = match kept.asked(now) {
            Asked::Granted(log_in, consent) => return Ok((log_in, consent)),
            Asked::Refused(error) => return Err(refused(error)),
            Asked::Wait(error, next) => (error, NewRecord::new(next.to_json())),
        };
        let next = record.until().map_or(next.clone(), |until| next.until(until));
        if self.records().swap(&key, Some(record.version()), Some(next)).await? == Swapped::Stored {
            return Err(refused(error));
        }
        let (_, kept) = self.kept_for_device(client, code, &key).await?;
        match kept.asked(now) {
            // The user has decided meanwhile.
            Asked::Granted(log_in, consent) => Ok((log_in, consent)),
            Asked::Refused(error) => Err(refused(error)),
            // Another question of the same device was faster: they come at once, and so too often.
            Asked::Wait(..) => Err(refused(OAuthErrorCode::SlowDown)),
        }
    }

    /// Returns what is kept about the device of a code.
    async fn kept_for_device(
        &self,
        client: &Client,
        code: &Code,
        key: &RecordKey,
    ) -> Result<(Record, KeptDevice), OAuthError> {
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
        Ok((record, kept))
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
