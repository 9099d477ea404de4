//! API keys: made, rotated and revoked over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use serde_json::{Value, json};
use support::{Answer, Backend, Headers, jwt_header, key_header};
use tempfile::tempdir;

async fn create(backend: &Backend, by: &Headers, scopes: &[&str]) -> Answer {
    backend.post("/keys", by, &json!({ "name": "a job", "scopes": scopes })).await
}

async fn rotate(backend: &Backend, by: &Headers, id: &str, request: &str, overlap: u64) -> Answer {
    let body = json!({ "request_id": request, "overlap_seconds": overlap });
    backend.post(&format!("/keys/{id}/rotate"), by, &body).await
}

#[tokio::test]
async fn a_key_has_the_scopes_that_it_was_made_with_until_it_is_revoked() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let admin = key_header(&backend.key("admin"));
    let [gone, kept] =
        [create(&backend, &admin, &["users:read"]).await, create(&backend, &admin, &["users:read"]).await];
    assert_eq!((gone.status, gone.header("cache-control")), (201, "no-store"), "{gone:?}");
    let [key, other] = [key_header(&gone.text("key")), key_header(&kept.text("key"))];
    for key in [&key, &other] {
        assert_eq!(backend.get("/users", key).await.status, 200);
        assert_eq!(backend.get("/documents", key).await.outcome(), (403, "scope_missing".into()));
    }

    let path = format!("/keys/{}", gone.text("id"));
    assert_eq!(backend.call("DELETE", &path, &admin, &Value::Null).await.status, 204);
    assert_eq!(backend.get("/users", &key).await.status, 401);
    assert_eq!(backend.get("/users", &other).await.status, 200);
    assert_eq!(backend.call("DELETE", "/keys/unknown", &admin, &Value::Null).await.status, 404);

    // All of this holds after a crash.
    drop(backend);
    let backend = Backend::start(folder.path(), &[]);
    assert_eq!(backend.get("/users", &key).await.status, 401);
    assert_eq!(backend.get("/users", &other).await.status, 200);
    assert_eq!(backend.get("/users", &admin).await.status, 200);
}

#[tokio::test]
async fn the_list_shows_every_key_and_the_text_of_none() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let admin = key_header(&backend.key("admin"));
    let created = create(&backend, &admin, &["users:read"]).await;
    let text = created.text("key");
    let list = backend.get("/keys", &admin).await;
    let names: Vec<_> = list.json().as_array().unwrap().iter().map(|key| key["name"].clone()).collect();
    assert_eq!(names, ["admin", "functions", "a job"]);
    let shown = list.json()[2].clone();
    assert_eq!((&shown["state"], &shown["scopes"]), (&json!("active"), &json!(["users:read"])));
    assert!(shown["created_by"].as_str().unwrap().starts_with("key "), "{shown}");
    assert!(shown["hint"].as_str().unwrap().ends_with(&text[text.len() - 4..]), "{shown}");
    for secret in [text, backend.key("admin"), backend.key("functions")] {
        assert!(!list.body.contains(&secret));
    }
}

#[tokio::test]
async fn a_key_gives_no_scope_that_it_does_not_have() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let admin = key_header(&backend.key("admin"));
    let manager = create(&backend, &admin, &["keys:manage", "users:read"]).await;
    let by = key_header(&manager.text("key"));
    let refused = create(&backend, &by, &["users:read", "users:write"]).await;
    assert_eq!(refused.outcome(), (400, "scope_exceeds".into()));
    assert_eq!(create(&backend, &by, &["users:read"]).await.status, 201);
    // Rotating tells the text of a key, so it needs the same.
    let keys = backend.get("/keys", &admin).await.json();
    let id = keys[0]["id"].as_str().unwrap();
    let refused = rotate(&backend, &by, id, "0123456789abcdef", 60).await;
    assert_eq!(refused.outcome(), (400, "scope_exceeds".into()));
    assert_eq!(rotate(&backend, &by, &manager.text("id"), "0123456789abcdef", 60).await.status, 200);
    // What is not one is refused, and so is a key that may do nothing.
    assert_eq!(create(&backend, &admin, &[]).await.status, 400);
}

#[tokio::test]
async fn a_key_made_by_a_stolen_key_ends_with_it() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let admin = key_header(&backend.key("admin"));
    let stolen = create(&backend, &admin, &["keys:manage", "users:read"]).await;
    let kept = key_header(&create(&backend, &key_header(&stolen.text("key")), &["users:read"]).await.text("key"));
    let of_admin = key_header(&create(&backend, &admin, &["users:read"]).await.text("key"));
    for key in [&kept, &of_admin] {
        assert_eq!(backend.get("/users", key).await.status, 200);
    }
    let path = format!("/keys/{}", stolen.text("id"));
    assert_eq!(backend.call("DELETE", &path, &admin, &Value::Null).await.status, 204);
    assert_eq!(backend.get("/users", &kept).await.outcome(), (401, "credential_revoked_by_parent".into()));
    assert_eq!(backend.get("/users", &of_admin).await.status, 200);
}

#[tokio::test]
async fn a_narrow_key_cannot_end_a_wider_one() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let admin = key_header(&backend.key("admin"));
    let narrow = key_header(&create(&backend, &admin, &["keys:manage", "users:read"]).await.text("key"));
    let other = create(&backend, &admin, &["users:read"]).await.text("id");
    let keys = backend.get("/keys", &admin).await.json();
    let path = format!("/keys/{}", keys[0]["id"].as_str().unwrap());
    let refused = backend.call("DELETE", &path, &narrow, &Value::Null).await;
    assert_eq!(refused.outcome(), (400, "scope_exceeds".into()));
    assert_eq!(backend.get("/users", &admin).await.status, 200);
    assert_eq!(backend.call("DELETE", &format!("/keys/{other}"), &narrow, &Value::Null).await.status, 204);
}

#[tokio::test]
async fn a_rotated_key_works_during_the_overlap_and_a_lost_answer_is_told_again() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let admin = key_header(&backend.key("admin"));
    let created = create(&backend, &admin, &["users:read"]).await;
    let (id, earlier) = (created.text("id"), key_header(&created.text("key")));
    let rotated = rotate(&backend, &admin, &id, "a request, by chance", 60).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    assert_eq!(rotate(&backend, &admin, &id, "a request, by chance", 60).await.text("key"), rotated.text("key"));
    let other = rotate(&backend, &admin, &id, "another, by a thief", 60).await;
    assert_eq!(other.outcome(), (409, "already_rotated".into()));
    for key in [&earlier, &key_header(&rotated.text("key"))] {
        assert_eq!(backend.get("/users", key).await.status, 200);
    }

    // Without an overlap, the earlier one ends at once.
    let again = rotate(&backend, &admin, &rotated.text("id"), "one more, by chance", 0).await;
    assert_eq!(backend.get("/users", &key_header(&rotated.text("key"))).await.status, 401);
    assert_eq!(backend.get("/users", &key_header(&again.text("key"))).await.status, 200);
}

#[tokio::test]
async fn no_secret_is_in_the_stores_or_the_log_and_files_are_their_owners_alone() {
    let folder = tempdir().unwrap();
    let log = tempfile::NamedTempFile::new().unwrap();
    let backend = Backend::start_verbose(folder.path(), log.reopen().unwrap());
    let admin = key_header(&backend.key("admin"));
    let key = create(&backend, &admin, &["users:read"]).await.text("key");
    assert_eq!(backend.get("/users", &key_header(&key)).await.status, 200);
    let session = backend.log_in("alice").await;
    let jwt = backend.jwt(&session).await;
    assert_eq!(backend.function("report", &jwt_header(&jwt)).await.status, 200);
    // Also those that are refused, and in the wrong place.
    assert_eq!(backend.get("/users", &jwt_header(&key)).await.status, 401);
    backend.log_out(&session).await;
    assert_eq!(backend.function("report", &jwt_header(&jwt)).await.status, 401);
    let secrets = [key, backend.key("admin"), backend.key("functions"), session.access, session.refresh, jwt];
    drop(backend);

    let logged = fs::read(log.path()).unwrap();
    assert!(String::from_utf8_lossy(&logged).contains("token_revoked"), "it logged nothing");
    let mut searched = vec![("the log".to_owned(), logged)];
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", path.display());
        if path.extension().is_some_and(|extension| extension == "redb") {
            searched.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    assert_eq!(searched.len(), 3);
    let passwords = ["wonderland".to_owned()];
    for (place, bytes) in &searched {
        for secret in secrets.iter().chain(&passwords) {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{place} has a secret");
        }
    }
}

#[tokio::test]
async fn a_key_that_is_reported_is_revoked_and_the_answer_does_not_say_so() {
    let folder = tempdir().unwrap();
    let backend = Backend::start(folder.path(), &[]);
    let [leaked, other] = [key_header(&backend.key("functions")), key_header(&backend.key("admin"))];
    let key = backend.key("functions");
    // The end of a key is not the key.
    let mut answers = Vec::new();
    for text in ["junk", &key[1..], &key] {
        assert_eq!(backend.get("/users", &leaked).await.status, 200);
        let report = json!({ "tokens": [text], "source": "https://git.example.com/commit/1" });
        let answer = backend.post("/token-reports", &vec![], &report).await;
        answers.push((answer.status, answer.body));
    }
    assert_eq!(answers, vec![(202, "{}".to_owned()); 3]);
    backend.refused_within("/users", &leaked, Duration::from_secs(5)).await;
    assert_eq!(backend.get("/users", &other).await.status, 200);
}

#[test]
fn the_readme_lists_the_routes() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_backend")).arg("routes").output().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    let readme = include_str!("../README.md");
    assert!(readme.contains(listed.trim()), "put this into README.md:\n{listed}");
}
