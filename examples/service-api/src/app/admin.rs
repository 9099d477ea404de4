//! What administrators see and do.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
};
use portcullis::{Admission, Claims, Code, error::AuthErrorKind, revocation::ViewState};
use portcullis_store::{RevocationHealth, Revocations};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{logout::Exit, problem::Problem};
use crate::{secrets::Secrets, users::Users};

/// The largest token that a verifier accepts, and what JSON puts around it.
pub(super) const BODY_LIMIT: usize = 17 * 1024;

/// Ids and states; never a secret.
pub(super) async fn secret_states(State(secrets): State<Arc<Secrets>>) -> Json<Value> {
    let states = secrets.states().into_iter();
    let list: Vec<_> = states.map(|(id, state)| json!({ "id": id, "state": state.to_string() })).collect();
    Json(json!({ "generation": secrets.generation(), "secrets": list }))
}

/// How revocation is doing, for a dashboard and an alarm.
pub(super) async fn health(State(revocations): State<Revocations>) -> Json<Value> {
    let health = revocations.health();
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs_f64());
    let RevocationHealth { entries, is_too_full, restarts, unreadable, served_stale, unacknowledged, .. } = health;
    Json(json!({
        "state": state_name(health.state),
        "age_seconds": seconds(health.age),
        "lag_seconds": seconds(health.lag),
        "entries": entries,
        "is_too_full": is_too_full,
        "restarts": restarts,
        "unreadable": unreadable,
        "served_stale": served_stale,
        "unacknowledged": unacknowledged,
        "warnings": health.warnings,
        "last_error": health.last_error.map(|error| error.to_string()),
    }))
}

pub(super) fn state_name(state: ViewState) -> &'static str {
    match state {
        ViewState::Syncing => "syncing",
        ViewState::Fresh => "fresh",
        _ => "stale",
    }
}

/// What an administrator can revoke here: what takes knowledge of this service. Everything else is
/// `/admin/revocations`.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    /// One token, by its text.
    Token(Zeroizing<String>),
    /// What a user has got so far.
    User(String),
    /// What a secret signed, by the secret's id.
    Secret(String),
}

/// What it takes.
#[derive(Debug)]
pub(crate) struct AdminDesk {
    pub(super) exit: Arc<Exit>,
    pub(super) admission: Admission,
    pub(super) secrets: Arc<Secrets>,
    pub(super) users: Users,
}

/// `POST /admin/revoke`.
pub(super) async fn revoke(
    State(desk): State<Arc<AdminDesk>>,
    target: Result<Json<Target>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    // The rejection's own message quotes the body.
    let form = "send {\"token\": \"…\"}, {\"user\": \"…\"} or {\"secret\": \"its id\"} as application/json";
    let Json(target) = target.map_err(|_| Problem::malformed(form))?;
    match target {
        Target::Token(text) => desk.revoke_token(&text).await,
        Target::User(name) => desk.revoke_user(&name).await,
        Target::Secret(id) => desk.revoke_secret(&id).await,
    }
}

impl AdminDesk {
    /// Accepts only tokens that the service would accept, because otherwise the revocation would not have the intended effect.
    async fn revoke_token(&self, text: &str) -> Result<Json<Value>, Problem> {
        match self.admission.verify(text).outcome().await {
            Ok(verified) => self.exit.token(&Claims(verified)).await?,
            Err(error) if error.code() == Code::TokenRevoked => {}
            Err(error) if error.kind() == AuthErrorKind::Unavailable => {
                return Err(Problem::unavailable(
                    error.code().as_str(),
                    "it cannot be told whether that token is good",
                ));
            }
            Err(error) => {
                return Err(Problem::impossible(
                    error.code().as_str(),
                    "the service does not accept that token anyway",
                ));
            }
        }
        Ok(Json(json!({ "revoked": "token" })))
    }

    /// Also one who is not listed any more. The answer says so, in case it was a mistake in writing.
    async fn revoke_user(&self, name: &str) -> Result<Json<Value>, Problem> {
        if name.is_empty() {
            return Err(Problem::malformed("name a user"));
        }
        self.exit.user(name, None).await?;
        Ok(Json(json!({ "revoked": "user", "is_listed": self.users.named(name).is_some() })))
    }

    /// Only one that is known here: another id would be a mistake in writing, and there is no time for that now.
    async fn revoke_secret(&self, id: &str) -> Result<Json<Value>, Problem> {
        let states = self.secrets.states();
        if !states.iter().any(|(known, _)| known == id) {
            let known: Vec<_> = states.iter().map(|(id, _)| id.as_str()).collect();
            return Err(Problem::impossible("secret_unknown", format!("the secrets are: {}", known.join(", "))));
        }
        self.exit.secret(id).await?;
        Ok(Json(json!({ "revoked": "secret" })))
    }
}
