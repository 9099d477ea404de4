//! [`Keys`]: the API keys with which programs act as the administrator. They belong to an organisation, so that they outlive the person who has
//! made them, and each has the scopes that it needs.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Path as UrlPath, State, rejection::JsonRejection},
    http::{StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use portcullis::{Admission, Claims};
use portcullis_issuer::{
    api_tokens::{
        ApiToken, ApiTokenEvent, ApiTokenFormat, ApiTokenId, ApiTokenKind, ApiTokenState, ApiTokens, CreatedApiToken,
        Grant, Grants, MembershipError, Memberships, NewApiToken, Owner, Peppers, RecordingUses, RevokedReason,
        Rotation,
    },
    routes::LeakReports,
};
use portcullis_store::{RedbApiTokenStore, RedbRefreshStore, Revocations};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Desk, ISSUER, problem::Problem, secret_file};
use crate::Failure;

/// The organisation whose backend this is.
const ORGANISATION: &str = "backend-operators";

/// What a key may be allowed at most.
const ALL_SCOPES: [&str; 5] = ["documents:read", "documents:write", "users:read", "users:write", "keys:manage"];

/// What functions need.
const SCOPES_OF_FUNCTIONS: [&str; 3] = ["documents:read", "documents:write", "users:read"];

/// The API keys.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    tokens: ApiTokens<RedbApiTokenStore, Operators, Revocations>,
    folder: PathBuf,
}

/// There is one organisation, and it may do everything. A real service asks its database.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operators;

impl Memberships for Operators {
    async fn of(&self, owner: &Owner) -> Result<Grants, MembershipError> {
        if *owner != Owner::organisation(ORGANISATION) {
            return Err(MembershipError::OwnerGone);
        }
        Ok(ALL_SCOPES.into_iter().map(Grant::scope).collect())
    }
}

impl Keys {
    /// Opens the keys. At the first start, it makes one for the administrator and one for the functions, each in a file of its own.
    pub(super) async fn open(
        folder: &Path,
        store: &RedbRefreshStore,
        revocations: &Revocations,
    ) -> Result<Self, Failure> {
        let pepper = secret_file::bytes(&secret_file::secret(folder, "api-keys.pepper")?)?;
        let (format, peppers) = (ApiTokenFormat::new("backend")?, Peppers::new('1', *pepper)?);
        let tokens = ApiTokens::builder(ISSUER, format, peppers, store.api_tokens())
            .memberships(Operators)
            .revoker(revocations.clone())
            .on_event(tell)
            .build()?;
        let keys = Self { tokens, folder: folder.to_owned() };
        keys.first_key("admin", &ALL_SCOPES).await?;
        keys.first_key("functions", &SCOPES_OF_FUNCTIONS).await?;
        Ok(keys)
    }

    async fn first_key(&self, name: &str, scopes: &[&str]) -> Result<(), Failure> {
        let file = self.file(name);
        if file.exists() {
            return Ok(());
        }
        let new = scopes.iter().copied().fold(new_key(name), |new, scope| new.grant(Grant::scope(scope)));
        let created = self.tokens.create(new.created_by("the first start")).await?;
        secret_file::keep(&file, created.secret().expose())
    }

    /// Returns the file with the first key of this name.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.key"))
    }

    /// Returns what is asked of a key.
    pub(super) fn admission(&self, revocations: &Revocations) -> Admission {
        Admission::new(self.tokens.authenticator()).revocations(revocations)
    }

    /// Takes reports of keys that were found where they must not be, from anyone: only a known key can be reported.
    pub(super) fn leak_reports(&self) -> LeakReports<RedbApiTokenStore, Operators, Revocations> {
        LeakReports::new(self.tokens.clone())
    }

    /// Starts the task that records when keys were used.
    pub(super) fn keep_recording_uses(&self) -> RecordingUses<RedbApiTokenStore, Operators> {
        self.tokens.keep_recording_uses()
    }

    /// Warns of keys that expire soon, and forgets those that were over a month ago.
    pub(super) async fn keep_tidy(&self) {
        match self.tokens.warn_expiring().await {
            Ok(warned) if warned.unreadable.is_empty() => {}
            Ok(warned) => {
                tracing::warn!(unreadable = ?warned.unreadable, "the owners of keys that cannot be read were not warned");
            }
            Err(error) => tracing::warn!(%error, "it could not be found out which keys expire soon"),
        }
        if let Err(error) = self.tokens.forget_ended(Duration::from_secs(30 * 86_400)).await {
            tracing::warn!(%error, "keys that are over could not be forgotten");
        }
    }
}

/// A real service tells the teams whose keys they are. Events have ids, and neither names nor texts.
fn tell(event: &ApiTokenEvent) {
    match event {
        ApiTokenEvent::Created { .. } | ApiTokenEvent::Rotated { .. } | ApiTokenEvent::Revoked { .. } => {
            tracing::info!(?event, "an API key has changed");
        }
        _ => tracing::warn!(?event, "an API key needs attention"),
    }
}

fn new_key(name: &str) -> NewApiToken {
    NewApiToken::new(ApiTokenKind::ServiceAccount, Owner::organisation(ORGANISATION), name)
}

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/keys", get(list).post(create))
        .route("/keys/{id}", delete(revoke))
        .route("/keys/{id}/rotate", post(rotate))
}

/// `GET /keys`: all of them, but the text of none.
async fn list(State(desk): State<Desk>) -> Result<Json<Value>, Problem> {
    let list = desk.keys.tokens.list(&Owner::organisation(ORGANISATION)).await?;
    Ok(Json(list.tokens.iter().map(shown).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    name: String,
    scopes: Vec<String>,
}

/// `POST /keys`. The answer has the key's text, for once. The key is derived from the one that asks, so it ends with that one: who has stolen a key keeps nothing
/// that was made with it.
async fn create(
    State(desk): State<Desk>,
    claims: Claims,
    new: Result<Json<NewKey>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(NewKey { name, scopes }) =
        new.map_err(|_| Problem::refused("request_malformed", r#"send {"name": "…", "scopes": ["…"]}"#))?;
    // Or a key that may make keys could do everything.
    if let Some(scope) = scopes.iter().find(|scope| !claims.has_scope(scope)) {
        return Err(Problem::refused("scope_exceeds", format!("your own key does not have the scope {scope:?}")));
    }
    let new = scopes.into_iter().fold(new_key(&name), |new, scope| new.grant(Grant::scope(scope)));
    let maker = read(claims.token_id().unwrap_or_default())?;
    let created = desk.keys.tokens.derive(maker, new.created_by(made_by(&claims))).await?;
    Ok(answer(StatusCode::CREATED, &created))
}

/// `DELETE /keys/{id}`: it is refused from now on.
async fn revoke(State(desk): State<Desk>, claims: Claims, UrlPath(id): UrlPath<String>) -> Result<StatusCode, Problem> {
    let id = within_own_scopes(&desk, &claims, &id).await?;
    desk.keys.tokens.revoke(id, RevokedReason::Asked).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    /// Chosen by the client, at random. If the answer is lost, it asks again with the same.
    request_id: Zeroizing<String>,
    /// For how long the earlier key is still accepted.
    overlap_seconds: Option<u64>,
}

/// `POST /keys/{id}/rotate`: another key with the same scopes.
async fn rotate(
    State(desk): State<Desk>,
    claims: Claims,
    UrlPath(id): UrlPath<String>,
    rotate: Result<Json<Rotate>, JsonRejection>,
) -> Result<Response, Problem> {
    let Ok(Json(Rotate { request_id, overlap_seconds })) = rotate else {
        return Err(Problem::refused("request_malformed", r#"send {"request_id": "at least 16 random characters"}"#));
    };
    // The successor has the scopes of the earlier key.
    let id = within_own_scopes(&desk, &claims, &id).await?;
    let rotation = Rotation::new(request_id.as_bytes()).created_by(made_by(&claims));
    let rotation = overlap_seconds.into_iter().map(Duration::from_secs).fold(rotation, Rotation::overlap);
    Ok(answer(StatusCode::OK, &desk.keys.tokens.rotate(id, rotation).await?))
}

fn read(id: &str) -> Result<ApiTokenId, Problem> {
    id.parse().map_err(|_| Problem::not_found())
}

/// Reads the id of a key that can do no more than the one that asks.
async fn within_own_scopes(desk: &Desk, claims: &Claims, id: &str) -> Result<ApiTokenId, Problem> {
    let key = desk.keys.tokens.find(read(id)?).await?.ok_or_else(Problem::not_found)?;
    if !scopes(&key).all(|scope| claims.has_scope(scope)) {
        return Err(Problem::refused("scope_exceeds", "your own key does not have all scopes of that key"));
    }
    Ok(key.id())
}

/// Who makes a key: another key.
fn made_by(claims: &Claims) -> String {
    format!("key {}", claims.token_id().unwrap_or_default())
}

fn answer(status: StatusCode, created: &CreatedApiToken) -> Response {
    let mut body = shown(created.token());
    body["key"] = created.secret().expose().into();
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn shown(key: &ApiToken) -> Value {
    let state = match key.state() {
        ApiTokenState::Active => "active",
        ApiTokenState::Superseded { .. } => "superseded",
        ApiTokenState::Expired { .. } => "expired",
        _ => "revoked",
    };
    json!({
        "id": key.id().to_string(),
        "name": key.name(),
        "hint": key.hint(),
        "scopes": scopes(key).collect::<Vec<_>>(),
        "state": state,
        "created_by": key.created_by(),
        "until": key.until().map(|until| until.to_unix().as_secs()),
        "last_used": key.last_used().map(|last| last.at.to_unix().as_secs()),
    })
}

fn scopes(key: &ApiToken) -> impl Iterator<Item = &str> {
    key.grants().iter().filter_map(|grant| match grant {
        Grant::Scope(scope) => Some(scope.as_str()),
        _ => None,
    })
}
