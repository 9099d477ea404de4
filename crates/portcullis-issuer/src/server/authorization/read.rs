//! Reading a request.

use std::time::Duration;

use super::{AuthorizationAnswer, AuthorizationError, AuthorizationRequest, Prompt};
use crate::{
    documents::GrantType,
    server::{AuthorizationServer, Client, OAuthError, OAuthErrorCode, parameters::Parameters},
    space_separated::space_separated,
};

/// Parameters that would change what the request means, with the code that says so.
const NOT_SUPPORTED: [(&str, OAuthErrorCode, &str); 3] = [
    ("request", OAuthErrorCode::RequestNotSupported, "request objects (RFC 9101) are not supported"),
    (
        "request_uri",
        OAuthErrorCode::RequestUriNotSupported,
        "request objects (RFC 9101) and pushed requests (RFC 9126) are not supported",
    ),
    ("registration", OAuthErrorCode::InvalidRequest, "registration in a request is not supported"),
];

/// The endpoint in events.
pub(super) const AUTHORIZATION: &str = "authorization";

/// How long the query of a request is, at most, in bytes: pages carry it along.
const MOST_BYTES: usize = 16 * 1024;

impl AuthorizationServer {
    /// Reads what a client asks of a user, from the query of the authorization endpoint's URL.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError::Page`] if the client or its redirect URI is not known: show the user a page, and send the browser nowhere.
    /// [`AuthorizationError::Redirect`] if the client is to be told.
    pub async fn authorization_request(&self, query: &str) -> Result<AuthorizationRequest, AuthorizationError> {
        let outcome = self.request_of(query).await;
        if let Err(AuthorizationError::Page(error)) = &outcome {
            let _failed = self.watched(AUTHORIZATION, Err::<(), _>(error.clone()));
        }
        outcome
    }

    async fn request_of(&self, query: &str) -> Result<AuthorizationRequest, AuthorizationError> {
        if query.len() > MOST_BYTES {
            return Err(OAuthError::invalid_request("the request is too long").into());
        }
        let parameters = Parameters::parse(query.as_bytes())?;
        let client = self.find_client(parameters.required("client_id")?).await?;
        let client = client.ok_or_else(|| OAuthError::invalid_request("the client is unknown"))?;
        let redirect_uri = client.find_redirect_uri(parameters.get("redirect_uri"));
        let redirect_uri = redirect_uri.ok_or_else(|| {
            OAuthError::invalid_request(
                "the redirect URI is not one of the client's: it has to be the same, character by character",
            )
        })?;
        let state = parameters.get("state").map(str::to_owned);
        let to_client = |error: &OAuthError| {
            AuthorizationAnswer::error(&redirect_uri, state.as_deref(), self.spec().issuer(), error)
        };
        match checked(&client, &parameters) {
            Ok(checked) => Ok(AuthorizationRequest {
                server: self.clone(),
                client,
                redirect_uri: redirect_uri.clone(),
                state: state.clone(),
                scopes: checked.scopes,
                resources: checked.resources,
                challenge: checked.challenge,
                prompts: checked.prompts,
                login_hint: parameters.get("login_hint").map(str::to_owned),
                max_age: checked.max_age,
                acr_values: checked.acr_values,
                query: query.to_owned(),
                started_at: self.token_now(),
                is_resumed: false,
            }),
            // Anyone can be such a client, and a link to this server must not lead to anywhere before a user has said a word (RFC 9700 section 4.11.2).
            Err(error) if client.is_outsider() => Err(error.into()),
            Err(error) => Err(AuthorizationError::Redirect(to_client(&error))),
        }
    }
}

/// Checks what the client is told about if it is wrong.
fn checked(client: &Client, parameters: &Parameters) -> Result<Checked, OAuthError> {
    for (name, code, why) in NOT_SUPPORTED {
        if parameters.get(name).is_some() {
            return Err(OAuthError::new(code, why));
        }
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(OAuthError::new(OAuthErrorCode::UnauthorizedClient, "the client may not use codes"));
    }
    if parameters.required("response_type")? != "code" {
        let why = "the response type has to be `code`";
        return Err(OAuthError::new(OAuthErrorCode::UnsupportedResponseType, why));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::invalid_request("the response mode has to be `query`"));
    }
    let prompts = Prompt::parse(parameters.get("prompt").unwrap_or_default());
    let max_age = parameters.get("max_age").map(str::parse).transpose();
    let max_age = max_age.map_err(|_| OAuthError::invalid_request("`max_age` is not a number of seconds"))?;
    let acr_values = space_separated(parameters.get("acr_values").unwrap_or_default());
    Ok(Checked {
        scopes: client.scopes_for(parameters.scopes()?)?,
        resources: client.resources_for(parameters.all("resource"))?,
        challenge: challenge(parameters)?,
        prompts: prompts.ok_or_else(|| OAuthError::invalid_request("`prompt` is not one that is known"))?,
        max_age: max_age.map(Duration::from_secs),
        acr_values: acr_values.map(str::to_owned).collect(),
    })
}

struct Checked {
    scopes: Vec<String>,
    resources: Vec<String>,
    challenge: String,
    prompts: Vec<Prompt>,
    max_age: Option<Duration>,
    acr_values: Vec<String>,
}

/// Returns the PKCE challenge, which every client has to send (RFC 7636, RFC 9700 section 2.1.1). A request without a method means `plain`.
fn challenge(parameters: &Parameters) -> Result<String, OAuthError> {
    let why =
        "PKCE (RFC 7636) with the method S256 is required: send `code_challenge` and `code_challenge_method=S256`";
    let challenge = parameters.get("code_challenge").ok_or_else(|| OAuthError::invalid_request(why))?;
    let is_hash = challenge.len() == 43
        && challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if parameters.get("code_challenge_method") != Some("S256") || !is_hash {
        return Err(OAuthError::invalid_request(why));
    }
    Ok(challenge.to_owned())
}
