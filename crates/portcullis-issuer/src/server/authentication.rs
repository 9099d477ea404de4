//! Who the client of a request is.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{
    AuthorizationServer, Client, Endpoint, EndpointRequest, OAuthError, ServerEvent,
    assertion::{self, AssertionKeys, claimed_subject},
    parameters::Parameters,
    proof::{Proof, has_secret},
};
use crate::{
    documents::ClientAuthentication,
    records::{NewRecord, RecordKey, RecordKind, Swapped},
};

/// What a request says about its client.
pub(super) enum Claimed<'a> {
    /// A name alone: a public client.
    Name(&'a str),
    /// A name and a secret, in the `Authorization` header; or, if the server takes it, in the body.
    Basic { name: String, secret: Zeroizing<String>, raw: Zeroizing<String> },
    /// An assertion, and the name in it.
    Assertion { name: String, text: &'a str },
}

impl Claimed<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Basic { name, .. } | Self::Assertion { name, .. } => name,
        }
    }
}

impl AuthorizationServer {
    /// Returns the client of a request, which has proven who it is. A public client has only said so.
    ///
    /// An unknown client and a wrong proof are refused in the same words.
    pub(super) async fn authenticate(
        &self,
        endpoint: Endpoint,
        request: &EndpointRequest<'_>,
        parameters: &Parameters,
    ) -> Result<Arc<Client>, OAuthError> {
        let claimed = self.claimed(endpoint, request, parameters)?;
        let client = self.find_client(claimed.name()).await?;
        let is_proven = self.is_proven(&claimed, client.as_ref().map(|client| client.proof())).await?;
        match client {
            Some(client) if is_proven => Ok(client),
            found => {
                let client_id = found.map(|client| client.id().to_owned());
                self.tell(|| ServerEvent::ClientRefused { client_id });
                Err(refused(request))
            }
        }
    }

    /// Returns what a request says about its client, if there are not too many.
    pub(super) fn claimed<'a>(
        &self,
        endpoint: Endpoint,
        request: &EndpointRequest<'_>,
        parameters: &'a Parameters,
    ) -> Result<Claimed<'a>, OAuthError> {
        let ways = &self.0.endpoints.client_authentication;
        let takes_secrets_in_bodies = ways.contains(&ClientAuthentication::ClientSecretPost);
        let claimed = claimed(request, parameters, takes_secrets_in_bodies);
        let name = claimed.as_ref().ok().and_then(Option::as_ref).map(Claimed::name);
        self.check_rate(endpoint, request, name, None)?;
        claimed?.ok_or_else(|| refused(request))
    }

    /// Whether the claim is true, in the way that was agreed on with the client. `None` is an unknown client.
    pub(super) async fn is_proven(&self, claimed: &Claimed<'_>, proof: Option<&Proof>) -> Result<bool, OAuthError> {
        match (claimed, proof) {
            (Claimed::Name(_), Some(Proof::None)) => Ok(true),
            // Clients that always use the header send an empty secret.
            (Claimed::Basic { secret, .. }, Some(Proof::None)) => Ok(secret.is_empty()),
            (Claimed::Basic { secret, raw, .. }, proof) => {
                let now = self.token_now();
                // Many clients do not encode the secret, although they should.
                Ok(has_secret(proof, secret, now) | has_secret(proof, raw, now))
            }
            (Claimed::Assertion { name, text }, Some(Proof::Keys(keys))) => self.is_asserted(name, text, keys).await,
            _ => Ok(false),
        }
    }

    /// Whether the client has signed this assertion, which is then used up.
    async fn is_asserted(&self, name: &str, text: &str, keys: &AssertionKeys) -> Result<bool, OAuthError> {
        let (now, sets) = (self.store_now().await?.to_unix(), self.0.key_sets.as_deref());
        let Some(asserted) = keys.verify(name, self.spec().issuer(), text, now, sets).await? else { return Ok(false) };
        let key = RecordKey::new(RecordKind::Assertion, name, asserted.id)?;
        let used = NewRecord::new("").until(asserted.until);
        let is_first = self.records().swap(&key, None, Some(used)).await? == Swapped::Stored;
        if !is_first {
            self.tell(|| ServerEvent::AssertionReplayed { client_id: name.to_owned() });
        }
        Ok(is_first)
    }
}

/// The answer to a client that is unknown, or has not proven who it is.
pub(super) fn refused(request: &EndpointRequest<'_>) -> OAuthError {
    let refused = OAuthError::invalid_client();
    if request.header().is_some() { refused.with_challenge() } else { refused }
}

/// Reads who the client says it is. Two ways at once are refused (RFC 6749 section 2.3).
fn claimed<'a>(
    request: &EndpointRequest<'_>,
    parameters: &'a Parameters,
    takes_secrets_in_bodies: bool,
) -> Result<Option<Claimed<'a>>, OAuthError> {
    let name = parameters.get("client_id");
    let in_body = parameters.get("client_secret");
    if in_body.is_some() && !takes_secrets_in_bodies {
        return Err(OAuthError::invalid_request(
            "send the client's secret in the Authorization header (client_secret_basic), and not in the body",
        ));
    }
    let claimed = match (request.header(), assertion(parameters)?, in_body) {
        (None, None, None) => return Ok(name.map(Claimed::Name)),
        (Some(header), None, None) => basic(header),
        (None, Some(text), None) => claimed_subject(text).map(|name| Claimed::Assertion { name, text }),
        (None, None, Some(secret)) => name.map(|name| Claimed::Basic {
            name: name.to_owned(),
            secret: Zeroizing::new(secret.to_owned()),
            raw: Zeroizing::new(secret.to_owned()),
        }),
        _ => return Err(OAuthError::invalid_request("the client proves in two ways who it is: use one")),
    };
    match (name, &claimed) {
        (Some(name), Some(claimed)) if name != claimed.name() => {
            Err(OAuthError::invalid_request("the proof of the client and `client_id` name two clients"))
        }
        _ => Ok(claimed),
    }
}

/// Returns the assertion, if there is one (RFC 7521 section 4.2).
fn assertion(parameters: &Parameters) -> Result<Option<&str>, OAuthError> {
    match (parameters.get("client_assertion"), parameters.get("client_assertion_type")) {
        (None, None) => Ok(None),
        (Some(text), Some(assertion::TYPE)) => Ok(Some(text)),
        (Some(_), Some(_)) => Err(OAuthError::invalid_client()),
        _ => Err(OAuthError::invalid_request("`client_assertion` and `client_assertion_type` belong together")),
    }
}

/// Reads `Basic` (RFC 7617), whose name and secret are form-encoded (RFC 6749 section 2.3.1).
fn basic(header: &str) -> Option<Claimed<'static>> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 4096 {
        return None;
    }
    let octets = Zeroizing::new(STANDARD.decode(encoded.trim_matches(' ')).ok()?);
    let text = str::from_utf8(&octets).ok()?;
    let (name, secret) = text.split_once(':')?;
    let raw = Zeroizing::new(secret.to_owned());
    Some(Claimed::Basic { name: form_decoded(name)?.to_string(), secret: form_decoded(secret)?, raw })
}

/// Decodes a form-encoded word. Many clients do not encode, which makes no difference for the usual characters.
fn form_decoded(text: &str) -> Option<Zeroizing<String>> {
    if text.contains(['&', '=']) {
        return Some(Zeroizing::new(text.to_owned()));
    }
    let form = Zeroizing::new(format!("x={text}"));
    let (_, value) = form_urlencoded::parse(form.as_bytes()).next()?;
    Some(Zeroizing::new(value.into_owned()))
}
