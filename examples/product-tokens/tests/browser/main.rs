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
use support::{Product, escaped};
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

/// Where an application sends its users. It waits for them on another port of this machine (RFC 8252 section 7.3); here, that is the product's.
fn request(product: &Product) -> String {
    let redirect_uri = escaped(&format!("http://127.0.0.1:{}/callback", product.url.rsplit(':').next().unwrap()));
    format!(
        "{}/authorize?response_type=code&client_id=reports&redirect_uri={redirect_uri}&state=s-1&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&scope=reports%3Aread&resource={}",
        product.url,
        escaped("https://product.example/reports"),
    )
}

#[tokio::test]
async fn a_user_allows_an_application_and_withdraws_it() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let browser = driver.browser().await;
    let bob = product.log_in("bob").await;
    let applications = async || product.must("GET", "/account/applications", &bob, json!(null)).await.json();
    for (button, outcome) in [("refuse", "error=access_denied"), ("allow", "code=")] {
        ask(&browser, &request(&product)).await;
        assert_eq!(browser.text("consent-title").await, "Allow Reports to act for you?");
        assert_eq!(browser.text("consent-user").await, "bob");
        assert!(browser.text("consent-scopes").await.contains("your role on each"));
        assert!(browser.text("consent-target").await.contains("127.0.0.1"));
        browser.until("the focus", "return document.activeElement.id === 'consent-title'").await;
        browser.pictures("api-tokens-consent").await;
        browser.click(button).await;
        arrives(&browser, outcome).await;
        assert_eq!(applications().await.as_array().unwrap().len(), usize::from(button == "allow"));
    }
    // Once is enough.
    ask(&browser, &request(&product)).await;
    arrives(&browser, "code=").await;

    browser.client.goto(&product.url).await.unwrap();
    enter(&browser, "username", "bob").await;
    enter(&browser, "password", "can-we-fix-it\n").await;
    browser.shown("applications").await;
    browser.pictures("api-tokens-applications").await;
    press(&browser, "Withdraw what reports may do").await;
    browser.shown("no-applications").await;
    browser.until("the focus", "return document.activeElement.id === 'applications-title'").await;
    assert_eq!(applications().await, json!([]));
    browser.client.close().await.unwrap();
}

/// A request that is not valid is shown no question, and one that wants a fresh log-in gets it.
#[tokio::test]
async fn a_user_is_asked_about_valid_requests_alone() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let browser = driver.browser().await;
    // To an unknown client, the browser is not sent.
    browser.client.goto(&request(&product).replace("=reports&", "=other&")).await.unwrap();
    browser.until("an error", "return document.getElementById('consent') === null").await;
    // To one that is known, it is.
    browser.client.goto(&request(&product).replace("=code&", "=token&")).await.unwrap();
    arrives(&browser, "error=unsupported_response_type").await;
    browser.client.goto(&format!("{}&prompt=none", request(&product))).await.unwrap();
    arrives(&browser, "error=interaction_required").await;

    ask(&browser, &format!("{}&prompt=login", request(&product))).await;
    assert_eq!(browser.text("consent-title").await, "Allow Reports to act for you?");
    browser.client.close().await.unwrap();
}

/// As if an application were called so.
#[tokio::test]
async fn markup_in_the_name_of_an_application_is_text() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let product = Product::start(folder.path());
    let browser = driver.browser().await;
    browser.client.goto(&request(&product)).await.unwrap();
    browser.shown("log-in").await;
    let other_name = "const real = window.fetch; window.fetch = async (path, ...rest) => {
        const answer = await real(path, ...rest);
        if (path !== '/account/authorization') return answer;
        const body = { ...await answer.json(), client: '<img id=planted>', scopes: ['<img id=planted>'] };
        return new Response(JSON.stringify(body), { headers: { 'content-type': 'application/json' } });
    }";
    browser.client.execute(other_name).await.unwrap();
    enter(&browser, "username", "bob").await;
    enter(&browser, "password", "can-we-fix-it\n").await;
    browser.shown("consent").await;
    for id in ["consent-title", "consent-scopes"] {
        assert!(browser.text(id).await.contains("<img id=planted>"), "{id}");
    }
    let planted = browser.client.execute("return document.getElementById('planted') === null").await.unwrap();
    assert_eq!(planted, json!(true));
    browser.client.close().await.unwrap();
}

/// Comes with a request of the application, and logs in until there is an answer or a question.
async fn ask(browser: &Browser, request: &str) {
    browser.client.goto(request).await.unwrap();
    let logs_in = "location.pathname === '/authorize' && !document.getElementById('log-in').hidden";
    let is_again = format!("{logs_in} && document.getElementById('status').textContent.includes('log in again')");
    for _ in 0..2 {
        browser.shown("log-in").await;
        let again = "document.getElementById('status').textContent = document.getElementById('username').value = ''";
        browser.client.execute(again).await.unwrap();
        enter(browser, "username", "bob").await;
        enter(browser, "password", "can-we-fix-it\n").await;
        browser.until("what is next", &format!("return !({logs_in}) || {is_again}")).await;
        if !browser.client.execute(&format!("return {is_again}")).await.is_ok_and(|answer| answer == true) {
            return;
        }
    }
    panic!("the product asks to log in again and again");
}

/// Waits until the browser is where the application is, of which there is nothing here but the address.
async fn arrives(browser: &Browser, outcome: &str) {
    let arrived = async || {
        loop {
            let url = browser.client.current_url().await.unwrap_or_default();
            if url.starts_with("http://127.0.0.1:") && url.contains("/callback") && !url.contains("/authorize") {
                assert!(url.contains(outcome) && url.contains("state=s-1"), "{url}");
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), arrived()).await.unwrap();
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
