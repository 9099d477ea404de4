//! The instances and their members. The guard has checked the role on the instance of the path before.

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    routing::{get, put},
};
use portcullis::Claims;
use portcullis_issuer::api_tokens::Owner;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Desk, own_token,
    problem::Problem,
    rights::{Role, owners},
};

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/instances", get(list).post(create))
        .route("/instances/{instance}", get(one).put(rename).delete(remove))
        .route("/instances/{instance}/members/{member}", put(set_member).delete(remove_member))
}

/// `GET /instances`: those on which the token has a role now.
async fn list(State(desk): State<Desk>, claims: Claims) -> Result<Json<Value>, Problem> {
    let owner = own_token::owner(&desk, &claims).await?;
    let reachable = desk.rights.reachable_by(&owner).into_iter();
    let reachable = reachable.filter(|(name, ..)| claims.claim(&pointer(name)).is_some());
    let list = reachable.map(|(name, title, role)| json!({ "name": name, "title": title, "owner_is": role.name() }));
    Ok(Json(list.collect()))
}

/// A JSON pointer to the roles on an instance (RFC 6901).
fn pointer(instance: &str) -> String {
    format!("/grants/{}", instance.replace('~', "~0").replace('/', "~1"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewInstance {
    name: String,
    title: String,
}

/// `POST /instances`: the token's owner becomes the owner of the instance.
async fn create(
    State(desk): State<Desk>,
    claims: Claims,
    new: Result<Json<NewInstance>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Ok(Json(NewInstance { name, title })) = new else {
        return Err(Problem::refused("request_malformed", r#"send {"name": "…", "title": "…"}"#));
    };
    let is_name = (1..=40).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if !is_name {
        return Err(Problem::refused("name_refused", "a name has up to 40 lower-case letters and `-`"));
    }
    let owner = own_token::owner(&desk, &claims).await?;
    if !desk.rights.add(&name, &title, owner.clone()) {
        return Err(Problem::conflict("name_taken", "there is an instance of this name"));
    }
    desk.tokens.memberships_changed(&owner);
    Ok((StatusCode::CREATED, Json(json!({ "name": name, "title": title }))))
}

async fn one(State(desk): State<Desk>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let instance = desk.rights.find(&name).ok_or_else(Problem::not_found)?;
    let members: Vec<_> = instance
        .members()
        .map(|(owner, role)| json!({ "kind": owner.kind(), "id": owner.id(), "role": role.name() }))
        .collect();
    Ok(Json(json!({ "name": name, "title": instance.title, "members": members })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Title {
    title: String,
}

async fn rename(
    State(desk): State<Desk>,
    Path(name): Path<String>,
    title: Result<Json<Title>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Ok(Json(Title { title })) = title else {
        return Err(Problem::refused("request_malformed", r#"send {"title": "…"}"#));
    };
    if desk.rights.rename(&name, &title) { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}

async fn remove(State(desk): State<Desk>, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    let members = desk.rights.remove(&name).ok_or_else(Problem::not_found)?;
    for member in &members {
        desk.tokens.memberships_changed(member);
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: String,
}

/// `PUT /instances/{instance}/members/{member}`: from now on, the member's tokens can do what the new role can.
async fn set_member(
    State(desk): State<Desk>,
    Path((name, member)): Path<(String, String)>,
    role: Result<Json<NewRole>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let role = role.ok().and_then(|Json(NewRole { role })| Role::of(&role));
    let role = role.ok_or_else(|| Problem::refused("role_unknown", "send a role: `reader`, `editor` or `owner`"))?;
    change(&desk, &name, &member, Some(role))
}

async fn remove_member(
    State(desk): State<Desk>,
    Path((name, member)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    change(&desk, &name, &member, None)
}

/// A member is written `user:alice`, `organisation:acme` or `application:reports`.
fn change(desk: &Desk, name: &str, member: &str, role: Option<Role>) -> Result<StatusCode, Problem> {
    let named = |owner: &Owner| format!("{}:{}", owner.kind(), owner.id()) == member;
    let member =
        owners().into_iter().find(named).filter(|member| desk.rights.has(member)).ok_or_else(Problem::not_found)?;
    if !desk.rights.set(name, member.clone(), role) {
        return Err(Problem::not_found());
    }
    desk.tokens.memberships_changed(&member);
    Ok(StatusCode::NO_CONTENT)
}
