//! [`Claims`]: the claims of a token that is being minted.

use portcullis_core::{Clock, UnixTime, policy::TokenSpec};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{AccessToken, ActingParty, MintError, Minted, token_id};

/// The claims that the issuer or [`AccessToken`] sets, and those that would change what the token is (RFC 7519 section 4.1, RFC 9068, RFC
/// 8693, RFC 7800, OpenID Connect Core). An application's own claims have other names.
pub(super) const RESERVED: [&str; 21] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "scp",
    "roles",
    "sid",
    "ver",
    "act",
    "may_act",
    "cnf",
    "auth_time",
    "acr",
    "azp",
    "events",
    "nonce",
];

/// The claims, and what the caller is told about them.
pub(super) struct Claims {
    members: Map<String, Value>,
    text: String,
    token_id: String,
    expires_at: UnixTime,
}

impl Claims {
    /// Puts the claims together, as of now.
    pub(super) fn of<C: Serialize>(
        content: &AccessToken<C>,
        spec: &TokenSpec,
        clock: &dyn Clock,
    ) -> Result<Self, MintError> {
        let now = clock.now();
        let expires_at = expiry(content, spec, now)?;
        let token_id = token_id::generate(clock.precise_now())?;
        let mut members = custom(content.custom.as_ref())?;
        let mut set = |name: &str, value: Value| drop(members.insert(name.to_owned(), value));
        set("iss", json!(spec.issuer()));
        set("sub", json!(named("sub", &content.subject)?));
        set("client_id", json!(named("client_id", &content.client_id)?));
        set("aud", audience(content, spec)?);
        set("iat", json!(now.as_secs()));
        set("exp", json!(expires_at.as_secs()));
        set("jti", json!(token_id));
        if !content.scopes.is_empty() {
            set("scope", json!(scope(&content.scopes)?));
        }
        if !content.roles.is_empty() {
            set("roles", json!(content.roles));
        }
        if let Some(session) = &content.session {
            set("sid", json!(named("sid", session)?));
        }
        if let Some(version) = content.version {
            set("ver", json!(version));
        }
        if let Some(actor) = &content.actor {
            set("act", act(actor)?);
        }
        if let Some(instant) = content.authenticated_at {
            set("auth_time", json!(instant.as_secs()));
        }
        if let Some(class) = &content.acr {
            set("acr", json!(named("acr", class)?));
        }
        let text = serde_json::to_string(&members).map_err(|_| MintError::custom("cannot be written as JSON"))?;
        Ok(Self { members, text, token_id, expires_at })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the largest claim and its size in bytes of JSON.
    pub(super) fn largest(&self) -> (&str, usize) {
        let size = |value: &Value| value.to_string().len();
        let sizes = self.members.iter().map(|(name, value)| (name.as_str(), size(value)));
        sizes.max_by_key(|(_, size)| *size).unwrap_or_default()
    }

    pub(super) fn minted(self, token: String) -> Minted {
        Minted::new(token, self.token_id, self.expires_at)
    }
}

fn expiry<C>(content: &AccessToken<C>, spec: &TokenSpec, now: UnixTime) -> Result<UnixTime, MintError> {
    let lifetime = content.lifetime.map_or(spec.longest_lifetime(), |lifetime| lifetime.min(spec.longest_lifetime()));
    let end = now.plus(lifetime);
    let end = content.ends_by.map_or(end, |ends_by| end.min(ends_by));
    if end > now { Ok(end) } else { Err(MintError::ended()) }
}

/// Returns the application's own claims.
fn custom<C: Serialize>(claims: Option<&C>) -> Result<Map<String, Value>, MintError> {
    // serde's own message could quote a claim.
    let value = claims.map(serde_json::to_value).transpose();
    match value.map_err(|_| MintError::custom("cannot be written as JSON"))? {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => match RESERVED.into_iter().find(|name| members.contains_key(*name)) {
            None => Ok(members),
            Some(name) => Err(MintError::reserved(name)),
        },
        Some(_) => Err(MintError::custom("are no JSON object: use a struct or a map")),
    }
}

fn audience<C>(content: &AccessToken<C>, spec: &TokenSpec) -> Result<Value, MintError> {
    let known: Vec<&str> = spec.audiences().collect();
    if let Some(unknown) = content.audiences.iter().find(|audience| !known.contains(&audience.as_str())) {
        return Err(MintError::audience(format!(
            "the specification has no audience {unknown:?}: its services would not accept the token"
        )));
    }
    match (content.audiences.as_slice(), known.as_slice()) {
        ([], [only]) => Ok(json!(only)),
        ([], _) => Err(MintError::audience(format!(
            "the specification has {} audiences: say by `AccessToken::audience` which of them the token is for",
            known.len()
        ))),
        ([only], _) => Ok(json!(only)),
        (several, _) => Ok(json!(several)),
    }
}

/// Joins scopes, whose characters are limited (RFC 6749 section 3.3).
fn scope(scopes: &[String]) -> Result<String, MintError> {
    let is_token = |scope: &str| scope.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    match scopes.iter().find(|scope| !is_token(scope)) {
        None => Ok(scopes.join(" ")),
        Some(_) => {
            Err(MintError::claim("scope", "a scope has a character that scopes must not have (RFC 6749 section 3.3)"))
        }
    }
}

fn act(actor: &ActingParty) -> Result<Value, MintError> {
    if actor.depth() > ActingParty::MOST {
        return Err(MintError::claim("act", "more parties than any service follows"));
    }
    if actor.has_empty_name() {
        return Err(MintError::claim("act", "a party or its issuer is empty"));
    }
    Ok(actor.to_json())
}

/// Refuses an empty name: services treat it as absent.
fn named<'a>(claim: &'static str, text: &'a str) -> Result<&'a str, MintError> {
    if text.is_empty() { Err(MintError::claim(claim, "it is empty")) } else { Ok(text) }
}
