//! Who the client of a request is.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{AuthorizationServer, Client, EndpointRequest, OAuthError, ServerEvent, parameters::Parameters};
use crate::documents::ClientAuthentication;

/// What a request says about its client.
enum Claimed<'a> {
    /// A name alone: a public client.
    Name(&'a str),
    /// A name and a secret, in the `Authorization` header.
    Basic { name: String, secret: Zeroizing<String> },
}

impl Claimed<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Basic { name, .. } => name,
        }
    }
}

impl AuthorizationServer {
    /// Returns the client of a request, which has proven who it is. A public client has only said so.
    ///
    /// An unknown client and a wrong secret are refused in the same words.
    pub(super) async fn authenticate(
        &self,
        request: &EndpointRequest<'_>,
        parameters: &Parameters,
    ) -> Result<Arc<Client>, OAuthError> {
        let uses_header = request.header().is_some();
        let refused =
            || if uses_header { OAuthError::invalid_client().with_challenge() } else { OAuthError::invalid_client() };
        let claimed = claimed(request, parameters)?.ok_or_else(refused)?;
        let client = self.find_client(claimed.name()).await?;
        let now = self.now().await?.to_unix();
        let is_proven = |client: &Client| match &claimed {
            Claimed::Name(_) => client.authentication() == ClientAuthentication::None,
            Claimed::Basic { secret, .. } => client.has_secret(secret, now),
        };
        match client {
            Some(client) if is_proven(&client) => Ok(client),
            found => {
                let is_known = found.is_some();
                self.tell(|| ServerEvent::ClientRefused {
                    client_id: found.map(|client| client.id().to_owned()),
                    is_known,
                });
                Err(refused())
            }
        }
    }
}

/// Reads who the client says it is. Two ways at once are refused (RFC 6749 section 2.3).
fn claimed<'a>(request: &EndpointRequest<'_>, parameters: &'a Parameters) -> Result<Option<Claimed<'a>>, OAuthError> {
    let name = parameters.get("client_id");
    if parameters.get("client_assertion").is_some() || parameters.get("client_assertion_type").is_some() {
        return Err(OAuthError::invalid_client());
    }
    if parameters.get("client_secret").is_some() {
        return Err(OAuthError::invalid_request(
            "send the client's secret in the Authorization header (client_secret_basic), and not in the body",
        ));
    }
    let Some(header) = request.header() else { return Ok(name.map(Claimed::Name)) };
    let Some((basic, secret)) = basic(header) else { return Ok(None) };
    if name.is_some_and(|name| name != basic) {
        return Err(OAuthError::invalid_request("the Authorization header and the body name two clients"));
    }
    Ok(Some(Claimed::Basic { name: basic, secret }))
}

/// Reads `Basic` (RFC 7617), whose name and secret are form-encoded (RFC 6749 section 2.3.1).
fn basic(header: &str) -> Option<(String, Zeroizing<String>)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 4096 {
        return None;
    }
    let octets = Zeroizing::new(STANDARD.decode(encoded.trim_matches(' ')).ok()?);
    let text = str::from_utf8(&octets).ok()?;
    let (name, secret) = text.split_once(':')?;
    Some((form_decoded(name)?.to_string(), form_decoded(secret)?))
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
