//! The page at which users connect a device (RFC 8628), by the keyboard.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    driver::Driver,
    support::{Answer, Platform},
};

#[tokio::test]
async fn a_user_types_the_code_of_a_device_and_connects_it_or_refuses() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let browser = driver.browser().await;
    // The user logs in on the way, and types a code that no device shows.
    browser.log_in(&format!("{}/device", platform.url)).await;
    browser.shown("device").await;
    browser.pictures("device").await;
    browser.type_keys("BBBB-BBBB\n").await;
    browser.until("the error", "return document.getElementById('message').classList.contains('is-error')").await;
    assert_eq!(browser.text("message").await, "There is no such code, or it has expired.");
    browser.pictures("device-wrong").await;
    assert!(browser.is_hidden("consent").await);

    // Typing goes on over the wrong one: in small letters, and without the hyphen.
    let wanted = ask(&platform).await;
    let typed = wanted["user_code"].as_str().unwrap().replace('-', "").to_lowercase();
    browser.type_keys(&format!("{typed}\n")).await;
    browser.shown("consent").await;
    assert_eq!(browser.text("consent-code-text").await, wanted["user_code"]);
    assert!(browser.text("consent-title").await.contains("Monthly report"));
    browser.pictures("device-consent").await;
    assert_eq!(poll(&platform, &wanted).await.json()["error"], "authorization_pending");
    // The first button, by the keyboard.
    browser.type_keys("\t").await;
    browser.type_keys("\n").await;
    browser
        .until("connected", "return document.getElementById('message').textContent === 'The device is connected.'")
        .await;
    browser.pictures("device-connected").await;
    let token = poll(&platform, &wanted).await.access_token();
    assert_eq!(platform.with(&token, &format!("{}/orders", platform.orders)).await.status, 200);

    // Another device, which the user does not have: its code is in the address, and the user says no.
    let unwanted = ask(&platform).await;
    browser.client.goto(unwanted["verification_uri_complete"].as_str().unwrap()).await.unwrap();
    browser.shown("device").await;
    browser.type_keys("\n").await;
    browser.shown("consent").await;
    browser.click("refuse").await;
    browser
        .until("refused", "return document.getElementById('message').textContent === 'The device was refused.'")
        .await;
    let refused = poll(&platform, &unwanted).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("access_denied")));
    browser.client.close().await.unwrap();
}

/// A device asks for a code.
async fn ask(platform: &Platform) -> Value {
    let fields = [("client_id", "report"), ("scope", "orders:read")];
    platform.form("/oauth/device_authorization", &[], &fields).await.json()
}

/// The device asks for its token.
async fn poll(platform: &Platform, shown: &Value) -> Answer {
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "report"),
        ("device_code", shown["device_code"].as_str().unwrap()),
    ];
    platform.form("/oauth/token", &[], &fields).await
}
