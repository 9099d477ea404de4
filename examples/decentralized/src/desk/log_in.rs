//! [`LogIn`]: whose access tokens the desk accepts.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use portcullis::{
    Admission, Algorithm, AuthLayer, Claims, JwtAuthenticator, RemoteKeys, TrustedIssuer,
    keys::KeySet,
    policy::TokenSpec,
    revocation::{BackChannelLogout, Revocation, Revoker as _},
};
use portcullis_issuer::{AccessToken, SigningKey, TokenIssuer};
use portcullis_nats::proof::RequestId;
use serde::Deserialize;
use serde_json::json;

use super::{AUDIENCE, enrolled::EnrolledUsers, no_store};
use crate::Failure;

/// The desk's page at another identity provider. `examples/platform` knows it by this name.
pub(super) const CLIENT_ID: &str = "acme-desk";

/// Whose access tokens the desk accepts, and by which routes it learns who is in and who has left.
pub(super) struct LogIn {
    pub(super) auth: AuthLayer,
    pub(super) routes: Router,
}

/// What the routes of the desk's own log-in need.
#[derive(Debug)]
struct Own {
    issuer: TokenIssuer,
    users: EnrolledUsers,
}

impl LogIn {
    /// Another identity provider has the users. It tells the desk by log-out tokens which sessions have ended.
    pub(super) fn at_provider(issuer: &str, users: &EnrolledUsers) -> Result<Self, Failure> {
        // The start does not wait for the keys: until they are there, requests get 503.
        let keys = RemoteKeys::discover(issuer).start()?;
        let trusted = TrustedIssuer::new(issuer, keys.clone()).audience(AUDIENCE);
        // The desk is told of the log-outs of this client, and of no other.
        let trusted = trusted.access_token_claim_value("/client_id", CLIENT_ID);
        // A log-out token is for the client whose session has ended.
        let at_issuer = TrustedIssuer::new(issuer, keys).audience(CLIENT_ID);
        let log_outs = BackChannelLogout::new(at_issuer, users.clone())?.revocations(users.revocations());
        let routes = Router::new().route_service("/log-out", log_outs);
        Ok(Self { auth: auth(trusted, Some(users))?, routes })
    }

    /// The desk stands for a log-in itself, without passwords.
    pub(super) fn own(origin: &str, users: &EnrolledUsers) -> Result<Self, Failure> {
        let key = SigningKey::generate(Algorithm::Es256)?;
        let spec = TokenSpec::new(origin).audience(AUDIENCE);
        let trusted = spec.trusted_at(AUDIENCE, KeySet::new([key.verifying_key()]))?;
        let own = Own { issuer: TokenIssuer::new(spec, key)?, users: users.clone() };
        let routes = Router::new()
            .route("/session", delete(log_out))
            // A log-out that has failed is tried again with a token that it has ended.
            .route_layer(auth(trusted.clone(), None)?)
            .route("/session", post(log_in))
            .with_state(Arc::new(own));
        Ok(Self { auth: auth(trusted, Some(users))?, routes })
    }
}

fn auth(trusted: TrustedIssuer, users: Option<&EnrolledUsers>) -> Result<AuthLayer, Failure> {
    let admission = Admission::new(JwtAuthenticator::new(trusted)?);
    let admission = match users {
        Some(users) => admission.revocations(users.revocations()),
        None => admission,
    };
    Ok(AuthLayer::new(admission).realm("desk").keep_token())
}

#[derive(Deserialize)]
struct Name {
    username: String,
}

/// Stands for a log-in: it asks for no password. See `examples/platform` for one.
async fn log_in(State(own): State<Arc<Own>>, Json(name): Json<Name>) -> Response {
    let scope = match name.username.as_str() {
        "ada" => "orders:read",
        "tom" => "",
        _ => return StatusCode::UNAUTHORIZED.into_response(),
    };
    let Some(session) = RequestId::random() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let token = AccessToken::for_user(name.username, CLIENT_ID).scope(scope).session(session.as_str());
    match own.issuer.mint(&token).await {
        Ok(minted) => no_store(Json(json!({ "access_token": minted.token() }))),
        Err(error) => {
            tracing::error!(%error, "no token was minted");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Ends the caller's session, with its users of NATS.
async fn log_out(State(own): State<Arc<Own>>, caller: Claims) -> StatusCode {
    let Some(session) = caller.session_id() else { return StatusCode::BAD_REQUEST };
    match own.users.revoke_all(vec![Revocation::session(caller.issuer(), session)]).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(error) => {
            tracing::error!(%error, "a session was not ended everywhere");
            StatusCode::SERVICE_UNAVAILABLE
        }
    }
}
