//! What probes ask. Public, so it says nothing but numbers and states.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode};
use portcullis_store::Revocations;
use serde_json::{Value, json};

use super::admin::state_name;
use crate::secrets::Secrets;

/// `GET /health`: the process lives. The generation says whether a new list of secrets has been taken, for the runbook.
pub(super) async fn health(State(secrets): State<Arc<Secrets>>) -> Json<Value> {
    Json(json!({ "status": "ok", "generation": secrets.generation() }))
}

/// `GET /ready`: it is known what is revoked, so that requests may come.
///
/// It stays ready when the log cannot be reached later: each route says what that means, and the other instances are no
/// better off.
pub(super) async fn ready(State(revocations): State<Revocations>) -> (StatusCode, Json<Value>) {
    let health = revocations.health();
    let (status, word) =
        if health.is_ready() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "starting") };
    (status, Json(json!({ "status": word, "revocations": state_name(health.state) })))
}
