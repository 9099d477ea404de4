//! The program that drives the product without a browser, and the lifecycle of tokens over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{fs, path::Path, process::Command};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};
use support::Product;
use tempfile::tempdir;

fn run_client(product: &Product) -> (bool, String) {
    run_client_at(&product.url, &product.token_file())
}

fn run_client_at(url: &str, token_file: &Path) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_product-tokens"));
    command.arg("client").env_clear().env("PRODUCT_URL", url).env("PRODUCT_TOKEN_FILE", token_file);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), said)
}

#[tokio::test]
async fn a_program_creates_an_instance_manages_its_users_replaces_its_token_and_cleans_up() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let before = product.automation();
    let (succeeded, said) = run_client(&product);
    assert!(succeeded, "{said}");
    for line in [
        "replaced my token",
        "created the instance",
        "made user:bob its editor",
        "renaming it is answered with 403",
        "reading it is answered with 403",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    let after = product.automation();
    assert_ne!(before, after);
    assert!(!said.contains(&before) && !said.contains(&after));
    // The token that it has derived is not left to its ten minutes.
    let alice = product.log_in("alice").await;
    let tokens = product.must("GET", "/tokens", &alice, Value::Null).await.json()["tokens"].clone();
    let states = |name: &str| -> Vec<_> {
        let named = tokens.as_array().unwrap().iter().filter(|token| token["name"] == name);
        named.map(|token| token["state"].clone()).collect()
    };
    assert_eq!(states("a part of this program"), ["revoked"]);
    assert_eq!(states("automation"), ["superseded", "active"]);
    // Nothing but the two instances of the demo is left.
    let instances = product.must("GET", "/instances", &after, Value::Null).await.json();
    let names: Vec<_> = instances.as_array().unwrap().iter().map(|instance| instance["name"].clone()).collect();
    assert_eq!(names, ["blog", "shop"]);
    // The earlier token is accepted for an hour, so that no other program stops.
    assert_eq!(product.get("/token", &before).await.text("state"), "superseded");
    let (succeeded, said) = run_client(&product);
    assert!(succeeded, "it runs again, with its new token: {said}");
}

#[tokio::test]
async fn a_program_whose_answer_was_lost_gets_the_same_token_when_it_asks_again() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let before = product.automation();
    // As if the program had been killed after it had sent its request.
    let request = "abcdefghijklmnopabcdefghijklmnop";
    fs::write(product.token_file().with_extension("request"), request).unwrap();
    let body = json!({ "request_id": request, "overlap_seconds": 3600 });
    let lost = product.must("POST", "/token/rotate", &before, body).await.text("token");
    let (succeeded, said) = run_client(&product);
    assert!(succeeded, "{said}");
    assert_eq!(product.automation(), lost);

    // Another request for the earlier token gets none.
    let body = json!({ "request_id": "another-request-of-someone-else", "overlap_seconds": 3600 });
    let other = product.post("/token/rotate", &before, body).await;
    assert_eq!(other.outcome(), "409 already_rotated");
}

/// The product, ten minutes after it has answered a rotation: it tells the new token no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_asks_again_too_late_says_what_to_do_and_stops() {
    for (code, advice) in [("rotation_answer_over", "make another one"), ("already_rotated", "revoke both")] {
        let problem = (StatusCode::CONFLICT, Json(json!({ "code": code, "detail": "the token was replaced by 01J9" })));
        let router = Router::new()
            .route("/token", get(async || Json(json!({ "name": "automation", "owner": { "id": "acme" } }))))
            .route("/token/rotate", post(async move || problem));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut serving = tokio::task::JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await });

        let folder = tempdir().unwrap();
        let [token, request] = ["token", "request"].map(|extension| folder.path().join("a").with_extension(extension));
        fs::write(&token, "acme_s_the-earlier-one").unwrap();
        fs::write(&request, "abcdefghijklmnopabcdefghijklmnop").unwrap();
        let (succeeded, said) = run_client_at(&url, &token);
        assert!(!succeeded && said.contains(advice) && said.contains("01J9"), "{code}: {said}");
        assert!(!said.contains("created the instance"), "it went on: {said}");
        // The earlier token still works, and another request would look like a thief's.
        assert_eq!(fs::read_to_string(&token).unwrap(), "acme_s_the-earlier-one");
        assert_eq!(fs::read_to_string(&request).unwrap(), "abcdefghijklmnopabcdefghijklmnop");
    }
}

#[tokio::test]
async fn a_token_that_revokes_itself_ends_with_those_that_were_derived_from_it() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let automation = product.automation();
    let new = json!({ "name": "a part", "kind": "service_account", "grants": [{ "role": "reader" }] });
    let derived = product.must("POST", "/token/derive", &automation, new.clone()).await.text("token");
    let below = product.must("POST", "/token/derive", &derived, new).await.text("token");
    product.must("GET", "/token", &below, Value::Null).await;
    product.must("DELETE", "/token", &derived, Value::Null).await;
    assert_eq!(product.get("/token", &derived).await.outcome(), "401 token_revoked");
    assert_eq!(product.get("/token", &below).await.outcome(), "401 credential_revoked_by_parent");
    assert_eq!(product.get("/token", &automation).await.outcome(), "200");
}

#[tokio::test]
async fn a_closed_account_makes_no_tokens_and_those_of_the_organisation_go_on() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let [alice, bob] = [product.log_in("alice").await, product.log_in("bob").await];
    let of_organisation = json!({
        "name": "by Alice", "kind": "service_account", "owner": { "kind": "organisation", "id": "acme" },
        "grants": [{ "role": "reader" }],
    });
    let of_organisation = product.must("POST", "/tokens", &alice, of_organisation).await.text("token");
    let of_user = json!({ "name": "mine", "kind": "user_to_platform", "grants": [{ "everything": true }] });
    let token = product.must("POST", "/tokens", &alice, of_user.clone()).await.text("token");
    product.must("GET", "/token", &token, Value::Null).await;
    // A token cannot close the account of its user.
    assert_eq!(product.call("DELETE", "/account", &token, Value::Null).await.outcome(), "403 requirement_not_met");
    product.must("DELETE", "/account", &alice, Value::Null).await;

    assert_eq!(product.get("/token", &token).await.outcome(), "401 token_revoked");
    assert_eq!(product.post("/tokens", &alice, of_user.clone()).await.outcome(), "400 token_refused");
    let log_in = json!({ "username": "alice", "password": "wonderland" });
    assert_eq!(product.post("/session", "", log_in).await.outcome(), "400 log_in_refused");
    product.must("GET", "/token", &of_organisation, Value::Null).await;
    product.must("POST", "/tokens", &bob, of_user).await;
}

#[tokio::test]
async fn a_user_cannot_import_a_digest_without_the_token() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let bob = product.log_in("bob").await;
    // Alice's, of which Bob has read the SHA-256 in a copy of the earlier system's database.
    let text = "legacy_0123456789abcdef";
    let sha256 = "cee9a3d5679148d6d0f38d404e76e58d6db6e34fb3972230a5ba2b9f1c9159cc";
    let token = json!({ "name": "claimed", "kind": "imported", "grants": [{ "everything": true }] });
    for (body, outcome) in [
        (json!({ "sha256": sha256, "token": token }), "400 request_malformed"),
        (json!({ "text": sha256, "token": token }), "400 text_refused"),
    ] {
        assert_eq!(product.post("/tokens/import", &bob, body).await.outcome(), outcome);
    }
    assert_eq!(product.get("/token", text).await.status, 401);

    // With the token itself, it goes on as his.
    let answer = product.must("POST", "/tokens/import", &bob, json!({ "text": text, "token": token })).await;
    assert!(!answer.body.contains(text));
    assert_eq!(product.must("GET", "/token", text, Value::Null).await.json()["owner"]["id"], "bob");
}

#[tokio::test]
async fn a_token_that_is_reported_is_revoked_and_the_answer_does_not_say_so() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let bob = product.log_in("bob").await;
    let new = json!({ "name": "nightly", "kind": "user_to_platform", "grants": [{ "everything": true }] });
    let leaked = product.must("POST", "/tokens", &bob, new).await.text("token");
    // The end of a token is not the token.
    for text in ["junk", &leaked[1..], &leaked] {
        product.must("GET", "/token", &leaked, Value::Null).await;
        let report = json!({ "tokens": [text], "source": "https://git.example.com/commit/1" });
        let answer = product.post("/token-reports", "", report).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, "{}"));
    }
    product.wait_until_refused(&leaked).await;
    product.must("GET", "/token", &product.automation(), Value::Null).await;
}

#[tokio::test]
async fn tokens_of_a_user_are_made_listed_and_revoked_by_that_user_alone() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let [alice, bob] = [product.log_in("alice").await, product.log_in("bob").await];
    let new = json!({ "name": "nightly", "kind": "user_to_platform", "grants": [{ "everything": true }] });
    let created = product.must("POST", "/tokens", &bob, new.clone()).await;
    assert_eq!(created.headers["cache-control"], "no-store");
    let (id, token) = (created.text("id"), created.text("token"));
    let path = format!("/tokens/{id}");

    // The list has no token's text.
    let list = product.must("GET", "/tokens", &bob, Value::Null).await;
    assert!(list.body.contains(&id) && !list.body.contains(&token));
    assert!(!product.must("GET", "/tokens", &alice, Value::Null).await.body.contains(&id));

    // A token makes no tokens of its user, and another user manages none of it.
    assert_eq!(product.post("/tokens", &token, new.clone()).await.outcome(), "403 requirement_not_met");
    for (method, path) in [("DELETE", path.clone()), ("GET", format!("{path}/preview"))] {
        assert_eq!(product.call(method, &path, &alice, Value::Null).await.outcome(), "404 not_found");
    }
    let of_alice = json!({ "name": "x", "kind": "service_account", "owner": { "kind": "organisation", "id": "acme" }, "grants": [{ "scope": "instances:create" }] });
    assert_eq!(product.post("/tokens", &bob, of_alice.clone()).await.outcome(), "404 not_found");
    assert_eq!(product.post("/tokens", &alice, of_alice).await.outcome(), "201");

    // What ends with it is told before it is revoked.
    let child = json!({ "name": "child", "kind": "user_to_platform", "grants": [{ "role": "reader" }] });
    let child = product.must("POST", "/token/derive", &token, child).await.text("token");
    assert_eq!(
        product.must("GET", "/token", &child, Value::Null).await.json()["may_now"]["instances"],
        json!({ "shop": ["reader"] })
    );
    let preview = product.must("GET", &format!("{path}/preview"), &bob, Value::Null).await;
    assert_eq!(preview.json()["derived"], 1);
    product.must("DELETE", &path, &bob, Value::Null).await;
    assert_eq!(product.get("/token", &token).await.outcome(), "401 token_revoked");
    assert_eq!(product.get("/token", &child).await.outcome(), "401 credential_revoked_by_parent");

    // All of it holds after a crash.
    let data = product.data.clone();
    product.kill();
    let product = Product::start(&data);
    assert_eq!(product.get("/token", &token).await.outcome(), "401 token_revoked");
    assert_eq!(product.get("/token", &child).await.outcome(), "401 credential_revoked_by_parent");
}

#[tokio::test]
async fn no_file_of_the_product_has_the_text_of_a_token() {
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let bob = product.log_in("bob").await;
    let new = json!({ "name": "nightly", "kind": "user_to_platform", "grants": [{ "everything": true }] });
    let token = product.must("POST", "/tokens", &bob, new).await.text("token");
    product.kill();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(token.len()).any(|part| part == token.as_bytes()));
        // Nor what is secret of it: all but its beginning.
        let secret = &token.as_bytes()[7..20];
        assert!(!bytes.windows(secret.len()).any(|part| part == secret));
    }
}
