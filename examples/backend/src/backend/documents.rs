//! What the backend keeps for users: documents, each of one user. One set of routes serves users, functions that act as a user, and the
//! administrator; only [`Caller`] says what of it they see.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Json, Router,
    extract::{Path, State, rejection::JsonRejection},
    http::StatusCode,
    routing::get,
};
use portcullis::Claims;
use serde::{Deserialize, Serialize};

use super::{Desk, caller::Caller, problem::Problem};

/// The documents. They are in memory: a real service has a database here.
#[derive(Clone, Debug)]
pub(super) struct Documents(Arc<Mutex<Vec<Document>>>);

#[derive(Clone, Debug, Serialize)]
struct Document {
    id: usize,
    owner: String,
    title: String,
}

impl Documents {
    pub(super) fn demo() -> Self {
        let demo = [("alice", "Alice's plan"), ("alice", "Alice's diary"), ("bob", "Bob's list")];
        let documents = demo.into_iter().enumerate();
        let documents = documents.map(|(id, (owner, title))| Document { id, owner: owner.into(), title: title.into() });
        Self(Arc::new(Mutex::new(documents.collect())))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Document>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new().route("/documents", get(list).post(add)).route("/documents/{id}", get(one))
}

async fn list(State(desk): State<Desk>, claims: Claims) -> Result<Json<Vec<Document>>, Problem> {
    let caller = Caller::of(&claims)?;
    let documents = desk.documents.lock();
    Ok(Json(documents.iter().filter(|document| caller.may_see(&document.owner)).cloned().collect()))
}

async fn one(State(desk): State<Desk>, claims: Claims, Path(id): Path<String>) -> Result<Json<Document>, Problem> {
    let caller = Caller::of(&claims)?;
    let documents = desk.documents.lock();
    let mut found = documents.iter().filter(|document| caller.may_see(&document.owner));
    let found = found.find(|document| document.id.to_string() == id);
    // A document of another user is as good as none.
    found.cloned().map(Json).ok_or_else(Problem::not_found)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDocument {
    title: String,
    /// Whose it is: the caller's, unless the administrator says.
    owner: Option<String>,
}

async fn add(
    State(desk): State<Desk>,
    claims: Claims,
    new: Result<Json<NewDocument>, JsonRejection>,
) -> Result<(StatusCode, Json<Document>), Problem> {
    let caller = Caller::of(&claims)?;
    let Json(NewDocument { title, owner }) =
        new.map_err(|_| Problem::refused("request_malformed", r#"send {"title": "…"}"#))?;
    let owner = match (caller, owner) {
        (Caller::User(name), None) => name.to_owned(),
        (Caller::Administrator, Some(owner)) if desk.users.find(&owner).is_some() => owner,
        (Caller::User(_), Some(_)) => return Err(Problem::refused("owner_given", "the document will be yours")),
        (Caller::Administrator, _) => return Err(Problem::refused("owner_unknown", "say whose document it is")),
    };
    let mut documents = desk.documents.lock();
    let document = Document { id: documents.len(), owner, title };
    documents.push(document.clone());
    Ok((StatusCode::CREATED, Json(document)))
}
