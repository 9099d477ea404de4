//! Three credentials, each in an HTTP header of its own, and never two of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use serde_json::{Value, json};
use support::{Backend, Headers, jwt_header, key_header};
use tempfile::tempdir;

#[tokio::test]
async fn two_credentials_at_once_are_refused_and_each_alone_is_accepted() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let session = backend.log_in("alice").await;
    let credentials = [session.header(), jwt_header(&backend.jwt(&session).await), key_header(&backend.key("admin"))];
    for alone in &credentials {
        assert_eq!(backend.get("/documents", alone).await.status, 200);
    }
    for (at, first) in credentials.iter().enumerate() {
        for second in &credentials[at..] {
            // Also one of them twice.
            let both: Headers = first.iter().chain(second).cloned().collect();
            let refused = backend.get("/documents", &both).await;
            assert_eq!(refused.status, 400, "{:?}", both.iter().map(|(name, _)| name).collect::<Vec<_>>());
            assert!(refused.header("www-authenticate").contains("invalid_request"), "{refused:?}");
        }
    }
    // A bad one beside a good one is not overlooked.
    for name in ["x-backend-jwt", "x-backend-key"] {
        let both: Headers = session.header().into_iter().chain([(name, "junk".to_owned())]).collect();
        assert_eq!(backend.get("/documents", &both).await.status, 400, "{name}");
    }
    // An empty HTTP header is no credential.
    let empty: Headers = session.header().into_iter().chain([("x-backend-key", String::new())]).collect();
    assert_eq!(backend.get("/documents", &empty).await.status, 200);
}

#[tokio::test]
async fn no_credential_is_accepted_in_the_http_header_of_another() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let session = backend.log_in("alice").await;
    let (access, jwt, key) = (session.access.clone(), backend.jwt(&session).await, backend.key("admin"));
    let right = [("authorization", &access), ("x-backend-jwt", &jwt), ("x-backend-key", &key)];
    for (header, own) in right {
        for (_, credential) in right {
            let value = if header == "authorization" { format!("Bearer {credential}") } else { credential.clone() };
            let status = backend.get("/documents", &vec![(header, value)]).await.status;
            assert_eq!(status, if credential == own { 200 } else { 401 }, "{header}");
        }
        // A refresh token is for its own route alone.
        let value =
            if header == "authorization" { format!("Bearer {}", session.refresh) } else { session.refresh.clone() };
        assert_eq!(backend.get("/documents", &vec![(header, value)]).await.status, 401, "{header}");
    }
    assert_eq!(backend.get("/documents", &vec![]).await.status, 401);
}

#[tokio::test]
async fn an_api_key_does_what_its_scopes_say() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let (admin, functions) = (key_header(&backend.key("admin")), key_header(&backend.key("functions")));
    let user = json!({ "name": "carol", "password": "a long one", "mail": "carol@example.com" });
    let refused = backend.post("/users", &functions, &user).await;
    assert_eq!(refused.outcome(), (403, "scope_missing".into()));
    assert!(refused.header("www-authenticate").contains("users:write"), "{refused:?}");
    assert_eq!(backend.post("/users", &admin, &user).await.status, 201);
    assert_eq!(backend.get("/users", &functions).await.json(), json!(["alice", "bob", "carol"]));
    assert_eq!(backend.get("/documents", &functions).await.json().as_array().unwrap().len(), 3);
    assert_eq!(backend.get("/keys", &functions).await.status, 403);
    assert_eq!(backend.get("/keys", &admin).await.status, 200);
    // A user has none of the administrator's scopes.
    let alice = backend.log_in("alice").await;
    for headers in [alice.header(), jwt_header(&backend.jwt(&alice).await)] {
        assert_eq!(backend.get("/users", &headers).await.outcome(), (403, "scope_missing".into()));
    }
}

#[tokio::test]
async fn the_administrator_ends_a_users_sessions_and_with_them_the_jwts() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let [alice, bob] = [backend.log_in("alice").await, backend.log_in("bob").await];
    let [jwt, of_bob] = [backend.jwt(&alice).await, backend.jwt(&bob).await];
    let admin = key_header(&backend.key("admin"));
    let ended = backend.call("DELETE", "/users/alice/sessions", &admin, &Value::Null).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    assert_eq!(backend.get("/documents", &jwt_header(&jwt)).await.outcome(), (401, "token_revoked".into()));
    assert_eq!(backend.function("summary", &jwt_header(&jwt)).await.status, 401);
    assert_eq!(backend.get("/documents", &jwt_header(&of_bob)).await.status, 200);
}
