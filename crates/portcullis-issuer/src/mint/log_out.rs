//! [`LogOutToken`]: tells a client that a session has ended.

use std::{fmt, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Header, Inner, MintError, TokenIssuer, check_algorithm, check_form, token_id};

/// The content of a log-out token (OpenID Connect Back-Channel Logout 1.0 section 2.4): which session of which user has ended at which client.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a log-out token is nothing until it is minted"]
pub struct LogOutToken {
    client_id: String,
    subject: String,
    session: String,
}

impl LogOutToken {
    /// How long a log-out token is valid: 120 s. Mint a new one for each attempt to deliver it.
    pub const LIFETIME: Duration = Duration::from_secs(120);

    /// Begins the content for this client: the session (`sid`) of this user has ended.
    pub fn new(client_id: impl Into<String>, subject: impl Into<String>, session: impl Into<String>) -> Self {
        Self { client_id: client_id.into(), subject: subject.into(), session: session.into() }
    }
}

/// Shows the client, but not the user.
impl fmt::Debug for LogOutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOutToken").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl TokenIssuer {
    /// Mints a log-out token: its type is `logout+jwt`, its audience is the client, and it is valid for [`LogOutToken::LIFETIME`].
    ///
    /// # Errors
    ///
    /// If it could not be signed: see [`MintErrorKind`](super::MintErrorKind).
    pub async fn mint_log_out(&self, content: &LogOutToken) -> Result<String, MintError> {
        let Inner { spec, signer, clock } = &*self.0;
        let signer = signer.clone().choose(LogOutToken::LIFETIME).outcome().await?;
        check_algorithm(spec, signer.algorithm())?;
        let now = clock.precise_now();
        let claims = json!({
            "iss": spec.issuer(),
            "sub": content.subject,
            "aud": content.client_id,
            "iat": now.as_secs(),
            "exp": (now + LogOutToken::LIFETIME).as_secs(),
            "jti": token_id::generate(now)?,
            "sid": content.session,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let header = Header { alg: signer.algorithm().name(), kid: signer.key_id(), typ: "logout+jwt" };
        let mut token = URL_SAFE_NO_PAD.encode(header.to_json()?);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = signer.sign(token.as_bytes()).outcome().await?;
        check_form(&*signer, &signature)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature.as_bytes(), &mut token);
        Ok(token)
    }
}
