//! [`Claims`]: the claims of a token that is being minted.

use portcullis_core::{Clock, UnixTime, policy::TokenSpec};
use serde::Serialize;
use serde_json::{Map, Value};

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
    text: String,
    token_id: String,
    issued_at: UnixTime,
    expires_at: UnixTime,
    scope: Option<String>,
}

/// The claims as they are written. A map of values would need three times as many allocations.
#[derive(Serialize)]
struct Members<'a> {
    iss: &'a str,
    sub: &'a str,
    client_id: &'a str,
    aud: Audience<'a>,
    iat: u64,
    exp: u64,
    jti: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ver: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    /// Its names are none of the above, see [`RESERVED`].
    #[serde(flatten)]
    custom: Map<String, Value>,
}

/// One audience, or several (RFC 7519 section 4.1.3).
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several(&'a [String]),
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
        let members = Members {
            custom: custom(content.custom.as_ref())?,
            iss: spec.issuer(),
            sub: named("sub", &content.subject)?,
            client_id: named("client_id", &content.client_id)?,
            aud: audience(content, spec)?,
            iat: now.as_secs(),
            exp: expires_at.as_secs(),
            jti: &token_id,
            scope: if content.scopes.is_empty() { None } else { Some(scope(&content.scopes)?) },
            roles: &content.roles,
            sid: content.session.as_deref().map(|session| named("sid", session)).transpose()?,
            ver: content.version,
            act: content.actor.as_ref().map(act).transpose()?,
            auth_time: content.authenticated_at.map(UnixTime::as_secs),
            acr: content.acr.as_deref().map(|class| named("acr", class)).transpose()?,
        };
        let text = serde_json::to_string(&members).map_err(|_| MintError::custom("cannot be written as JSON"))?;
        let scope = members.scope;
        Ok(Self { text, token_id, issued_at: now, expires_at, scope })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the largest claim and its size in bytes of JSON.
    pub(super) fn largest(&self) -> (String, usize) {
        let members: Map<String, Value> = serde_json::from_str(&self.text).unwrap_or_default();
        let sizes = members.into_iter().map(|(name, value)| (name, value.to_string().len()));
        sizes.max_by_key(|(_, size)| *size).unwrap_or_default()
    }

    pub(super) fn minted(self, token: String) -> Minted {
        Minted::new(token, self.token_id, self.issued_at, self.expires_at, self.scope)
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

fn audience<'a, C>(content: &'a AccessToken<C>, spec: &'a TokenSpec) -> Result<Audience<'a>, MintError> {
    let known: Vec<&str> = spec.audiences().collect();
    if let Some(unknown) = content.audiences.iter().find(|audience| !known.contains(&audience.as_str())) {
        return Err(MintError::audience(format!(
            "the specification has no audience {unknown:?}: its services would not accept the token"
        )));
    }
    match (content.audiences.as_slice(), known.as_slice()) {
        ([], [only]) => Ok(Audience::One(only)),
        ([], _) => Err(MintError::audience(format!(
            "the specification has {} audiences: say by `AccessToken::audience` which of them the token is for",
            known.len()
        ))),
        ([only], _) => Ok(Audience::One(only)),
        (several, _) => Ok(Audience::Several(several)),
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
    if actor.is_too_deep() {
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
