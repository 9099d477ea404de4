//! [`Decision`]: what the application does next with a request.

use portcullis_core::ConfigError;

use super::{AuthorizationAnswer, AuthorizationRequest, Denial, Prompt, Visitor, read::AUTHORIZATION};
use crate::server::{
    AuthorizationServer, OAuthError,
    ticket::{Ticket, TicketKind},
};

/// What the application does next with a request. See [`AuthorizationRequest::decide`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// Show the page for logging in, also to a user who is logged in. It carries the [ticket](AuthorizationRequest::ticket) of the request in a hidden
    /// field; [resume](AuthorizationServer::resume_request) the request with it.
    LogIn,
    /// Ask the user.
    Ask(Question),
    /// [Grant](Permitted::grant) it: the user has allowed all of it before, or the client is the application's own.
    Grant(Permitted),
    /// Redirect the browser: the client wanted no page, and there would have to be one.
    Answer(AuthorizationAnswer),
}

/// A question to the user: may this client act for you, with these scopes, at these services?
///
/// Show it on a page that no other site can frame (`Content-Security-Policy: frame-ancestors 'none'`), with a form whose hidden field has the
/// [ticket](Self::ticket). What the form sends back, [`AuthorizationServer::resume_question`] reads.
#[derive(Clone, Debug)]
#[must_use = "the user is to be asked"]
pub struct Question {
    request: AuthorizationRequest,
    ticket: String,
}

/// A request that needs no question.
#[derive(Clone, Debug)]
#[must_use = "the client waits for an answer"]
pub struct Permitted {
    request: AuthorizationRequest,
    visitor: Visitor,
}

/// A question that was shown to this user in this browser, and has come back.
#[derive(Clone, Debug)]
#[must_use = "the client waits for an answer"]
pub struct OpenQuestion {
    request: AuthorizationRequest,
    visitor: Visitor,
}

impl AuthorizationRequest {
    /// Returns what the application does next. `visitor` is who has logged in in this browser; `None` if no one has.
    ///
    /// # Errors
    ///
    /// If it could not be found out, or the user's name cannot be that of a session.
    pub async fn decide(&self, visitor: Option<&Visitor>) -> Result<Decision, OAuthError> {
        self.server.watched(AUTHORIZATION, self.decision(visitor).await)
    }

    async fn decision(&self, visitor: Option<&Visitor>) -> Result<Decision, OAuthError> {
        let is_quiet = self.asks_for(Prompt::None);
        let Some(visitor) = visitor.filter(|visitor| self.is_fresh_enough(visitor)) else {
            return Ok(if is_quiet { Decision::Answer(self.deny(Denial::LoginRequired)) } else { Decision::LogIn });
        };
        self.server.check_visitor(visitor).await?;
        let request = self.clone();
        if !self.needs_question(visitor.subject()).await? {
            return Ok(Decision::Grant(Permitted { request, visitor: visitor.clone() }));
        }
        if is_quiet {
            return Ok(Decision::Answer(self.deny(Denial::ConsentRequired)));
        }
        let ticket = self.sealed(TicketKind::Question, visitor.binding());
        Ok(Decision::Ask(Question { request, ticket }))
    }

    /// Whether the user has logged in as lately as the client wants it.
    fn is_fresh_enough(&self, visitor: &Visitor) -> bool {
        let since = visitor.authenticated_at;
        let is_new = !self.asks_for(Prompt::Login) || since >= self.started_at;
        let has_chosen = !self.asks_for(Prompt::SelectAccount) || self.is_resumed;
        // A log-in for this very request is recent enough, however long its page took. When it started is in the sealed ticket.
        let is_recent = |max_age| since >= self.started_at || self.server.token_now() <= since.plus(max_age);
        is_new && has_chosen && self.max_age.is_none_or(is_recent)
    }

    /// Whether this user has to be asked.
    async fn needs_question(&self, subject: &str) -> Result<bool, OAuthError> {
        if self.asks_for(Prompt::Consent) || self.client.may_be_another_program(&self.redirect_uri) {
            return Ok(true);
        }
        if self.client.is_first_party() {
            return Ok(false);
        }
        let consent = self.server.consent_of(subject, self.client.id()).await?;
        Ok(!consent.is_some_and(|consent| consent.covers(&self.scopes, &self.resources)))
    }

    /// Returns the text that a page for logging in carries in a hidden field, or in its URL. It is valid for an hour.
    pub fn ticket(&self) -> String {
        self.sealed(TicketKind::Request, [0; 16])
    }

    fn sealed(&self, kind: TicketKind, binding: [u8; 16]) -> String {
        let (started_at, made_at) = (self.started_at, self.server.token_now());
        let ticket = Ticket { kind, started_at, made_at, binding, content: self.query.clone() };
        ticket.seal(self.server.sessions().keys().current())
    }
}

impl Question {
    /// Returns what is asked.
    pub fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Returns the text for the hidden field of the form. It is valid for an hour, for this user in this browser.
    pub fn ticket(&self) -> &str {
        &self.ticket
    }
}

impl Permitted {
    /// Grants all that the client asks for, and answers it with a code.
    ///
    /// # Errors
    ///
    /// If a store cannot be reached. Nothing was handed out then.
    pub async fn grant(&self) -> Result<AuthorizationAnswer, OAuthError> {
        let granted = self.request.grant(&self.visitor, self.request.scopes(), false).await;
        self.request.server.watched(AUTHORIZATION, granted)
    }
}

impl OpenQuestion {
    /// Returns what was asked.
    pub fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Grants these scopes, as the user has said, and answers the client with a code. What the user has allowed is kept, so that the same is not
    /// asked again.
    ///
    /// # Errors
    ///
    /// If a scope was not asked for, or a store cannot be reached. Nothing was handed out then.
    pub async fn allow<T: AsRef<str>>(
        &self,
        scopes: impl IntoIterator<Item = T>,
    ) -> Result<AuthorizationAnswer, OAuthError> {
        let scopes: Vec<_> = scopes.into_iter().collect();
        let scopes: Vec<_> = scopes.iter().map(AsRef::as_ref).collect();
        if let Some(unasked) = scopes.iter().find(|scope| !self.request.scopes().any(|asked| asked == **scope)) {
            let problem = format!("the scope {unasked:?} was granted, and the client has not asked for it");
            return Err(ConfigError::new(problem).into());
        }
        self.request.server.watched(AUTHORIZATION, self.request.grant(&self.visitor, scopes, true).await)
    }

    /// Answers that the user has said no.
    pub fn deny(&self) -> AuthorizationAnswer {
        self.request.deny(Denial::Denied)
    }
}

impl AuthorizationServer {
    /// Returns the request that a page for logging in has carried in its [ticket](AuthorizationRequest::ticket).
    ///
    /// # Errors
    ///
    /// As for [`authorization_request`](Self::authorization_request); and if the ticket is not this server's, or older than an hour.
    pub async fn resume_request(&self, ticket: &str) -> Result<AuthorizationRequest, super::AuthorizationError> {
        let ticket = self.opened(ticket, TicketKind::Request)?;
        let request = self.authorization_request(&ticket.content).await?;
        Ok(AuthorizationRequest { started_at: ticket.started_at, is_resumed: true, ..request })
    }

    /// Returns the question that a form answers, by the [ticket](Question::ticket) in its hidden field.
    ///
    /// # Errors
    ///
    /// As for [`resume_request`](Self::resume_request); and if the question was shown to another user, or in another browser: show a page, and redirect nowhere.
    pub async fn resume_question(
        &self,
        ticket: &str,
        visitor: &Visitor,
    ) -> Result<OpenQuestion, super::AuthorizationError> {
        let ticket = self.opened(ticket, TicketKind::Question)?;
        if ticket.binding != visitor.binding() {
            return Err(
                OAuthError::invalid_request("the question was shown to another user, or in another browser").into()
            );
        }
        self.check_visitor(visitor).await?;
        let request = self.authorization_request(&ticket.content).await?;
        let request = AuthorizationRequest { started_at: ticket.started_at, is_resumed: true, ..request };
        Ok(OpenQuestion { request, visitor: visitor.clone() })
    }

    pub(in crate::server) fn opened(&self, ticket: &str, kind: TicketKind) -> Result<Ticket, OAuthError> {
        Ticket::open(ticket, kind, self.sessions().keys(), self.token_now())
            .ok_or_else(|| OAuthError::invalid_request("the page is too old: begin again at the application"))
    }
}
