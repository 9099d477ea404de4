//! The authorization endpoint: what a client asks of a user.

mod answer;
mod approval;
mod prompt;
mod read;

use std::{fmt, sync::Arc};

pub use self::{
    answer::{AuthorizationAnswer, AuthorizationError, Denial},
    approval::Approval,
    prompt::Prompt,
};
use super::{AuthorizationServer, Client, StoreError};

/// What a client asks of a user (RFC 6749 section 4.1.1), and may ask: the client, its redirect URI, PKCE, scopes and resources are checked.
///
/// The application shows its page for logging in, and one that asks the user if [`needs_consent`](Self::needs_consent) says so. Then it
/// [grants](Self::grant) or [denies](Self::deny) the request. Between its pages, it carries the [query](Self::query), and reads the request
/// again from it.
#[derive(Clone)]
#[must_use = "the client waits for an answer"]
pub struct AuthorizationRequest {
    server: AuthorizationServer,
    client: Arc<Client>,
    redirect_uri: String,
    state: Option<String>,
    scopes: Vec<String>,
    resources: Vec<String>,
    challenge: String,
    prompts: Vec<Prompt>,
    login_hint: Option<String>,
    query: String,
}

impl AuthorizationRequest {
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

    /// Returns whether the client asks for this (`prompt`).
    pub fn asks_for(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }

    /// Returns who the client thinks will log in (`login_hint`). It is the client's word: fill a field with it, and do no more.
    pub fn login_hint(&self) -> Option<&str> {
        self.login_hint.as_deref()
    }

    /// Returns the query that the request was read from, for a link to the same page after the user has logged in.
    pub fn query(&self) -> &str {
        &self.query
    }

    /// Returns the redirect URI, for a page that says where the user goes.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Returns whether this user has to be asked: the client is not the application's own, and the user has not allowed it all of this
    /// before, or it asks for the question.
    ///
    /// # Errors
    ///
    /// If it could not be found out.
    pub async fn needs_consent(&self, subject: &str) -> Result<bool, StoreError> {
        if self.asks_for(Prompt::Consent) {
            return Ok(true);
        }
        if self.client.is_first_party() {
            return Ok(false);
        }
        let consent = self.server.consent_of(subject, self.client.id()).await?;
        Ok(!consent.is_some_and(|consent| consent.covers(&self.scopes, &self.resources)))
    }

    /// Answers that the client gets nothing.
    pub fn deny(&self, denial: Denial) -> AuthorizationAnswer {
        self.answer_of(denial.code(), denial.description())
    }
}

impl fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationRequest")
            .field("client", &self.client)
            .field("scopes", &self.scopes)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}
