//! The authorization endpoint: what a client asks of a user.

mod answer;
mod decision;
mod grant;
mod prompt;
mod read;
mod visitor;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::UnixTime;

pub use self::{
    answer::{AuthorizationAnswer, AuthorizationError, Denial},
    decision::{Decision, OpenQuestion, Permitted, Question},
    prompt::Prompt,
    visitor::Visitor,
};
use super::{AuthorizationServer, Client};

/// What a client asks of a user (RFC 6749 section 4.1.1), and may ask: the client, its redirect URI, PKCE, scopes and resources are checked.
///
/// The application asks [`decide`](Self::decide) what to do next, and shows its pages:
///
/// ```
/// use portcullis_issuer::server::{AuthorizationError, AuthorizationServer, Decision, Visitor};
///
/// # async fn page(server: AuthorizationServer, query: &str, visitor: Option<Visitor>) -> Result<(), AuthorizationError> {
/// // GET /authorize
/// let request = server.authorization_request(query).await?;
/// match request.decide(visitor.as_ref()).await? {
///     Decision::LogIn => println!("a page for logging in, with {} in a hidden field", request.ticket()),
///     Decision::Ask(question) => println!("a question, with {} in a hidden field", question.ticket()),
///     Decision::Grant(permitted) => println!("303 {}", permitted.grant().await?.location()),
///     Decision::Answer(answer) => println!("303 {}", answer.location()),
///     _ => println!("an error page"),
/// }
/// # Ok(())
/// # }
/// # async fn form(server: AuthorizationServer, ticket: &str, visitor: Visitor, is_yes: bool) -> Result<(), AuthorizationError> {
///
/// // POST /authorize, the answer to the question
/// let question = server.resume_question(ticket, &visitor).await?;
/// let scopes = question.request().scopes();
/// let answer = if is_yes { question.allow(scopes).await? } else { question.deny() };
/// println!("303 {}", answer.location());
/// # Ok(())
/// # }
/// ```
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
    max_age: Option<Duration>,
    acr_values: Vec<String>,
    query: String,
    started_at: UnixTime,
    is_resumed: bool,
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

    /// Returns how the client wants the user to log in (`acr_values`), the best first. The application decides what it does about it, and says by
    /// [`Visitor::acr`] how the user did.
    pub fn acr_values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.acr_values.iter().map(String::as_str)
    }

    /// Returns the redirect URI, for a page that says where the user goes.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
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
