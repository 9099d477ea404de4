//! [`DeviceRequest`]: what a device asks of the user who has entered its code.

use std::{fmt, sync::Arc};

use portcullis_core::ConfigError;

use super::{KeptDevice, UserCode, device_key, kept::DeviceState, user_code_key};
use crate::{
    StoreError,
    documents::GrantType,
    records::{NewRecord, Swapped},
    refresh::FamilyId,
    server::{
        AuthorizationServer, Client, OAuthError, OAuthErrorCode, ServerEvent, Visitor,
        ticket::{Ticket, TicketKind},
    },
};

/// What a device asks of the user who has entered its code (RFC 8628 section 3.3), and may ask.
///
/// Always show the user the client, what it asks for, and the [code](Self::user_code), to compare with what the device shows: an attacker may have
/// sent the user a link with the code of the attacker's own device (RFC 8628 section 5.4). Then [allow](OpenDeviceRequest::allow) or [deny](OpenDeviceRequest::deny) it.
#[derive(Clone)]
#[must_use = "the device waits for an answer"]
pub struct DeviceRequest {
    server: AuthorizationServer,
    client: Arc<Client>,
    session: FamilyId,
    user_code: UserCode,
    scopes: Vec<String>,
    resources: Vec<String>,
}

impl AuthorizationServer {
    /// Returns the request of the device that shows this code, as the user has entered it: in any case, with or without the dash. `None` if there
    /// is no such device, or it waits no more.
    ///
    /// There are 2.5 * 10^10 codes, each lives 10 minutes, and an attacker who guesses one can only log the device in as the attacker. Ask for a
    /// user who has logged in, and let a user and a network try five times in ten minutes: with 1 000 devices that wait, five attempts find one of
    /// them with a probability of 2 * 10^-7. [`ServerEvent::UserCodeUnknown`] tells of each wrong one.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn device_request(&self, user_code: &str) -> Result<Option<DeviceRequest>, OAuthError> {
        let found = match UserCode::parse(user_code) {
            Some(user_code) => self.find_device(user_code).await?,
            None => None,
        };
        if found.is_none() {
            self.tell(|| ServerEvent::UserCodeUnknown);
        }
        Ok(found)
    }

    async fn find_device(&self, user_code: UserCode) -> Result<Option<DeviceRequest>, OAuthError> {
        let Ok(key) = user_code_key(&user_code) else { return Ok(None) };
        let Some(record) = self.records().find(&key).await? else { return Ok(None) };
        let Some(session) = FamilyId::from_session_id(record.text()) else {
            return Err(StoreError::new("the record of a user's code is damaged").into());
        };
        let Some((_, kept)) = self.find_kept(session).await? else { return Ok(None) };
        if !kept.is_shown_as(&user_code) || !kept.is_open(self.store_now().await?) {
            return Ok(None);
        }
        let client = self.find_client(&kept.client_id).await?;
        let Some(client) = client.filter(|client| client.may_use(GrantType::DeviceCode)) else { return Ok(None) };
        // The client may be allowed less than it was when it asked.
        let scopes = kept.scopes.into_iter().filter(|scope| client.allowed_scopes().any(|own| own == scope)).collect();
        let resources = kept.resources.into_iter().filter(|resource| client.resources().any(|own| own == resource));
        let resources = resources.collect();
        Ok(Some(DeviceRequest { server: self.clone(), client, session, user_code, scopes, resources }))
    }

    async fn find_kept(&self, session: FamilyId) -> Result<Option<(crate::records::Record, KeptDevice)>, StoreError> {
        let Ok(key) = device_key(session) else { return Ok(None) };
        let Some(record) = self.records().find(&key).await? else { return Ok(None) };
        let kept = KeptDevice::parse(&record)?;
        Ok(Some((record, kept)))
    }
}

impl DeviceRequest {
    /// Returns the client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the scopes that the client asks for; all that it may have, if it has named none.
    pub fn scopes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.scopes.iter().map(String::as_str)
    }

    /// Returns the services that the client wants to use; all that it may use, if it has named none.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// Returns the code, as the device shows it.
    pub fn user_code(&self) -> String {
        self.user_code.to_string()
    }

    /// Returns the text for the hidden field of the form that asks this user. It is valid for an hour, for this user in this browser. What the form
    /// sends back, [`AuthorizationServer::resume_device`] reads.
    ///
    /// # Errors
    ///
    /// If it could not be found out, or the user's name cannot be that of a session.
    pub async fn ticket(&self, visitor: &Visitor) -> Result<String, OAuthError> {
        self.server.check_visitor(visitor).await?;
        let now = self.server.token_now();
        let (kind, binding, content) = (TicketKind::Device, visitor.binding(), self.user_code.to_string());
        let ticket = Ticket { kind, started_at: now, made_at: now, binding, content };
        Ok(ticket.seal(self.server.sessions().keys().current()))
    }

    async fn find_open(&self) -> Result<(crate::records::Record, KeptDevice), OAuthError> {
        let now = self.server.store_now().await?;
        let found = self.server.find_kept(self.session).await?.filter(|(_, kept)| kept.is_open(now));
        found.ok_or_else(over)
    }

    /// Keeps the first decision.
    async fn decide(&self, decision: &DeviceState) -> Result<(), OAuthError> {
        loop {
            let (record, kept) = self.find_open().await?;
            let next = NewRecord::new(kept.decided(decision.clone()).to_json());
            let next = record.until().map_or(next.clone(), |until| next.until(until));
            let key = device_key(self.session)?;
            // Otherwise, the device has asked meanwhile, or another page has decided.
            if self.server.records().swap(&key, Some(record.version()), Some(next)).await? == Swapped::Stored {
                return Ok(());
            }
        }
    }
}

/// A question about a device that was shown to this user in this browser, and has come back.
#[derive(Clone, Debug)]
#[must_use = "the device waits for an answer"]
pub struct OpenDeviceRequest {
    request: DeviceRequest,
    visitor: Visitor,
}

impl AuthorizationServer {
    /// Returns the question that a form answers, by the [ticket](DeviceRequest::ticket) in its hidden field.
    ///
    /// # Errors
    ///
    /// If the ticket is not this server's, or too old, or the question was shown to another user or in another browser;
    /// [`OAuthErrorCode::ExpiredToken`] if the device waits no more.
    pub async fn resume_device(&self, ticket: &str, visitor: &Visitor) -> Result<OpenDeviceRequest, OAuthError> {
        let ticket = self.opened(ticket, TicketKind::Device)?;
        if ticket.binding != visitor.binding() {
            return Err(OAuthError::invalid_request("the question was shown to another user, or in another browser"));
        }
        self.check_visitor(visitor).await?;
        let request = self.device_request(&ticket.content).await?.ok_or_else(over)?;
        Ok(OpenDeviceRequest { request, visitor: visitor.clone() })
    }
}

impl OpenDeviceRequest {
    /// Returns what was asked.
    pub fn request(&self) -> &DeviceRequest {
        &self.request
    }

    /// Lets the device have its tokens, with these scopes, when it asks the next time, and keeps what the user has allowed it.
    ///
    /// # Errors
    ///
    /// [`OAuthErrorCode::ExpiredToken`] if the request was answered already, or the user took too long. Otherwise, if a scope was not asked for, or
    /// a store cannot be reached: the device still waits then.
    pub async fn allow<T: AsRef<str>>(&self, scopes: impl IntoIterator<Item = T>) -> Result<(), OAuthError> {
        let request = &self.request;
        let scopes: Vec<_> = scopes.into_iter().collect();
        let scopes: Vec<_> = scopes.iter().map(AsRef::as_ref).collect();
        if let Some(unasked) = scopes.iter().find(|scope| !request.scopes().any(|asked| asked == **scope)) {
            let problem = format!("the scope {unasked:?} was granted, and the device has not asked for it");
            return Err(ConfigError::new(problem).into());
        }
        request.find_open().await?;
        let now = request.server.store_now().await?.to_unix();
        let log_in = self.visitor.log_in(&request.client, scopes, &request.resources).decided_at(now);
        let consent = request.server.keep_consent(&request.client, &log_in, true).await?;
        request.decide(&DeviceState::Granted { log_in: Box::new(log_in), consent }).await?;
        let (client_id, session) = (request.client.id().to_owned(), request.session);
        request.server.tell(|| ServerEvent::Granted { client_id, session });
        Ok(())
    }

    /// Tells the device that it gets no tokens.
    ///
    /// # Errors
    ///
    /// As for [`allow`](Self::allow).
    pub async fn deny(&self) -> Result<(), OAuthError> {
        self.request.decide(&DeviceState::Denied).await
    }
}

fn over() -> OAuthError {
    OAuthError::new(OAuthErrorCode::ExpiredToken, "the request of the device was answered already, or has expired")
}

impl fmt::Debug for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceRequest")
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}
