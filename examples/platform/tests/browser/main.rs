//! The platform in a headless Chromium. Screenshots are kept in the folder of the target, `tmp/platform-screenshots`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod again;
mod device;
mod driver;
mod provider;
mod session;
#[path = "../support/mod.rs"]
mod support;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use driver::{Browser, Driver};
use provider::Provider;
use serde_json::{Value, json};
use support::{NO_LIMIT, ORDERS, Platform, parameter, query};
use tempfile::tempdir;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

#[tokio::test]
async fn a_user_logs_in_by_keyboard_calls_both_services_and_stays_logged_in_when_tokens_expire() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[("ACCESS_TOKEN_SECONDS", "5")]).await;
    let browser = driver.browser().await;
    browser.client.goto(&platform.url).await.unwrap();
    browser.shown("log-in").await;
    browser.pictures("log-in").await;
    browser.log_in(&platform.url).await;
    browser.shown("home").await;

    browser.click("call-dashboard").await;
    browser.until("the dashboard", "return document.getElementById('answer').textContent.startsWith('200')").await;
    browser.click("call-orders").await;
    browser.until("orders", "return document.getElementById('answer').textContent.includes('\"orders\": 7')").await;
    browser.click("place-order").await;
    browser.until("an order", "return document.getElementById('answer').textContent.includes('\"orders\": 8')").await;
    browser.pictures("home").await;

    // A token of five seconds runs out several times.
    let before = browser.refreshes().await;
    browser.until("silent refreshes", "return Number(document.getElementById('refreshes').textContent) >= 4").await;
    assert!(browser.refreshes().await > before);
    browser.click("call-orders").await;
    browser.until("orders", "return document.getElementById('answer').textContent.startsWith('200')").await;

    // A reload forgets all tokens, and the cookie brings new ones. No script can read it.
    browser.client.refresh().await.unwrap();
    browser.shown("home").await;
    let readable = browser.client.execute("return document.cookie").await.unwrap();
    assert!(readable.as_str().unwrap().starts_with("__Host-session-csrf="), "{readable}");
    assert!(!readable.as_str().unwrap().contains("prt_"));

    browser.click("log-out").await;
    browser.shown("log-in").await;
    browser.client.refresh().await.unwrap();
    browser.shown("log-in").await;
    browser.client.close().await.unwrap();
}

/// The third configuration: no code of either service is another one.
#[tokio::test]
async fn another_provider_takes_the_place_of_the_dashboards_own_by_configuration_alone() {
    let (Some(driver), Some(provider)) = (Driver::start(), Provider::start()) else { return };
    let folder = tempdir().unwrap();
    let settings = [
        ("ISSUER", &*provider.issuer),
        ("DASHBOARD_AUDIENCE", "https://billing.test"),
        ("ORDERS_AUDIENCE", "https://orders.test"),
    ];
    let platform = Platform::start(folder.path(), &settings).await;
    let browser = driver.browser().await;
    browser.client.goto(&platform.url).await.unwrap();
    browser.shown("external").await;
    assert_eq!(browser.text("provider").await, provider.issuer);
    browser.click("log-in-external").await;
    browser.shown("home").await;
    assert_eq!(browser.text("subject").await, "carol");
    browser.click("call-dashboard").await;
    browser.until("the dashboard", "return document.getElementById('answer').textContent.startsWith('200')").await;
    browser.click("call-orders").await;
    browser.until("orders", "return document.getElementById('answer').textContent.includes('\"orders\": 7')").await;
    browser.pictures("external").await;
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn two_tabs_refresh_at_once_and_logging_out_everywhere_ends_both() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[NO_LIMIT]).await;
    let browser = driver.browser().await;
    browser.log_in(&platform.url).await;
    browser.shown("home").await;
    let first = browser.client.window().await.unwrap();
    let second = browser.client.new_tab().await.unwrap();

    // Without the lock of the page, in both tabs at once, 500 times in each.
    browser.client.switch_to(&second).await.unwrap();
    browser.client.goto(&platform.url).await.unwrap();
    browser.shown("home").await;
    race(&browser, &[&first, &second]).await;

    // Another browser of the same user.
    let other = driver.browser().await;
    other.log_in(&platform.url).await;
    other.shown("home").await;
    other.until("two devices", "return document.querySelectorAll('#sessions li').length === 2").await;
    other.pictures("devices").await;
    other.client.execute(REMEMBER_TOKEN).await.unwrap();
    other.click("call-orders").await;
    other.until("orders", "return document.getElementById('answer').textContent.startsWith('200')").await;

    browser.client.switch_to(&first).await.unwrap();
    browser.click("log-out-everywhere").await;
    browser.shown("log-in").await;
    // The second service has been told: it refuses a token that has not expired.
    other.client.execute(&until_refused(&platform.orders)).await.unwrap();
    other.until("the second service refuses the token", "return window.refusedAfter < 1000").await;
    browser.client.switch_to(&second).await.unwrap();
    browser.shown("log-in").await;
    // It finds out when it does something.
    other.click("call-dashboard").await;
    other.shown("log-in").await;
    assert_eq!(other.text("message").await, "You are logged out.");
    browser.client.close().await.unwrap();
    other.client.close().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_got_lost_logs_no_user_out() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let browser = driver.browser().await;
    browser.log_in(&platform.url).await;
    browser.shown("home").await;
    // The server has replaced the token, and the browser has not heard of it.
    let before = browser.cookie().await;
    let lost = platform.session("refresh", &before, &[("resource", ORDERS)]).await;
    assert_ne!(lost.cookie(), before);
    browser.click("call-orders").await;
    browser.until("orders", "return document.getElementById('answer').textContent.startsWith('200')").await;
    assert_eq!(browser.cookie().await, lost.cookie());
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn a_stolen_cookie_that_comes_again_ends_the_session_of_the_thief_and_of_the_user() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[("GRACE_SECONDS", "0")]).await;
    let browser = driver.browser().await;
    browser.log_in(&platform.url).await;
    browser.shown("home").await;
    let stolen = browser.cookie().await;
    browser.click("call-orders").await;
    browser.until("orders", "return document.getElementById('answer').textContent.startsWith('200')").await;
    assert_ne!(browser.cookie().await, stolen);
    assert_eq!(platform.session("refresh", &stolen, &[("resource", ORDERS)]).await.status, 400);
    browser.click("call-dashboard").await;
    browser.shown("log-in").await;
    let left = browser.client.cookies().await.unwrap();
    assert!(left.iter().all(|cookie| cookie["name"] != "__Host-session"), "{left:?}");
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn another_application_asks_the_user_and_loses_its_access_when_the_user_says_so() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let browser = driver.browser().await;
    let callback = format!("{}/callback", platform.orders.replace("localhost", "127.0.0.1"));
    let asked = asked(&callback);
    // The user logs in on the way.
    browser.log_in(&format!("{}/authorize?{asked}", platform.url)).await;
    browser.shown("consent").await;
    assert!(browser.text("consent-title").await.contains("Monthly report"));
    browser.pictures("consent").await;
    browser.click("allow").await;
    browser.until("the way back", "return location.pathname === '/callback'").await;
    let location = browser.client.current_url().await.unwrap();
    assert_eq!(parameter(location.as_str(), "state").as_deref(), Some("s-1"));
    let tokens = redeem(&platform, &callback, &parameter(location.as_str(), "code").unwrap()).await;
    let refresh_token = tokens["refresh_token"].as_str().unwrap();

    browser.client.goto(&platform.url).await.unwrap();
    browser.shown("home").await;
    browser.until("a consent", "return !!document.querySelector('#consents button')").await;
    browser.pictures("consents").await;
    browser.client.execute("document.querySelector('#consents button').click()").await.unwrap();
    browser.until("no consent", "return document.getElementById('consents').textContent === 'None.'").await;
    let refresh = [("grant_type", "refresh_token"), ("client_id", "report"), ("refresh_token", refresh_token)];
    let refused = platform.form("/oauth/token", &[], &refresh).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    browser.client.close().await.unwrap();
}

/// Keeps the access token that the page sends.
const REMEMBER_TOKEN: &str = "const real = window.fetch;
    window.fetch = (url, request) => { window.sent = request?.headers?.authorization ?? window.sent; return real(url, request); };";

/// Calls the second service with that token until it is refused, and keeps after how many milliseconds it was.
fn until_refused(orders: &str) -> String {
    format!(
        "const begun = performance.now();
         const refused = async () => (await fetch('{orders}/orders', {{ headers: {{ authorization: window.sent }} }})).status === 401;
         (async () => {{ while (!await refused()); window.refusedAfter = performance.now() - begun; }})();"
    )
}

/// Refreshes 500 times in each of these tabs.
async fn race(browser: &Browser, tabs: &[&str]) {
    let script = format!(
        "const request = {{ method: 'POST', body: new URLSearchParams({{ resource: '{ORDERS}' }}) }};
         window.statuses = [];
         (async () => {{ while (statuses.length < 500) statuses.push((await fetch('/session/refresh', request)).status); }})();"
    );
    for tab in tabs {
        browser.client.switch_to(tab).await.unwrap();
        browser.client.execute(&script).await.unwrap();
    }
    for tab in tabs {
        browser.client.switch_to(tab).await.unwrap();
        browser.until("the end of the race", "return window.statuses.length === 500").await;
        browser.until("no loser", "return window.statuses.every((status) => status === 200)").await;
        browser.client.refresh().await.unwrap();
        browser.shown("home").await;
    }
}

fn asked(callback: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    query(&[
        ("response_type", "code"),
        ("client_id", "report"),
        ("redirect_uri", callback),
        ("state", "s-1"),
        ("scope", "orders:read"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ])
}

async fn redeem(platform: &Platform, callback: &str, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "report"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", callback),
    ];
    platform.form("/oauth/token", &[], &fields).await.json()
}
