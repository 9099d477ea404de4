//! The program that drives the product without a browser, and the lifecycle of tokens over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{fs, process::Command};

use serde_json::{Value, json};
use support::Product;
use tempfile::tempdir;

fn run_client(product: &Product) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_product-tokens"));
    command.arg("client").env_clear().env("PRODUCT_URL", &product.url).env("PRODUCT_TOKEN_FILE", product.token_file());
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
