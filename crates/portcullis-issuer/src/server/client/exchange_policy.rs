//! [`ExchangePolicy`]: which tokens a client may exchange, and for what.

use portcullis_core::verified::{CredentialKind, Facts};

use super::Client;
use crate::{
    documents::GrantType,
    server::{own_tokens::is_for, proof::Proof},
    space_separated::space_separated,
};

/// Which access tokens a client may exchange for others, and what the others can do (RFC 8693). Nothing is allowed by default.
///
/// The new token is about the same user and session, and never outlives the one that was exchanged. It has those of its scopes that are allowed here,
/// and names the client as the one that acts (`act`), with those that have acted before. The application's own claims are not carried over.
///
/// What ends the session, the user's version, all tokens of the user, or the client that has exchanged, ends the new token. **Revoking the one token that
/// was exchanged does not**, and neither does deleting the client that had got it, unless it is a program that acts for itself: the new token is
/// another client's. Such a token lives no longer than the one that was exchanged.
///
/// ```
/// use portcullis_issuer::server::{Client, ClientSecret, ExchangePolicy};
///
/// # let secret = "a secret of at least 32 characters, random";
/// // The service of orders calls that of bills, for the user who has called it.
/// let policy = ExchangePolicy::new()
///     .tokens_for("https://orders.example.com")
///     .resource("https://bills.example.com")
///     .scope("bills:read");
/// let orders = Client::confidential("orders", ClientSecret::from_secret(secret)?).grants([]).exchange(policy);
/// # Ok::<(), portcullis_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "rules change nothing until a client has them"]
pub struct ExchangePolicy {
    pub(super) of_services: Vec<String>,
    pub(super) of_clients: Vec<String>,
    pub(in crate::server) resources: Vec<String>,
    pub(in crate::server) scopes: Vec<String>,
    pub(in crate::server) roles: Vec<String>,
    pub(in crate::server) impersonates: bool,
    pub(in crate::server) api_tokens: bool,
    pub(in crate::server) acts_for_users: bool,
}

impl ExchangePolicy {
    /// Begins rules that allow nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows tokens that are for this service: the service that the client is, which gets them with requests. Several add up.
    pub fn tokens_for(mut self, audience: impl Into<String>) -> Self {
        self.of_services.push(audience.into());
        self
    }

    /// Allows tokens that this client has got, whatever service they are for. Several add up.
    pub fn tokens_of(mut self, client_id: impl Into<String>) -> Self {
        self.of_clients.push(client_id.into());
        self
    }

    /// Adds a service that the new tokens may be for: an audience of the specification. Several add up; the client then names one of them by
    /// `resource` or `audience`.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Adds to the scopes that the new tokens keep, if the exchanged one has them: one, or several separated by spaces. Defaults to none.
    pub fn scope(mut self, scope: &str) -> Self {
        self.scopes.extend(space_separated(scope).map(str::to_owned));
        self
    }

    /// Adds a role that the new tokens keep, if the exchanged one has it. Defaults to none.
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Does not name the client in the new tokens (`act`), so that **services cannot tell it from the user**. Those that have acted before stay named.
    ///
    /// Defaults to naming it. This is weaker: what the client does looks like what the user does, in permissions and in every audit log. Use it only
    /// for a client that is part of the application that the user uses.
    pub fn danger_impersonates(self) -> Self {
        Self { impersonates: true, ..self }
    }

    /// Also allows API tokens of this issuer ([`AuthorizationServerBuilder::api_tokens`](crate::server::AuthorizationServerBuilder::api_tokens)), for
    /// an access token that services verify without asking. Defaults to refusing them.
    ///
    /// The new token lives ten minutes at most, and no longer than the API token. It has those of its scopes and roles that are allowed here, as far as its owner
    /// may do that now; its roles on instances (`grants`) are not carried over. Its `sub` is the user; or the application that owns
    /// the API token, which has to be a client of this server; or `organisation:` and the organisation's id, a name that no user has. **Revoking the API token does not end it**: that takes ten minutes. Logging out everywhere, and revoking the client, does.
    pub fn api_tokens(self) -> Self {
        Self { api_tokens: true, ..self }
    }

    /// Lets the client exchange an API token of its own, of an application, for an access token of a user, whom it names by the parameter
    /// `requested_subject`. Defaults to refusing that.
    ///
    /// The user has to have [allowed](crate::server::AuthorizationServer::consent_of) the client these scopes at this service, at the authorization endpoint or a
    /// device, and to have them now; the API token has to have them, too. The new token names the client as the one that acts (`act`), and lives ten minutes
    /// at most. When the consent is withdrawn, no further token is given out; those that there are end by their time.
    ///
    /// RFC 8693 has no parameter for the user. `requested_subject` is the one of Keycloak.
    pub fn acts_for_users(self) -> Self {
        Self { acts_for_users: true, ..self }
    }

    /// Whether the client may exchange this token.
    pub(in crate::server) fn takes(&self, subject: &Facts) -> bool {
        if subject.credential() == CredentialKind::ApiToken {
            // It is for no service in particular.
            return self.api_tokens;
        }
        let is_of_client =
            subject.client_id().is_some_and(|client| self.of_clients.iter().any(|known| known == client));
        is_of_client || self.of_services.iter().any(|service| is_for(subject, service))
    }
}

impl ExchangePolicy {
    const fn takes_nothing(&self) -> bool {
        self.of_services.is_empty() && self.of_clients.is_empty() && !self.api_tokens && !self.acts_for_users
    }
}

impl Client {
    /// Whether it may get tokens, and for no service. The rules of an exchange name services of their own.
    pub(super) fn uses_no_service(&self) -> bool {
        self.resources.is_empty() && self.grants != [GrantType::TokenExchange]
    }

    /// Returns what is wrong with the client's exchange of tokens.
    pub(super) fn exchange_problems(&self) -> impl Iterator<Item = &'static str> {
        let (policy, has_grant) = (self.exchange.as_ref(), self.may_use(GrantType::TokenExchange));
        let is_public = matches!(self.proof, Proof::None);
        let rules = [
            (has_grant && is_public, "exchanges tokens without proving who it is: give it a secret or a key"),
            (
                has_grant != policy.is_some(),
                "has the grant of token exchange without rules, or rules without the grant: call `exchange` after `grants`",
            ),
            (
                policy.is_some_and(ExchangePolicy::takes_nothing),
                "may exchange no token: say which by `ExchangePolicy::tokens_for` or `tokens_of`",
            ),
            (
                policy.is_some_and(|policy| policy.resources.is_empty()),
                "may exchange tokens for no service: add one by `ExchangePolicy::resource`",
            ),
        ];
        rules.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, rule)| rule)
    }
}
