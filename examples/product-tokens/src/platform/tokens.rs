//! The tokens of a user, and of those for whom the user acts: made, listed, replaced and revoked by a person who has logged in.

use std::{
    collections::BTreeSet,
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
use portcullis::Claims;
use portcullis_issuer::api_tokens::{
    ApiToken, ApiTokenId, ApiTokenKind, ApiTokenState, CreatedApiToken, Grant, NewApiToken, Owner, RevokedReason,
    Rotation,
};
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Desk,
    problem::Problem,
    rights::{APPLICATION, ORGANISATION},
    secret_file,
};
use crate::Failure;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/tokens", get(list).post(create))
        .route("/tokens/{id}", delete(revoke))
        .route("/tokens/{id}/preview", get(preview))
        .route("/tokens/{id}/rotate", post(rotate))
}

/// Returns for whom a user manages tokens. Alice is an administrator of the organisation and its application.
pub(super) fn owners_of(user: &str) -> Vec<Owner> {
    let mut owners = vec![Owner::user(user)];
    if user == "alice" {
        owners.extend([Owner::organisation(ORGANISATION), Owner::application(APPLICATION)]);
    }
    owners
}

/// Makes a token of the organisation at the first start, for the client. Returns its file.
pub(super) async fn first(desk: &Desk, folder: &Path) -> Result<PathBuf, Failure> {
    let file = folder.join("automation.token");
    if !file.exists() {
        let new = NewApiToken::new(ApiTokenKind::ServiceAccount, Owner::organisation(ORGANISATION), "automation");
        let new = new.grant(Grant::Everything).created_by("the first start");
        secret_file::keep(&file, desk.tokens.create(new).await?.secret().expose())?;
    }
    Ok(file)
}

/// What a token is to be, as a request says it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    name: String,
    kind: String,
    /// Defaults to the user who asks.
    owner: Option<NamedOwner>,
    grants: Vec<NamedGrant>,
    /// Defaults to 90 days.
    lifetime_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedOwner {
    kind: String,
    id: String,
}

/// `{"everything": true}`, `{"scope": …}`, `{"role": …}` on every instance, or `{"role": …, "instance": …}`.
#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum NamedGrant {
    Everything { everything: bool },
    Scope { scope: String },
    Role { role: String, instance: Option<String> },
}

impl NamedGrant {
    fn grant(self) -> Result<Grant, Problem> {
        match self {
            Self::Everything { everything: true } => Ok(Grant::Everything),
            Self::Everything { everything: false } => Err(malformed()),
            Self::Scope { scope } => Ok(Grant::scope(scope)),
            Self::Role { role, instance: Some(instance) } => Ok(Grant::role(role, instance)),
            Self::Role { role, instance: None } => Ok(Grant::role_everywhere(role)),
        }
    }
}

pub(super) fn malformed() -> Problem {
    Problem::refused(
        "request_malformed",
        r#"send {"name": "…", "kind": "user_to_platform", "grants": [{"role": "reader", "instance": "shop"}]}"#,
    )
}

impl New {
    /// Returns whose it is to be, if the request says so.
    pub(super) fn owner(&self) -> Result<Option<Owner>, Problem> {
        let Some(NamedOwner { kind, id }) = &self.owner else { return Ok(None) };
        match kind.as_str() {
            "user" => Ok(Some(Owner::user(id))),
            "organisation" => Ok(Some(Owner::organisation(id))),
            "application" => Ok(Some(Owner::application(id))),
            _ => Err(malformed()),
        }
    }

    pub(super) fn token(self, owner: Owner, created_by: &str) -> Result<NewApiToken, Problem> {
        let kind = ApiTokenKind::ALL.into_iter().find(|kind| kind.as_str() == self.kind).ok_or_else(malformed)?;
        let mut new = NewApiToken::new(kind, owner, self.name).created_by(created_by);
        for grant in self.grants {
            new = new.grant(grant.grant()?);
        }
        Ok(self.lifetime_seconds.into_iter().map(Duration::from_secs).fold(new, NewApiToken::lifetime))
    }
}

/// `GET /tokens`: all that the user manages, and the text of none.
async fn list(State(desk): State<Desk>, claims: Claims) -> Result<Json<Value>, Problem> {
    let mut tokens = Vec::new();
    let mut unreadable = Vec::new();
    for owner in owners_of(user(&claims)?) {
        let list = desk.tokens.list(&owner).await?;
        // A token and those that it was derived from have one owner.
        let live: BTreeSet<_> = list.tokens.iter().filter(|token| token.is_live()).map(ApiToken::id).collect();
        tokens.extend(list.tokens.iter().map(|token| {
            let has_lost_parent = token.is_live() && !token.ancestors().iter().all(|ancestor| live.contains(ancestor));
            let mut shown = shown(token);
            if has_lost_parent {
                shown["state"] = "ended_with_parent".into();
            }
            shown
        }));
        unreadable.extend(list.unreadable.iter().map(ToString::to_string));
    }
    Ok(Json(json!({ "tokens": tokens, "unreadable": unreadable })))
}

/// `POST /tokens`. The answer has the token's text, for once.
async fn create(
    State(desk): State<Desk>,
    claims: Claims,
    new: Result<Json<New>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(new) = new.map_err(|_| malformed())?;
    let user = user(&claims)?;
    let owner = new.owner()?.unwrap_or_else(|| Owner::user(user));
    if !owners_of(user).contains(&owner) {
        return Err(Problem::not_found());
    }
    let created = desk.tokens.create(new.token(owner, user)?).await?;
    Ok(answer(StatusCode::CREATED, &created))
}

/// `GET /tokens/{id}/preview`: what else would end.
async fn preview(
    State(desk): State<Desk>,
    claims: Claims,
    UrlPath(id): UrlPath<String>,
) -> Result<Json<Value>, Problem> {
    let id = managed(&desk, &claims, &id).await?;
    let impact = desk.tokens.preview_revocation(id).await?;
    let last_used = impact.last_used.map(|last_used| last_used.at.to_unix().as_secs());
    Ok(Json(json!({ "derived": impact.derived, "last_used": last_used })))
}

/// `DELETE /tokens/{id}`: it is refused from now on, with all that were derived from it.
async fn revoke(State(desk): State<Desk>, claims: Claims, UrlPath(id): UrlPath<String>) -> Result<StatusCode, Problem> {
    let id = managed(&desk, &claims, &id).await?;
    desk.tokens.revoke(id, RevokedReason::Asked).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for a successor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rotate {
    /// Chosen by the client, at random. If the answer is lost, it asks again with the same.
    request_id: Zeroizing<String>,
    /// For how long the earlier token is still accepted.
    overlap_seconds: Option<u64>,
}

impl Rotate {
    pub(super) fn rotation(&self) -> Rotation {
        let rotation = Rotation::new(self.request_id.as_bytes());
        self.overlap_seconds.into_iter().map(Duration::from_secs).fold(rotation, Rotation::overlap)
    }
}

pub(super) fn rotation_malformed() -> Problem {
    Problem::refused("request_malformed", r#"send {"request_id": "at least 16 random characters"}"#)
}

/// `POST /tokens/{id}/rotate`: another token with the same rights.
async fn rotate(
    State(desk): State<Desk>,
    claims: Claims,
    UrlPath(id): UrlPath<String>,
    rotate: Result<Json<Rotate>, JsonRejection>,
) -> Result<Response, Problem> {
    let Ok(Json(rotate)) = rotate else { return Err(rotation_malformed()) };
    let id = managed(&desk, &claims, &id).await?;
    let rotation = rotate.rotation().created_by(user(&claims)?);
    Ok(answer(StatusCode::OK, &desk.tokens.rotate(id, rotation).await?))
}

pub(super) fn user(claims: &Claims) -> Result<&str, Problem> {
    claims.subject().ok_or_else(Problem::not_found)
}

/// Reads the id of a token that the user manages. One of another user is as good as none.
async fn managed(desk: &Desk, claims: &Claims, id: &str) -> Result<ApiTokenId, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    let token = desk.tokens.find(id).await?.ok_or_else(Problem::not_found)?;
    if owners_of(user(claims)?).contains(token.owner()) { Ok(id) } else { Err(Problem::not_found()) }
}

pub(super) fn answer(status: StatusCode, created: &CreatedApiToken) -> Response {
    let mut body = shown(created.token());
    body["token"] = created.secret().expose().into();
    (status, [(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

pub(super) fn shown(token: &ApiToken) -> Value {
    let state = match token.state() {
        ApiTokenState::Active => "active",
        ApiTokenState::Superseded { .. } => "superseded",
        ApiTokenState::Expired { .. } => "expired",
        _ => "revoked",
    };
    json!({
        "id": token.id().to_string(),
        "name": token.name(),
        "hint": token.hint(),
        "kind": token.kind().as_str(),
        "owner": { "kind": token.owner().kind(), "id": token.owner().id() },
        "grants": token.grants().iter().map(grant).collect::<Vec<_>>(),
        "state": state,
        "created_by": token.created_by(),
        "until": token.until().map(|until| until.to_unix().as_secs()),
        "last_used": token.last_used().map(|last_used| last_used.at.to_unix().as_secs()),
    })
}

fn grant(grant: &Grant) -> Value {
    match grant {
        Grant::Scope(scope) => json!({ "scope": scope }),
        Grant::Role { role, instance } => json!({ "role": role, "instance": instance }),
        Grant::RoleEverywhere(role) => json!({ "role": role }),
        Grant::Everything => json!({ "everything": true }),
        // Said rather than left out.
        _ => json!({ "other": true }),
    }
}
