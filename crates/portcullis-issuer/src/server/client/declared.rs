//! [`DeclaredClients`]: what is known about the clients when a server is made.

use portcullis_core::policy::TokenSpec;

use super::Client;
use crate::documents::ClientAuthentication;

/// What is known about the clients when a server is made: what is wrong with them, and what the metadata names because of them. The default says
/// nothing.
///
/// ```
/// use portcullis_core::policy::TokenSpec;
/// use portcullis_issuer::server::{Client, DeclaredClients};
///
/// let spec = TokenSpec::new("https://id.example.com").audience("https://orders.example.com");
/// let page = Client::public("web").redirect_uri("https://app.example.com/callback").resource("https://order.example.com");
/// let declared = DeclaredClients::new().client(&page, &spec);
/// assert!(declared.problems().next().is_some_and(|problem| problem.contains("no audience")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a server knows it if `Clients::declared` returns it"]
pub struct DeclaredClients {
    problems: Vec<String>,
    exchange: Exchange,
    have_keys: bool,
    have_documents: bool,
}

/// Whether clients exchange tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Exchange {
    #[default]
    Unknown,
    /// There may be one that does.
    Possible,
    /// There is one.
    Certain,
}

impl DeclaredClients {
    /// Says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one client: what is wrong with it at a server of this specification, and what it uses.
    pub fn client(mut self, client: &Client, spec: &TokenSpec) -> Self {
        self.problems.extend(client.problems_at(spec));
        if client.exchange_policy().is_some() {
            self.exchange = Exchange::Certain;
        }
        self.have_keys |= client.authentication() == ClientAuthentication::PrivateKeyJwt;
        self
    }

    /// Adds a problem, as a sentence for the developer: the server is not made.
    pub fn problem(mut self, problem: impl Into<String>) -> Self {
        self.problems.push(problem.into());
        self
    }

    /// Says that there may be clients that exchange tokens ([`Client::exchange`]), so that the metadata names the grant if the server has a view of
    /// revocations. A [client](Self::client) that does is a problem without one.
    pub fn exchange_tokens(self) -> Self {
        Self { exchange: self.exchange.max(Exchange::Possible), ..self }
    }

    /// Says that there may be clients with keys ([`Client::with_keys`]), so that the metadata names `private_key_jwt`.
    pub fn have_keys(self) -> Self {
        Self { have_keys: true, ..self }
    }

    /// Says that a client's id may be the URL of a document about it, so that the metadata says so.
    pub fn have_documents(self) -> Self {
        Self { have_documents: true, ..self }
    }

    /// Adds what is known about other clients.
    pub fn and(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        Self {
            problems: self.problems,
            exchange: self.exchange.max(other.exchange),
            have_keys: self.have_keys || other.have_keys,
            have_documents: self.have_documents || other.have_documents,
        }
    }

    /// Returns the problems.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &str> {
        self.problems.iter().map(String::as_str)
    }

    /// Returns all problems, at a server with or without a view of revocations.
    pub(in crate::server) fn problems_with(&self, has_view: bool) -> Vec<String> {
        let mut problems = self.problems.clone();
        if self.exchange == Exchange::Certain && !has_view {
            problems.push(
                "token exchange needs a view of revocations, or a token that has ended would be exchanged: give one to the sessions (`Sessions::revocations`)"
                    .to_owned(),
            );
        }
        problems
    }

    pub(in crate::server) fn may_exchange_tokens(&self) -> bool {
        self.exchange != Exchange::Unknown
    }

    pub(in crate::server) const fn may_have_keys(&self) -> bool {
        self.have_keys
    }

    pub(in crate::server) const fn may_have_documents(&self) -> bool {
        self.have_documents
    }
}
