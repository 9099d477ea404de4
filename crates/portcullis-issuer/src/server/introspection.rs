//! The introspection endpoint.

use std::fmt;

use portcullis_core::verified::{NoCustom, Verified};
use serde_json::{Map, Value};

use super::{
    AuthorizationServer, Endpoint, EndpointRequest, OAuthError, ResourceServer, ServerEvent, authentication::refused,
    own_tokens::is_for, parameters::Parameters,
};

/// What a service is told about a token (RFC 7662 section 2.2). `Debug` shows whether the token is active.
#[derive(Clone)]
pub struct Introspection(Option<Verified<NoCustom>>);

/// The members of an answer that are claims of the token. The application's own claims are not among them.
const MEMBERS: [&str; 14] =
    ["iss", "sub", "aud", "client_id", "scope", "exp", "iat", "jti", "sid", "ver", "act", "roles", "auth_time", "acr"];

impl AuthorizationServer {
    /// Answers a request to the introspection endpoint (RFC 7662), by a service that was
    /// [declared](super::AuthorizationServerBuilder::resource_server).
    ///
    /// An access token of this server that is for this service is active until it expires (without leeway) or is revoked. Any other token is not
    /// active, and the answer does not say why: one for another service, a refresh token, a malformed one. Signed answers (RFC 9701) are not built.
    ///
    /// # Errors
    ///
    /// The answer for the service. [`TemporarilyUnavailable`](super::OAuthErrorCode::TemporarilyUnavailable) if it is not known whether the token was
    /// revoked: it is neither active nor not.
    pub async fn introspect(&self, request: &EndpointRequest<'_>) -> Result<Introspection, OAuthError> {
        self.watched(Endpoint::Introspection.name(), self.introspection_of(request).await)
    }

    async fn introspection_of(&self, request: &EndpointRequest<'_>) -> Result<Introspection, OAuthError> {
        let parameters = request.parameters()?;
        let service = self.authenticate_service(request, &parameters).await?;
        // `token_type_hint` is not needed: refresh tokens are not told about.
        let token = parameters.required("token")?;
        let verified = self.0.own_tokens.verify_live(token).await?;
        Ok(Introspection(verified.filter(|verified| is_for(verified, &service.audience))))
    }

    /// Returns the service of a request, which has proven who it is. Clients are none.
    async fn authenticate_service(
        &self,
        request: &EndpointRequest<'_>,
        parameters: &Parameters,
    ) -> Result<&ResourceServer, OAuthError> {
        let claimed = self.claimed(Endpoint::Introspection, request, parameters)?;
        let service = self.0.resource_servers.get_key_value(claimed.name());
        let is_proven = self.is_proven(&claimed, service.map(|(_, service)| &service.proof)).await?;
        match service {
            Some((_, service)) if is_proven => Ok(service),
            found => {
                self.tell(|| ServerEvent::ResourceServerRefused { id: found.map(|(id, _)| id.clone()) });
                Err(refused(request))
            }
        }
    }
}

impl Introspection {
    /// Returns whether the token is active.
    pub fn is_active(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the body (`application/json`). Send it with `Cache-Control: no-store`.
    pub fn to_json(&self) -> String {
        let claims =
            self.0.as_ref().and_then(|verified| serde_json::from_str::<Map<_, _>>(verified.claims_json()).ok());
        let Some(mut claims) = claims else { return r#"{"active":false}"#.to_owned() };
        claims.retain(|name, _| MEMBERS.contains(&name.as_str()));
        claims.insert("active".to_owned(), true.into());
        claims.insert("token_type".to_owned(), "Bearer".into());
        Value::Object(claims).to_string()
    }
}

impl fmt::Debug for Introspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Introspection").field("is_active", &self.is_active()).finish_non_exhaustive()
    }
}
