//! The functions: a program of its own, on the server's side, that an application calls.
//!
//! A function acts as the user who calls it, with the JWT that it is handed, or as the administrator, with its API key. It is never both at
//! once: each of its requests to the backend carries one credential ([`Actor`]). It verifies no token: the backend does, at each request, so that a
//! JWT ends here at the moment it ends there.

mod client;

use std::{fs, path::Path, sync::Arc};

use axum::{
    Json, Router,
    extract::{FromRequestParts, State},
    http::{HeaderValue, StatusCode, request::Parts},
    routing::post,
};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use self::client::{Actor, Client, Refused};
use crate::Failure;

/// Returns the functions.
pub(crate) fn app(backend_url: &str, key_file: &Path) -> Result<Router, Failure> {
    let key = Zeroizing::new(fs::read_to_string(key_file)?);
    let client = Arc::new(Client::new(backend_url, key.trim())?);
    Ok(Router::new()
        .route("/functions/summary", post(summary))
        .route("/functions/welcome", post(welcome))
        .route("/functions/report", post(report))
        .with_state(client))
}

/// The JWT of the user who calls.
struct UserJwt(HeaderValue);

impl<S: Sync> FromRequestParts<S> for UserJwt {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let mut values = parts.headers.get_all("x-backend-jwt").iter();
        match (values.next(), values.next()) {
            (Some(value), None) => {
                let mut value = value.clone();
                value.set_sensitive(true); // so that no log shows it
                Ok(Self(value))
            }
            (None, _) => Err(Refused::of(StatusCode::UNAUTHORIZED, "jwt_missing")),
            _ => Err(Refused::of(StatusCode::BAD_REQUEST, "several_jwts")),
        }
    }
}

/// `POST /functions/summary`: as the user. It sees what the user sees.
async fn summary(State(backend): State<Arc<Client>>, UserJwt(jwt): UserJwt) -> Result<Json<Value>, Refused> {
    let documents = backend.get("/documents", Actor::User(&jwt)).await?;
    let titles: Vec<_> = documents.as_array().into_iter().flatten().map(|document| document["title"].clone()).collect();
    Ok(Json(json!({ "documents": titles.len(), "titles": titles })))
}

/// `POST /functions/welcome`: asks as the user who that is, and then writes a document for this user as the administrator.
async fn welcome(State(backend): State<Arc<Client>>, UserJwt(jwt): UserJwt) -> Result<Json<Value>, Refused> {
    let account = backend.get("/account", Actor::User(&jwt)).await?;
    let document = json!({ "owner": account["name"], "title": "Welcome" });
    Ok(Json(backend.post("/documents", Actor::Administrator, &document).await?))
}

/// `POST /functions/report`: about all users, as the administrator. So it asks first, as the user, whether the caller is an operator: a function
/// with a key of its own must not do for every caller what the caller may not do.
async fn report(State(backend): State<Arc<Client>>, UserJwt(jwt): UserJwt) -> Result<Json<Value>, Refused> {
    let account = backend.get("/account", Actor::User(&jwt)).await?;
    if account["role"] != "operator" {
        return Err(Refused::of(StatusCode::FORBIDDEN, "operators_only"));
    }
    let users = backend.get("/users", Actor::Administrator).await?;
    let documents = backend.get("/documents", Actor::Administrator).await?;
    Ok(Json(json!({ "users": count(&users), "documents": count(&documents) })))
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}
