//! The endpoint: an access token goes in, a user's token comes out.

use std::sync::Arc;

use axum::{
    Json,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use portcullis::{
    AuthError, Claims,
    authenticator::Scheme,
    extract::RawToken,
    location::RequestHead,
    rejection::{BearerChallenge, MakeRejection, SchemeChallenge},
};
use portcullis_nats::{enrol::EnrolmentRequest, proof::ProofVerifier};
use serde_json::json;

use super::{enrolled::EnrolledUsers, no_store};

/// A public nkey has 56 characters.
const LONGEST_KEY: usize = 64;

#[derive(Debug)]
pub(super) struct Desk {
    users: EnrolledUsers,
    proofs: ProofVerifier,
}

impl Desk {
    pub(super) const fn new(users: EnrolledUsers, proofs: ProofVerifier) -> Self {
        Self { users, proofs }
    }
}

/// Exchanges an access token of acme's log-in for a user's token.
pub(super) async fn enrol(
    State(desk): State<Arc<Desk>>,
    caller: Claims,
    token: RawToken,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(key) = to_bytes(body, LONGEST_KEY).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let Ok(key) = std::str::from_utf8(&key) else { return StatusCode::BAD_REQUEST.into_response() };
    let head = RequestHead::from(&head);
    let request = EnrolmentRequest::new(&caller, token.expose(), key, &head);
    let enrolled = match desk.users.enrol(request, &desk.proofs).await {
        Ok(enrolled) => enrolled,
        Err(error) => return refused(error),
    };
    // The client brings the account's token along, for services that look nothing up.
    let Ok(account) = desk.users.account() else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    no_store(Json(json!({
        "token": enrolled.user.as_str(), "account": account, "role": enrolled.role, "expires_at": enrolled.expires_at.as_secs(),
    })))
}

/// As the layer answers, with the nonce that a proof needs.
fn refused(error: AuthError) -> Response {
    tracing::debug!(code = error.code().as_str(), why = error.explanation(), "no user was enrolled");
    let challenge = BearerChallenge::new().beside(SchemeChallenge::nats());
    let response: Response<String> = challenge.make_rejection(&error.with_scheme(Scheme::Other("NatsUser")));
    response.map(Body::from)
}
