//! Devices without a browser, such as a command line (RFC 8628): they show a code, which the user enters on a page of the application.

mod kept;
mod request;
mod user_code;

use std::{fmt, time::Duration};

use portcullis_core::ConfigError;
use serde_json::json;
use zeroize::Zeroizing;

pub use self::request::{DeviceRequest, OpenDeviceRequest};
pub(super) use self::{
    kept::{Asked, KeptDevice},
    user_code::UserCode,
};
use super::{
    AuthorizationServer, Client, Endpoint, EndpointRequest, OAuthError, OAuthErrorCode,
    code::{Code, CodeKind},
};
use crate::{
    StoreError,
    documents::GrantType,
    records::{NewRecord, RecordKey, RecordKind, Swapped},
    refresh::{FamilyId, Share, random},
};

/// The answer of the device authorization endpoint (RFC 8628 section 3.2). `Debug` does not show the codes.
#[derive(Clone)]
pub struct DeviceAuthorization {
    device_code: Zeroizing<String>,
    user_code: UserCode,
    page: String,
}

impl DeviceAuthorization {
    /// How long a user has time to enter the code: 10 minutes.
    pub const LIFETIME: Duration = Duration::from_secs(600);

    /// How long a device waits between its questions: 5 s, and 5 s more for each time that it did not.
    pub const INTERVAL: Duration = Duration::from_secs(5);

    /// Returns the code with which the device asks for its tokens.
    pub fn device_code(&self) -> &str {
        &self.device_code
    }

    /// Returns the code that the device shows, as `BCDF-GHJK`.
    pub fn user_code(&self) -> String {
        self.user_code.to_string()
    }

    /// Returns the page at which the user enters the code.
    pub fn verification_uri(&self) -> &str {
        &self.page
    }

    /// Returns the page with the code in it (`user_code`), for a QR code. The page still has to show the code, and to ask the user.
    pub fn verification_uri_complete(&self) -> String {
        let separator = if self.page.contains('?') { '&' } else { '?' };
        format!("{}{separator}user_code={}", self.page, self.user_code)
    }

    /// Returns the body (`application/json`). Send it with `Cache-Control: no-store`.
    pub fn to_json(&self) -> Zeroizing<String> {
        let body = json!({
            "device_code": *self.device_code,
            "user_code": self.user_code(),
            "verification_uri": self.page,
            "verification_uri_complete": self.verification_uri_complete(),
            "expires_in": Self::LIFETIME.as_secs(),
            "interval": Self::INTERVAL.as_secs(),
        });
        Zeroizing::new(body.to_string())
    }
}

impl fmt::Debug for DeviceAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAuthorization").field("page", &self.page).finish_non_exhaustive()
    }
}

/// How long the record stays after its end, so that a device that still asks is told that it was too late.
const AFTERLIFE: Duration = Duration::from_secs(600);

impl AuthorizationServer {
    /// Answers a request to the device authorization endpoint (RFC 8628 section 3.1).
    ///
    /// Anyone can claim the id of a public client, and each request is kept for some minutes: limit how many one network may send.
    ///
    /// # Errors
    ///
    /// The answer for the client, see [`OAuthErrorCode`].
    pub async fn device_authorization(&self, request: &EndpointRequest<'_>) -> Result<DeviceAuthorization, OAuthError> {
        self.watched(Endpoint::DeviceAuthorization.name(), self.device_authorization_of(request).await)
    }

    async fn device_authorization_of(&self, request: &EndpointRequest<'_>) -> Result<DeviceAuthorization, OAuthError> {
        let parameters = request.parameters()?;
        let client = self.authenticate(Endpoint::DeviceAuthorization, request, &parameters).await?;
        let page = self.0.endpoints.verification_page.clone().ok_or_else(|| {
            OAuthError::new(OAuthErrorCode::UnsupportedGrantType, "this server does not have the grant of devices")
        })?;
        if !client.may_use(GrantType::DeviceCode) {
            return Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, "the client may not use this grant"));
        }
        let asked = (client.scopes_for(parameters.scopes()?)?, client.resources_for(parameters.all("resource"))?);
        let code = Code { session: FamilyId::from_bytes(random()?), share: Share::new(random()?) };
        let user_code = self.keep_device(&client, &code, asked).await?;
        let device_code = code.seal(CodeKind::DEVICE, self.sessions().keys().current());
        Ok(DeviceAuthorization { device_code, user_code, page })
    }

    /// Keeps the request of a device. Returns the code by which a user finds it, which is no other device's.
    async fn keep_device(
        &self,
        client: &Client,
        code: &Code,
        asked: (Vec<String>, Vec<String>),
    ) -> Result<UserCode, OAuthError> {
        const ATTEMPTS: usize = 8;
        let now = self.store_now().await?;
        let expires_at = now.plus(DeviceAuthorization::LIFETIME);
        for _ in 0..ATTEMPTS {
            let user_code = UserCode::generate()?;
            let record = NewRecord::new(code.session.session_id()).until(expires_at);
            if self.records().swap(&user_code_key(&user_code)?, None, Some(record)).await? == Swapped::Conflict {
                continue;
            }
            let kept = KeptDevice::new(code.share.digest(), &user_code, client.id(), asked, expires_at);
            let record = NewRecord::new(kept.to_json()).until(expires_at.plus(AFTERLIFE));
            return match self.records().swap(&device_key(code.session)?, None, Some(record)).await? {
                Swapped::Stored => Ok(user_code),
                Swapped::Conflict => Err(StoreError::new("there is a device of this id already").into()),
            };
        }
        Err(StoreError::new("no code for a user could be found that is free").into())
    }
}

pub(super) fn device_key(session: FamilyId) -> Result<RecordKey, ConfigError> {
    RecordKey::new(RecordKind::DeviceCode, session.session_id(), "")
}

fn user_code_key(user_code: &UserCode) -> Result<RecordKey, ConfigError> {
    RecordKey::new(RecordKind::UserCode, user_code.letters(), "")
}

/// Makes sure that a page can be opened by a user, and that a code can be added to it.
pub(super) fn check_page(url: &str) -> Result<(), ConfigError> {
    let is_url = url.starts_with("https://") || super::client::is_own_machine(url);
    if is_url && !url.contains('#') && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "the page for codes of devices {url:?} is not an https URL without a fragment (http is for loopback addresses only)"
    )))
}
