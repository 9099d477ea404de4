//! Exchanging an access token for another one (RFC 8693).

use portcullis_core::{
    ConfigError, Principal, UnixTime,
    verified::{CredentialKind, Facts, NoCustom, Verified},
};
use serde_json::Value;

use super::{
    TokenResponse,
    exchange_for_user::{self, REQUESTED_SUBJECT},
};
use crate::{
    AccessToken, ActingParty, ORGANISATION,
    server::{
        AuthorizationServer, Client, Endpoint, EndpointRequest, ExchangePolicy, OAuthError, OAuthErrorCode,
        ServerEvent, client::allowed::resources_among, parameters::Parameters,
    },
};

/// The one type of token that is exchanged and issued (RFC 8693 section 3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

impl AuthorizationServer {
    /// Exchanges an access token of a user for one that the client uses in its place (RFC 8693 section 2).
    pub(super) async fn exchange(
        &self,
        client: &Client,
        request: &EndpointRequest<'_>,
        parameters: &Parameters,
    ) -> Result<TokenResponse, OAuthError> {
        let policy = client.exchange_policy().ok_or_else(not_allowed)?;
        check_types(parameters)?;
        let text = parameters.required("subject_token")?;
        if parameters.get(REQUESTED_SUBJECT).is_some() {
            // Whether the client may name this user is not known yet.
            self.check_rate(Endpoint::Token, request, Some(client.id()), None)?;
            return self.exchange_for_user(client, policy, text, parameters).await;
        }
        let subject = self.find_subject(text).await?;
        self.check_rate(Endpoint::Token, request, Some(client.id()), subject.subject())?;
        check_subject(policy, &subject)?;
        check_may_act(&subject, client)?;
        let content = content(client, policy, &subject, parameters, self.token_now())?;
        let minted = self.sessions().issuer().mint(&content).await?;
        // It may have been revoked while a signer far away was signing: a later `iat` would escape what ends earlier tokens.
        self.find_subject(text).await?;
        self.check_still_there(client).await?;
        self.tell(|| ServerEvent::Exchanged {
            client_id: client.id().to_owned(),
            token_of: subject.client_id().unwrap_or_default().to_owned(),
            impersonates: policy.impersonates,
        });
        Ok(TokenResponse::of_exchange(minted))
    }

    /// As for a client that acts for itself: its deletion revokes what was minted before.
    pub(super) async fn check_still_there(&self, client: &Client) -> Result<(), OAuthError> {
        if self.find_client(client.id()).await?.is_some() { Ok(()) } else { Err(OAuthError::invalid_client()) }
    }

    /// Makes sure that the application that owns an API token is a client of this server. Another name could be a user's.
    async fn check_application_of(&self, subject: Option<&Facts>) -> Result<(), OAuthError> {
        let application = subject.filter(|facts| facts.subject().is_none()).and_then(Facts::client_id);
        match application.filter(|client_id| !client_id.starts_with(ORGANISATION)) {
            Some(client_id) if self.find_client(client_id).await?.is_none() => Err(not_accepted()),
            _ => Ok(()),
        }
    }

    /// Returns what the token that is exchanged says. Which kind it is, its beginning tells.
    pub(super) async fn find_subject(&self, text: &str) -> Result<Verified<NoCustom>, OAuthError> {
        // A registry that does not declare that its clients exchange tokens.
        if !self.0.own_tokens.sees_revocations() {
            let problem = "token exchange needs a view of revocations (`Sessions::revocations`)";
            return Err(ConfigError::new(problem).into());
        }
        let verified = match &self.0.api_tokens {
            Some(api_tokens) if api_tokens.recognises(text) => {
                let verified = api_tokens.verify(text).await?;
                self.check_application_of(verified.as_ref().map(|verified| &***verified)).await?;
                verified
            }
            _ => self.0.own_tokens.verify_live(text).await?,
        };
        verified.ok_or_else(not_accepted)
    }
}

/// Refuses other types of tokens: an ID token says who has logged in, and a refresh token is for one client alone.
fn check_types(parameters: &Parameters) -> Result<(), OAuthError> {
    if parameters.required("subject_token_type")? != ACCESS_TOKEN {
        return Err(OAuthError::invalid_request("only access tokens are exchanged"));
    }
    if parameters.get("requested_token_type").is_some_and(|asked| asked != ACCESS_TOKEN) {
        return Err(OAuthError::invalid_request("only access tokens are issued"));
    }
    if parameters.get("actor_token").is_some() || parameters.get("actor_token_type").is_some() {
        return Err(OAuthError::invalid_request("actor tokens are not supported: the client itself is the actor"));
    }
    Ok(())
}

fn check_subject(policy: &ExchangePolicy, subject: &Facts) -> Result<(), OAuthError> {
    let principal = subject.try_principal().map_err(|error| not_accepted().with_source(error))?;
    // Without `act`, a token of an application that another client has got would look like one of a user.
    let hides_application = policy.impersonates && matches!(principal, Principal::Application(_));
    if hides_application || !policy.takes(subject) { Err(not_accepted()) } else { Ok(()) }
}

/// Refuses a client that the token does not name, if it names who may act (RFC 8693 section 4.4).
fn check_may_act(subject: &Facts, client: &Client) -> Result<(), OAuthError> {
    let Some(may_act) = subject.claim("/may_act") else { return Ok(()) };
    let is_it = may_act.members().is_some_and(|members| {
        let (mut is_named, mut is_understood) = (false, true);
        for (name, value) in members {
            match name {
                "sub" => is_named = value.as_str() == Some(client.id()),
                "iss" => is_understood &= value.as_str() == Some(subject.issuer()),
                // It could be what tells the client from another one.
                _ => is_understood = false,
            }
        }
        is_named && is_understood
    });
    if is_it { Ok(()) } else { Err(not_accepted()) }
}

/// Returns what the new token says: never more than the old one.
fn content(
    client: &Client,
    policy: &ExchangePolicy,
    subject: &Facts,
    parameters: &Parameters,
    now: UnixTime,
) -> Result<AccessToken, OAuthError> {
    let (user, ends_by) = user_and_end(subject, now).ok_or_else(not_accepted)?;
    let scopes = scopes(policy, subject, parameters.scopes()?)?;
    let roles = policy.roles.iter().filter(|role| subject.has_role(role));
    let mut content = AccessToken::for_user(user, client.id()).scope(&scopes.join(" ")).ends_by(ends_by);
    content = roles.fold(content, AccessToken::role);
    content = resources(client, policy, parameters)?.into_iter().fold(content, AccessToken::audience);
    if let Some(actor) = actor(client, policy, subject)? {
        content = content.actor(actor);
    }
    // With these, what ends the session ends the new token.
    if let Some(session) = subject.session_id() {
        content = content.session(session);
    }
    if let Some(version) = subject.version() {
        content = content.version(version);
    }
    if let Some(instant) = subject.authenticated_at() {
        content = content.authenticated_at(instant);
    }
    if let Some(acr) = subject.acr() {
        content = content.acr(acr);
    }
    if let Some(lifetime) = client.lifetime {
        content = content.lifetime(lifetime);
    }
    // Otherwise a claim could have been missed.
    if subject.has_unreadable_claims() { Err(not_accepted()) } else { Ok(content) }
}

/// Returns about whom the new token is, and when it ends at the latest.
fn user_and_end(subject: &Facts, now: UnixTime) -> Option<(&str, UnixTime)> {
    if subject.credential() == CredentialKind::ApiToken {
        // That of an application or an organisation has no `sub`.
        return Some((subject.subject().or_else(|| subject.client_id())?, exchange_for_user::end(subject, now)));
    }
    subject.subject().zip(subject.expires_at())
}

/// Returns the scopes of the new token: those that are asked for, or all that there can be.
fn scopes(policy: &ExchangePolicy, subject: &Facts, asked: Option<Vec<String>>) -> Result<Vec<String>, OAuthError> {
    match asked {
        None => Ok(policy.scopes.iter().filter(|scope| may_have(policy, subject, scope)).cloned().collect()),
        Some(asked) => check_scopes(policy, subject, &asked).map(|()| asked),
    }
}

fn may_have(policy: &ExchangePolicy, subject: &Facts, scope: &String) -> bool {
    policy.scopes.contains(scope) && subject.scopes().contains(scope)
}

/// Makes sure that the token and the rules have all of these scopes.
pub(super) fn check_scopes(policy: &ExchangePolicy, subject: &Facts, asked: &[String]) -> Result<(), OAuthError> {
    if asked.iter().all(|scope| may_have(policy, subject, scope)) {
        return Ok(());
    }
    Err(OAuthError::invalid_scope("the token, or the client, does not have all of these scopes"))
}

/// Returns the services of the new token, which `resource` and `audience` both name (RFC 8693 section 2.1).
pub(super) fn resources(
    client: &Client,
    policy: &ExchangePolicy,
    parameters: &Parameters,
) -> Result<Vec<String>, OAuthError> {
    let asked = parameters.all("resource").chain(parameters.all("audience"));
    let resources = resources_among(&policy.resources, asked)
        .ok_or_else(|| OAuthError::invalid_target("the client may not exchange tokens for all of these resources"))?;
    if resources.len() > 1 && !client.may_combine_resources {
        return Err(OAuthError::invalid_target("the token would be for several resources: name one by `resource`"));
    }
    Ok(resources)
}

/// Returns who acts: the client, and before it those that the old token names, who are never left out.
fn actor(client: &Client, policy: &ExchangePolicy, subject: &Facts) -> Result<Option<ActingParty>, OAuthError> {
    let earlier = match subject.claim("/act") {
        Some(act) => Some(act.read::<Value>().and_then(|act| ActingParty::read(&act)).ok_or_else(not_accepted)?),
        None => None,
    };
    let actor = match (policy.impersonates, earlier) {
        (true, earlier) => earlier,
        (false, None) => Some(ActingParty::new(client.id())),
        (false, Some(earlier)) => Some(ActingParty::new(client.id()).on_behalf_of(earlier)),
    };
    if actor.as_ref().is_some_and(ActingParty::is_too_deep) {
        return Err(OAuthError::invalid_request("the token was exchanged too often"));
    }
    Ok(actor)
}

fn not_allowed() -> OAuthError {
    OAuthError::new(OAuthErrorCode::UnauthorizedClient, "the client may not exchange tokens")
}

/// The answer to a token that cannot be exchanged, by this client or at all (RFC 8693 section 2.2.2).
pub(super) fn not_accepted() -> OAuthError {
    OAuthError::invalid_request("the token is not accepted")
}
