//! Users who have to log in again, because a client wants it: `prompt=login` and `max_age`.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tempfile::tempdir;

use crate::{
    asked,
    driver::{Browser, Driver},
    redeem,
    support::{Answer, Platform, parameter},
};

#[tokio::test]
async fn a_client_whose_users_log_in_is_too_old_has_the_password_asked_for_again() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[("FRESH_SECONDS", "10")]).await;
    let browser = driver.browser().await;
    let user = User { browser: &browser, platform: &platform };
    browser.log_in(&platform.url).await;
    browser.shown("home").await;

    // A while after the log-in, the service wants a newer one, and says so.
    let first = user.allow("").await;
    let refused = until_refused(&platform, &first).await;
    assert_eq!(refused.json()["code"], "authentication_too_old", "{refused:?}");

    // Which the client passes on. The page asks for the password, though the user is logged in.
    user.go("&max_age=10").await;
    user.log_in_again("again-max-age").await;
    let second = user.consent().await;
    assert!(auth_time(&second) > auth_time(&first));
    let accepted = cancel(&platform, &second).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");

    // The near-identical one: as long as the log-in is new enough, there is no page for it.
    let third = user.allow("&max_age=300").await;
    assert_eq!(auth_time(&third), auth_time(&second));

    // A client may want a log-in in any case.
    user.go("&prompt=login").await;
    user.log_in_again("again-prompt").await;
    let fourth = user.consent().await;
    assert!(auth_time(&fourth) >= auth_time(&third) && session(&fourth) != session(&third));
    browser.client.close().await.unwrap();
}

struct User<'a> {
    browser: &'a Browser,
    platform: &'a Platform,
}

impl User<'_> {
    fn callback(&self) -> String {
        format!("{}/callback", self.platform.orders.replace("localhost", "127.0.0.1"))
    }

    /// Follows the link of the client.
    async fn go(&self, parameters: &str) {
        let query = asked(&self.callback()).replace("orders%3Aread", "orders%3Aread+orders%3Awrite");
        self.browser.client.goto(&format!("{}/authorize?{query}{parameters}", self.platform.url)).await.unwrap();
    }

    /// Enters the password, and first a wrong one. The name is there already.
    async fn log_in_again(&self, pictures: &str) {
        self.browser.shown("log-in").await;
        assert_eq!(self.browser.text("message").await, "The application wants you to log in again.");
        self.browser.pictures(pictures).await;
        assert!(self.browser.is_hidden("consent").await);
        self.browser.type_keys("looking-glass\n").await;
        self.browser
            .until("an error", "return document.getElementById('message').classList.contains('is-error')")
            .await;
        assert!(self.browser.is_hidden("consent").await);
        self.browser.client.execute("document.getElementById('password').select()").await.unwrap();
        self.browser.type_keys("wonderland\n").await;
    }

    /// Says yes, and returns the access token that the client gets.
    async fn consent(&self) -> String {
        self.browser.shown("consent").await;
        self.browser.click("allow").await;
        self.browser.until("the way back", "return location.pathname === '/callback'").await;
        let location = self.browser.client.current_url().await.unwrap();
        let code = parameter(&location, "code").unwrap();
        let tokens = redeem(self.platform, &self.callback(), &code).await;
        tokens["access_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }

    async fn allow(&self, parameters: &str) -> String {
        self.go(parameters).await;
        self.consent().await
    }
}

/// What cannot be undone, so that it needs a log-in of late.
async fn cancel(platform: &Platform, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    platform
        .send("POST", &format!("{}/orders/cancel", platform.orders), &[("authorization", &bearer)], String::new())
        .await
}

/// The log-in gets old, and that takes ten seconds. (The second service has a clock of its own, which no test can turn.)
async fn until_refused(platform: &Platform, token: &str) -> Answer {
    let refused = async {
        loop {
            let answer = cancel(platform, token).await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), refused)
        .await
        .unwrap_or_else(|_| panic!("a log-in never gets too old"))
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn auth_time(token: &str) -> u64 {
    claims(token)["auth_time"].as_u64().unwrap()
}

fn session(token: &str) -> Value {
    claims(token)["sid"].clone()
}
