//! The page in a headless Chromium: a token is made, shown once, copied, replaced and revoked, and what goes wrong is said where it is seen. Screenshots are kept in the folder of the target,
//! `tmp/platform-screenshots`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

#[path = "../../../platform/tests/browser/driver.rs"]
#[expect(dead_code, reason = "the platform's tests use all of it")]
mod driver;
#[path = "../../../platform/tests/browser/session.rs"]
#[expect(dead_code, reason = "the platform's tests use all of it")]
mod session;
#[path = "../support/mod.rs"]
mod support;

use driver::{Browser, Driver};
use serde_json::json;
use support::Product;
use tempfile::tempdir;

/// Fills in a field by the keyboard.
async fn enter(browser: &Browser, id: &str, text: &str) {
    let field = browser.shown(id).await;
    browser.client.send_keys(&field, text).await.unwrap();
}

async fn value(browser: &Browser, id: &str) -> String {
    let script = format!("return document.getElementById('{id}').value");
    browser.client.execute(&script).await.unwrap().as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_is_made_shown_once_copied_and_revoked() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let browser = driver.browser().await;
    let grant = json!({ "origin": product.url, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
    browser.cdp("Browser.grantPermissions", grant).await;
    browser.client.goto(&product.url).await.unwrap();
    log_in(&browser).await;
    let token = make(&product, &browser).await;
    revoke(&product, &browser, &token).await;

    // The log-in is in memory alone.
    browser.client.refresh().await.unwrap();
    browser.shown("log-in").await;
    let stored = browser.client.execute("return [localStorage.length, sessionStorage.length, document.cookie]").await;
    assert_eq!(stored.unwrap(), json!([0, 0, ""]));
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn a_token_is_replaced_and_what_goes_wrong_is_said_where_it_is_seen() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let browser = driver.browser().await;
    browser.client.goto(&product.url).await.unwrap();
    log_in(&browser).await;
    enter(&browser, "name", "nightly backup\n").await;
    browser.shown("once").await;
    let earlier = value(&browser, "secret").await;
    browser.click("done").await;

    press(&browser, "Replace nightly backup").await;
    browser.shown("once").await;
    let later = value(&browser, "secret").await;
    assert_ne!(earlier, later);
    browser.until("the list", "return document.getElementById('list').textContent.includes('still accepted')").await;
    assert_eq!(product.get("/token", &earlier).await.text("state"), "superseded");
    assert_eq!(product.get("/token", &later).await.text("state"), "active");
    browser.pictures("api-tokens-replaced").await;

    // A browser that does not let the page use the clipboard.
    let refuse = "navigator.clipboard.writeText = () => Promise.reject(new Error('refused'))";
    browser.client.execute(refuse).await.unwrap();
    browser.click("copy").await;
    browser.until("advice", "return document.getElementById('status').textContent.includes('Copy it by hand')").await;
    let selected = "const e = document.activeElement; return e.value.slice(e.selectionStart, e.selectionEnd)";
    assert_eq!(browser.client.execute(selected).await.unwrap(), json!(later));

    press(&browser, "Revoke nightly backup").await;
    browser.until("a question", "return document.getElementById('confirm').open").await;
    product.kill();
    browser.click("revoke").await;
    let said = "return document.getElementById('confirm-error').textContent.includes('cannot be reached')";
    browser.until("a complaint in the dialog", said).await;
    assert!(browser.client.execute("return document.getElementById('confirm').open").await.unwrap() == true);
    browser.pictures("api-tokens-unreachable").await;
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_ends_closes_the_dialog() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let browser = driver.browser().await;
    browser.client.goto(&product.url).await.unwrap();
    log_in(&browser).await;
    enter(&browser, "name", "nightly backup\n").await;
    browser.shown("once").await;
    press(&browser, "Revoke nightly backup").await;
    browser.until("a question", "return document.getElementById('confirm').open").await;
    // A token that is refused from now on takes the place of that of the session.
    let automation = product.automation();
    product.must("DELETE", "/token", &automation, serde_json::Value::Null).await;
    browser.client.execute(&format!("access = '{automation}'")).await.unwrap();
    browser.click("revoke").await;
    browser.until("the end", "return document.getElementById('status').textContent.includes('has expired')").await;
    assert!(browser.client.execute("return document.getElementById('confirm').open").await.unwrap() == false);
    browser.shown("log-in").await;
    assert!(value(&browser, "secret").await.is_empty());
    browser.client.close().await.unwrap();
}

/// Presses a button of the list, as soon as it is there.
async fn press(browser: &Browser, label: &str) {
    let find = format!("document.querySelector('[aria-label=\"{label}\"]')");
    browser.until("a button", &format!("return {find} !== null")).await;
    browser.client.execute(&format!("{find}.click()")).await.unwrap();
}

async fn log_in(browser: &Browser) {
    browser.shown("log-in").await;
    browser.pictures("api-tokens-log-in").await;
    enter(browser, "username", "bob").await;
    enter(browser, "password", "wrong\n").await;
    browser.until("a refusal", "return document.getElementById('status').textContent.includes('wrong name')").await;
    browser.client.execute("document.getElementById('password').value = ''").await.unwrap();
    enter(browser, "password", "can-we-fix-it\n").await;
    browser.shown("manage").await;
    // Bob has no organisation and no application.
    let kinds = "return [...document.getElementById('kind').options].map((each) => each.value)";
    let kinds = browser.client.execute(kinds).await.unwrap();
    assert_eq!(kinds, json!(["user_to_platform", "role_to_instance"]));
}

async fn make(product: &Product, browser: &Browser) -> String {
    enter(browser, "name", "nightly backup\n").await;
    browser.shown("once").await;
    let token = value(browser, "secret").await;
    assert!(token.starts_with("acme_u_") && token.len() == 48, "it is not a token");
    browser.pictures("api-tokens-once").await;
    browser.click("copy").await;
    browser.until("a copy", "return document.getElementById('copy').textContent === 'Copied'").await;
    let copied = browser.client.execute("return navigator.clipboard.readText()").await.unwrap();
    assert_eq!(copied, json!(token));
    assert_eq!(product.get("/token", &token).await.outcome(), "200");

    // It is gone from the page, and nothing brings it back.
    browser.click("done").await;
    assert!(browser.is_hidden("once").await);
    let page = browser.client.execute("return document.documentElement.outerHTML").await.unwrap();
    assert!(!page.as_str().unwrap().contains(&token) && value(browser, "secret").await.is_empty());
    token
}

async fn revoke(product: &Product, browser: &Browser, token: &str) {
    let child = json!({ "name": "child", "kind": "user_to_platform", "grants": [{ "role": "reader" }] });
    let child = product.must("POST", "/token/derive", token, child).await.text("token");
    let revoke = "document.querySelector('[aria-label=\"Revoke nightly backup\"]').click()";
    // What ends with it is said before.
    browser.client.execute(revoke).await.unwrap();
    browser.until("a question", "return document.getElementById('confirm').open").await;
    assert!(browser.text("confirm-text").await.contains("One other token"));
    browser.pictures("api-tokens-confirm").await;
    browser.click("keep").await;
    assert_eq!(product.get("/token", token).await.outcome(), "200", "it was kept");

    browser.client.execute(revoke).await.unwrap();
    browser.until("a question", "return document.getElementById('confirm').open").await;
    browser.click("revoke").await;
    browser.until("its end", "return document.getElementById('status').textContent.includes('is revoked')").await;
    assert_eq!(product.get("/token", token).await.outcome(), "401 token_revoked");
    assert_eq!(product.get("/token", &child).await.outcome(), "401 credential_revoked_by_parent");
    browser
        .until("the list", "return document.getElementById('list').textContent.includes('ended with the token')")
        .await;
    browser.until("the focus", "return document.activeElement.id === 'list-title'").await;
    browser.pictures("api-tokens-list").await;
}
