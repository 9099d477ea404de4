//! The page of acme's desk in a headless Chromium: a key that no script can read, a user of NATS for it, and calls with proofs. Screenshots are kept in the
//! folder of the target, `tmp/platform-screenshots`.
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
use support::{Both, Market};

/// Waits until the page says something that begins like this.
async fn says(browser: &Browser, start: &str) {
    let script = format!("return document.getElementById('status').textContent.startsWith('{start}')");
    browser.until(start, &script).await;
}

#[tokio::test]
async fn a_browser_enrols_a_key_of_its_own_and_calls_a_service_with_proofs() {
    let Some(driver) = Driver::start() else { return };
    let market = Market::empty();
    let all = Both::start(&market);
    let browser = driver.browser().await;
    browser.client.goto(&all.desk).await.unwrap();
    says(&browser, "ready").await;
    browser.click("enrol").await;
    says(&browser, "enrolled U").await;
    browser.pictures("decentralized").await;
    browser.click("read").await;
    says(&browser, "200 ").await;
    assert!(browser.text("status").await.contains("seven oranges"));
    browser.click("write").await;
    says(&browser, "403 ").await;
    // Without the first request for a nonce, which this one has.
    browser.click("read").await;
    says(&browser, "200 ").await;
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn who_may_not_gets_no_user() {
    let Some(driver) = Driver::start() else { return };
    let market = Market::empty();
    let all = Both::start(&market);
    let browser = driver.browser().await;
    browser.client.goto(&all.desk).await.unwrap();
    says(&browser, "ready").await;
    browser.client.execute("document.getElementById('username').value = 'tom'").await.unwrap();
    browser.click("enrol").await;
    says(&browser, "refused: 403").await;
    assert_eq!(browser.client.execute("return document.getElementById('read').disabled").await.unwrap(), true);
    browser.client.close().await.unwrap();
}

#[tokio::test]
async fn no_script_can_read_the_private_key() {
    let Some(driver) = Driver::start() else { return };
    let market = Market::empty();
    let all = Both::start(&market);
    let browser = driver.browser().await;
    browser.client.goto(&all.desk).await.unwrap();
    says(&browser, "ready").await;
    let script = "return (async () => {
        const { makeKey } = await import('/nats.js');
        const key = (await makeKey()).private;
        const tried = ['pkcs8', 'jwk', 'raw'].map((format) => crypto.subtle.exportKey(format, key).then(() => 'exported', () => 'refused'));
        return [key.extractable, ...await Promise.all(tried)];
    })()";
    let outcome = browser.client.execute(script).await.unwrap();
    assert_eq!(outcome, json!([false, "refused", "refused", "refused"]));
    browser.client.close().await.unwrap();
}
