//! [`Approval`]: what a user allows a client.

use std::{fmt, time::Duration};

use portcullis_core::ConfigError;

use super::{AuthorizationAnswer, AuthorizationRequest};
use crate::{
    StoreError,
    records::NewRecord,
    refresh::{FamilyId, LogIn, Share, random},
    server::{
        Client, OAuthError, ServerEvent,
        code::{Code, Form, KeptCode},
        token::key_of,
    },
};

/// What a user who has logged in allows a client: to act for this user, with these scopes.
#[derive(Clone)]
#[must_use = "an approval is nothing until a request is granted with it"]
pub struct Approval {
    subject: String,
    scopes: Vec<String>,
    version: Option<u64>,
    acr: Option<String>,
    label: Option<String>,
}

impl Approval {
    /// Begins the approval of this user. It allows nothing yet.
    pub fn by(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), scopes: Vec::new(), version: None, acr: None, label: None }
    }

    /// Allows these scopes, and those of earlier calls, as far as the client has asked for them: often all of
    /// [`AuthorizationRequest::scopes`].
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Sets the user's token version now: see [`LogIn::version`].
    pub fn version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Sets how the user has logged in (`acr`).
    pub fn acr(self, class: impl Into<String>) -> Self {
        Self { acr: Some(class.into()), ..self }
    }

    /// Sets the name under which the user finds the session in a list, such as the device's.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    /// Returns the log-in at a client that has asked for this.
    pub(in crate::server) fn log_in(
        &self,
        client: &Client,
        scopes: &[String],
        resources: &[String],
    ) -> Result<LogIn, ConfigError> {
        if let Some(missing) = self.scopes.iter().find(|scope| !scopes.contains(scope)) {
            return Err(ConfigError::new(format!(
                "the scope {missing:?} was granted, and the client has not asked for it"
            )));
        }
        let mut log_in = LogIn::new(&self.subject, client.id());
        let is_allowed = |scope: &&String| self.scopes.contains(scope);
        log_in = scopes.iter().filter(is_allowed).fold(log_in, |log_in, scope| log_in.scope(scope));
        log_in = resources.iter().fold(log_in, LogIn::audience);
        if let Some(version) = self.version {
            log_in = log_in.version(version);
        }
        if let Some(class) = &self.acr {
            log_in = log_in.acr(class);
        }
        if let Some(label) = &self.label {
            log_in = log_in.label(label);
        }
        Ok(log_in)
    }
}

/// Shows no user.
impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approval").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

impl AuthorizationRequest {
    /// How long a code can be redeemed: 60 s. Clients do so at once.
    pub const CODE_LIFETIME: Duration = Duration::from_secs(60);

    /// Answers the client with a code, and keeps what the user has allowed it.
    ///
    /// # Errors
    ///
    /// If the user's name cannot be kept, or a store cannot be reached. Nothing was handed out then.
    pub async fn grant(&self, approval: Approval) -> Result<AuthorizationAnswer, OAuthError> {
        let log_in = approval.log_in(&self.client, &self.scopes, &self.resources)?;
        let server = &self.server;
        let (session, share) = (FamilyId::from_bytes(random()?), Share::new(random()?));
        let kept = KeptCode::new(share.digest(), self.redirect_uri.clone(), self.challenge.clone(), log_in.clone());
        server.keep_consent(&self.client, &log_in).await?;
        let now = server.now().await?;
        let record = NewRecord::new(kept.to_json()).until(now.plus(Self::CODE_LIFETIME));
        let stored = server.records().swap(&key_of(session)?, None, Some(record)).await?;
        if stored != crate::records::Swapped::Stored {
            return Err(StoreError::new("there is a code of this id already").into());
        }
        let code = Code { session, share }.seal(Form::AUTHORIZATION, server.sessions().keys().current());
        server.tell(|| ServerEvent::Granted { client_id: self.client.id().to_owned(), session });
        Ok(self.answer_with_code(&code))
    }
}
