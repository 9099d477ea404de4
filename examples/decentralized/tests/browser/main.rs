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
use support::{Example, Market, platform::Platform};

/// The page of the desk in a browser, and all processes of the example.
struct Scene {
    browser: Browser,
    example: Example,
    _market: Market,
    _driver: Driver,
}

impl Scene {
    /// Opens the page. `None` if no browser is installed, and then the running test is left out.
    async fn open(settings: &[(&str, &str)]) -> Option<Self> {
        let driver = Driver::start()?;
        let market = Market::empty();
        let example = Example::start_with(&market, settings);
        let browser = driver.browser().await;
        browser.client.goto(&example.desk).await.unwrap();
        let scene = Self { browser, example, _market: market, _driver: driver };
        scene.says("ready").await;
        Some(scene)
    }

    /// Waits until the page says something that begins like this.
    async fn says(&self, start: &str) {
        let script = format!("return document.getElementById('status').textContent.startsWith('{start}')");
        self.browser.until(start, &script).await;
    }

    /// Reads the order again and again, until orders refuses.
    async fn is_refused_in_the_end(&self) {
        let script = "document.getElementById('read').click(); return document.getElementById('status').textContent.startsWith('401 ')";
        self.browser.until("401", script).await;
    }

    async fn close(self) {
        self.browser.client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_browser_enrols_a_key_of_its_own_and_calls_a_service_with_proofs() {
    let Some(scene) = Scene::open(&[]).await else { return };
    let browser = &scene.browser;
    browser.click("enrol").await;
    scene.says("enrolled U").await;
    browser.pictures("decentralized").await;
    browser.click("read").await;
    scene.says("200 ").await;
    assert!(browser.text("status").await.contains("seven oranges"));
    browser.click("write").await;
    scene.says("403 ").await;
    // Without the first request for a nonce, which this one has.
    browser.click("read").await;
    scene.says("200 ").await;
    browser.click("log-out").await;
    scene.says("logged out").await;
    scene.is_refused_in_the_end().await;
    scene.close().await;
}

/// The user logs in at the platform, is asked there, and comes back with a code. The key never leaves the page; a log-out at the platform ends what it was enrolled as.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_platform_enrols_a_key_of_the_browser() {
    let platform = Platform::listen().await;
    let Some(scene) = Scene::open(&[("ISSUER", &platform.url), ("FRESH_SECONDS", "1")]).await else { return };
    platform.serve(&scene.example.desk);
    let browser = &scene.browser;
    browser.click("log-in-at-provider").await;
    browser.until("the platform", &format!("return location.origin === '{}'", platform.url)).await;
    browser.log_in(&browser.client.current_url().await.unwrap()).await;
    browser.shown("consent").await;
    assert!(browser.text("consent-title").await.contains("Desk of acme"));
    browser.click("allow").await;
    scene.says("enrolled U").await;
    browser.pictures("decentralized-platform").await;
    browser.click("read").await;
    scene.says("200 ").await;
    browser.click("write").await;
    scene.says("403 ").await;

    let desk = browser.client.window().await.unwrap();
    let tab = browser.client.new_tab().await.unwrap();
    browser.client.switch_to(&tab).await.unwrap();
    browser.client.goto(&platform.url).await.unwrap();
    browser.shown("home").await;
    browser.click("log-out-everywhere").await;
    browser.shown("log-in").await;
    browser.client.switch_to(&desk).await.unwrap();
    scene.is_refused_in_the_end().await;
    scene.close().await;
}

#[tokio::test]
async fn a_user_without_the_scope_is_refused_at_the_desk() {
    let Some(scene) = Scene::open(&[]).await else { return };
    let browser = &scene.browser;
    browser.client.execute("document.getElementById('username').value = 'tom'").await.unwrap();
    browser.click("enrol").await;
    scene.says("refused: 403").await;
    assert_eq!(browser.client.execute("return document.getElementById('read').disabled").await.unwrap(), true);
    scene.close().await;
}

#[tokio::test]
async fn no_script_can_read_the_private_key() {
    let Some(scene) = Scene::open(&[]).await else { return };
    let script = "return (async () => {
        const { makeKey } = await import('/nats.js');
        const key = (await makeKey()).private;
        const tried = ['pkcs8', 'jwk', 'raw'].map((format) => crypto.subtle.exportKey(format, key).then(() => 'exported', () => 'refused'));
        return [key.extractable, ...await Promise.all(tried)];
    })()";
    let outcome = scene.browser.client.execute(script).await.unwrap();
    assert_eq!(outcome, json!([false, "refused", "refused", "refused"]));
    scene.close().await;
}
