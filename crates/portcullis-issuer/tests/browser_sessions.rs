//! Sessions of the application's own page: the refresh token is in a cookie.
#![cfg(feature = "axum")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use portcullis_issuer::{
    refresh::RefreshPolicy,
    routes::BrowserSessions,
    server::{Client, PageLogIn},
};
use serde_json::{Value, json};
use support::desk::{BILLS, Desk, ISSUER, ORDERS, clients};
use tower::ServiceExt;

const SAME_ORIGIN: &[(&str, &str)] = &[("sec-fetch-site", "same-origin")];

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn of(response: http::Response<String>) -> Self {
        let (head, body) = response.into_parts();
        assert_eq!(head.headers[header::CACHE_CONTROL], "no-store");
        Self { status: head.status.as_u16(), headers: head.headers, body }
    }

    fn cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect()
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let value = |cookie: &str| Some(cookie.strip_prefix(name)?.strip_prefix('=')?.split(';').next()?.to_owned());
        self.cookies().into_iter().find_map(value)
    }

    fn token(&self) -> String {
        self.cookie("__Host-session").unwrap_or_else(|| panic!("{} {}", self.status, self.body))
    }

    fn clears(&self) -> bool {
        self.cookie("__Host-session").is_some_and(|value| value.is_empty())
    }

    fn error(&self) -> String {
        serde_json::from_str::<Value>(&self.body).unwrap()["error"].as_str().unwrap().to_owned()
    }
}

async fn desk() -> (Desk, BrowserSessions) {
    let page = Client::public("dashboard").redirect_uri("https://id.test/").scope("orders:read").first_party();
    let page = page.resource(ORDERS).resource(BILLS);
    let keeps = Client::public("strict").redirect_uri("https://id.test/").resource(ORDERS).first_party();
    let keeps = keeps.refresh_policy(RefreshPolicy::new().grace(Duration::ZERO));
    let desk = Desk::with(clients().into_iter().chain([page, keeps]).collect());
    let browser = desk.server.browser("dashboard").await.unwrap();
    (desk, browser)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn alice() -> PageLogIn {
    PageLogIn::new("alice").scope("orders:read").resource(ORDERS)
}

async fn log_in(desk: &Desk, browser: &BrowserSessions) -> Answer {
    desk.confirm();
    Answer::of(browser.log_in(&headers(SAME_ORIGIN), alice()).await)
}

async fn post(desk: &Desk, browser: &BrowserSessions, path: &str, cookie: &str, more: &[(&str, &str)]) -> Answer {
    desk.confirm();
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header(header::COOKIE, format!("theme=dark; __Host-session={cookie}"));
    let request = more.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = support::desk::form(&[("resource", ORDERS)]);
    Answer::of(browser.clone().oneshot(request.body(body).unwrap()).await.unwrap())
}

async fn refresh(desk: &Desk, browser: &BrowserSessions, cookie: &str) -> Answer {
    post(desk, browser, "/session/refresh", cookie, SAME_ORIGIN).await
}

#[tokio::test]
async fn the_refresh_token_is_in_a_cookie_that_no_script_can_read_and_nowhere_else() {
    let (desk, browser) = desk().await;
    let first = log_in(&desk, &browser).await;
    let second = refresh(&desk, &browser, &first.token()).await;
    for answer in [&first, &second] {
        assert_eq!(answer.status, 200, "{}", answer.body);
        let [session, csrf] = answer.cookies()[..] else { panic!("{:?}", answer.cookies()) };
        assert!(session.starts_with("__Host-session=prt_"), "{session}");
        assert!(session.ends_with("; Path=/; Max-Age=2592000; Secure; HttpOnly; SameSite=Strict"), "{session}");
        assert!(csrf.starts_with("__Host-session-csrf=") && csrf.ends_with("; Secure; SameSite=Strict"), "{csrf}");
        assert!(!csrf.contains("HttpOnly"));
        assert!(answer.headers.get_all(header::SET_COOKIE).iter().all(HeaderValue::is_sensitive));
        assert!(!answer.body.contains("prt_") && !answer.body.contains("refresh_token"), "{}", answer.body);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert!(body["access_token"].as_str().is_some_and(|token| token.starts_with("ey")));
    }
    assert_ne!(first.token(), second.token());
}

#[tokio::test]
async fn a_page_names_the_service_of_its_token_and_nothing_that_says_who_it_is() {
    let (desk, browser) = desk().await;
    desk.confirm();
    for log_in in [PageLogIn::new("alice"), alice().resource("https://evil.test")] {
        let refused = Answer::of(browser.log_in(&headers(SAME_ORIGIN), log_in).await);
        assert_eq!((refused.status, refused.error()), (400, "invalid_target".to_owned()));
    }
    let first = log_in(&desk, &browser).await;
    let send = async |body: String| {
        let request =
            Request::post("/session/refresh").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(header::COOKIE, format!("__Host-session={}", first.token()));
        let request = request.header("sec-fetch-site", "same-origin").body(body).unwrap();
        desk.confirm();
        Answer::of(browser.clone().oneshot(request).await.unwrap())
    };
    let bills = send(support::desk::form(&[("resource", BILLS)])).await;
    assert_eq!(bills.status, 200, "{}", bills.body);
    // What else is in the form changes nothing.
    let other = send(support::desk::form(&[("resource", BILLS), ("client_id", "page"), ("refresh_token", "x")])).await;
    assert_eq!(other.status, 200, "{}", other.body);
    assert_eq!(send(support::desk::form(&[("resource", "https://evil.test")])).await.status, 400);
}

type Pairs = &'static [(&'static str, &'static str)];

/// What a browser says about the page, and whether it is the application's own.
const PAGES: &[(Pairs, bool)] = &[
    (SAME_ORIGIN, true),
    (&[("sec-fetch-site", "same-origin"), ("origin", ISSUER)], true),
    (&[("origin", ISSUER)], true),
    (&[("sec-fetch-site", "same-site")], false),
    (&[("sec-fetch-site", "cross-site")], false),
    (&[("sec-fetch-site", "none")], false),
    (&[("sec-fetch-site", "")], false),
    (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
    (&[("sec-fetch-site", "cross-site"), ("origin", ISSUER)], false),
    (&[("origin", "https://evil.test")], false),
    (&[("origin", "https://id.test.evil.test")], false),
    (&[("origin", "http://id.test")], false),
    (&[("origin", "https://id.test:8443")], false),
    (&[("origin", "null")], false),
    (&[("origin", ISSUER), ("origin", "https://evil.test")], false),
    (&[], false),
    (&[("x-csrf-token", "")], false),
    (&[("x-csrf-token", "x"), ("referer", "https://id.test/")], false),
];

#[tokio::test]
async fn requests_of_other_sites_are_refused() {
    let (desk, browser) = desk().await;
    for (more, is_ours) in PAGES {
        let cookie = log_in(&desk, &browser).await.token();
        for path in ["/session/refresh", "/session/log_out", "/session/log_out_everywhere"] {
            if *is_ours && path == "/session/log_out_everywhere" {
                continue;
            }
            let answer = post(&desk, &browser, path, &cookie, more).await;
            assert_eq!(answer.status, if *is_ours { 200 } else { 403 }, "{path} {more:?}: {}", answer.body);
            assert!(*is_ours || (answer.cookies().is_empty() && answer.error() == "access_denied"));
        }
        let answer = Answer::of(browser.log_in(&headers(more), alice()).await);
        assert_eq!(answer.status, if *is_ours { 200 } else { 403 }, "log-in {more:?}");
    }
}

#[tokio::test]
async fn a_browser_without_these_headers_repeats_the_mac_of_its_session() {
    let (desk, browser) = desk().await;
    let first = log_in(&desk, &browser).await;
    let other = log_in(&desk, &browser).await.cookie("__Host-session-csrf").unwrap();
    let second = refresh(&desk, &browser, &first.token()).await;
    // It is the same for all tokens of a session.
    let own = second.cookie("__Host-session-csrf").unwrap();
    assert_eq!(first.cookie("__Host-session-csrf").unwrap(), own);
    for (mac, status) in [(&*own, 200), (&*other, 403), (&own[1..], 403), ("", 403)] {
        let answer = post(&desk, &browser, "/session/refresh", &second.token(), &[("x-csrf-token", mac)]).await;
        assert_eq!(answer.status, status, "{mac}");
        // It is for those that have no such headers, and does not overrule them.
        let more = [("sec-fetch-site", "cross-site"), ("x-csrf-token", mac)];
        assert_eq!(post(&desk, &browser, "/session/refresh", &second.token(), &more).await.status, 403);
    }
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_get_one_successor() {
    let (desk, browser) = desk().await;
    let first = log_in(&desk, &browser).await.token();
    let (one, two) = (refresh(&desk, &browser, &first), refresh(&desk, &browser, &first));
    let (one, two) = (one.await, two.await);
    assert_eq!((one.status, two.status), (200, 200));
    assert_eq!(one.token(), two.token());
}

#[tokio::test]
async fn only_the_end_of_a_session_clears_the_cookie() {
    let (desk, browser) = desk().await;
    let first = log_in(&desk, &browser).await.token();
    // Another client's token, junk, one that cannot be decided, one that asks for too much: another tab may have a good one.
    let other = log_in(&desk, &desk.server.browser("strict").await.unwrap()).await.token();
    for cookie in [&*other, "prt_AAAA", "x"] {
        let answer = refresh(&desk, &browser, cookie).await;
        assert_eq!((answer.status, answer.cookies().len()), (400, 0), "{cookie}");
    }
    desk.clock.advance(Duration::from_secs(3600));
    let stale = Request::post("/session/refresh").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let stale = stale.header(header::COOKIE, format!("__Host-session={first}")).header("sec-fetch-site", "same-origin");
    // The view of revocations is an hour old.
    let stale = stale.body(support::desk::form(&[("resource", ORDERS)])).unwrap();
    let stale = Answer::of(browser.clone().oneshot(stale).await.unwrap());
    assert_eq!((stale.status, stale.cookies().len()), (503, 0), "{}", stale.body);
    let second = refresh(&desk, &browser, &first).await.token();
    desk.clock.advance(Duration::from_secs(3600));
    let third = refresh(&desk, &browser, &second).await.token();
    // The first one again: it was stolen, or the browser has lost its cookies.
    let reused = refresh(&desk, &browser, &first).await;
    assert_eq!((reused.status, reused.clears()), (400, true), "{}", reused.body);
    let ended = refresh(&desk, &browser, &third).await;
    assert_eq!((ended.status, ended.clears()), (400, true), "{}", ended.body);
    // No cookie at all.
    let request = Request::post("/session/refresh").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let request = request.header("sec-fetch-site", "same-origin").body(String::new()).unwrap();
    let none = Answer::of(browser.clone().oneshot(request).await.unwrap());
    assert_eq!((none.status, none.error(), none.cookies().len()), (400, "login_required".to_owned(), 0));
}

#[tokio::test]
async fn logging_out_ends_the_session_and_clears_the_cookies() {
    let (desk, browser) = desk().await;
    let (here, there) = (log_in(&desk, &browser).await, log_in(&desk, &browser).await);
    let answer = post(&desk, &browser, "/session/log_out", &here.token(), SAME_ORIGIN).await;
    assert_eq!((answer.status, answer.clears(), answer.cookies().len()), (200, true, 2));
    assert_eq!(refresh(&desk, &browser, &here.token()).await.status, 400);
    assert_eq!(refresh(&desk, &browser, &there.token()).await.status, 200, "another session has ended");
    // Again, and with junk: it is a success, and the cookie goes.
    for cookie in [&*here.token(), "x"] {
        let again = post(&desk, &browser, "/session/log_out", cookie, SAME_ORIGIN).await;
        assert_eq!((again.status, again.clears()), (200, true));
    }
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_the_user_and_needs_a_live_one() {
    let (desk, browser) = desk().await;
    let (here, there) = (log_in(&desk, &browser).await, log_in(&desk, &browser).await);
    post(&desk, &browser, "/session/log_out", &here.token(), SAME_ORIGIN).await;
    let dead = post(&desk, &browser, "/session/log_out_everywhere", &here.token(), SAME_ORIGIN).await;
    assert_eq!(dead.status, 400, "a session that has ended ends others");
    let there = refresh(&desk, &browser, &there.token()).await;
    assert_eq!(there.status, 200);
    let all = post(&desk, &browser, "/session/log_out_everywhere", &there.token(), SAME_ORIGIN).await;
    assert_eq!((all.status, all.clears()), (200, true), "{}", all.body);
    assert_eq!(refresh(&desk, &browser, &there.token()).await.status, 400);
}

#[tokio::test]
async fn a_log_out_with_two_cookies_is_no_success_that_ends_nothing() {
    let (desk, browser) = desk().await;
    let token = log_in(&desk, &browser).await.token();
    for second in [&*token, "", "x"] {
        let both = format!("{token}; __Host-session={second}");
        for path in ["/session/refresh", "/session/log_out", "/session/log_out_everywhere"] {
            let two = post(&desk, &browser, path, &both, SAME_ORIGIN).await;
            assert_eq!((two.status, two.error()), (400, "invalid_request".to_owned()), "{path}");
            assert!(two.cookies().is_empty(), "the session could not be ended any more");
        }
    }
    // Cookies of similar names are others.
    let one = format!("{token}; __Host-session-csrf=x; __Host-sessions=x; host-session=x; __Host-session");
    assert_eq!(post(&desk, &browser, "/session/log_out", &one, SAME_ORIGIN).await.status, 200);
    assert_eq!(refresh(&desk, &browser, &token).await.status, 400, "the session has not ended");
}

#[tokio::test]
async fn a_cookie_of_another_script_with_letters_beyond_ascii_hides_no_session() {
    let (desk, browser) = desk().await;
    let token = log_in(&desk, &browser).await.token();
    let send = async |cookies: &[u8]| {
        desk.confirm();
        let request = Request::post("/session/log_out").header("sec-fetch-site", "same-origin");
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = request.header(header::COOKIE, HeaderValue::from_bytes(cookies).unwrap());
        Answer::of(browser.clone().oneshot(request.body(String::new()).unwrap()).await.unwrap())
    };
    let cookies = [b"name=J\xf6rg; __Host-session=".as_slice(), token.as_bytes(), "; city=Köln".as_bytes()].concat();
    let answer = send(&cookies).await;
    assert_eq!((answer.status, answer.clears()), (200, true));
    assert_eq!(refresh(&desk, &browser, &token).await.status, 400, "the session has not ended");
    // One that is nothing but such letters is no token.
    assert_eq!(send(b"__Host-session=\xff").await.status, 200);
}

#[tokio::test]
async fn a_client_with_a_secret_is_no_page() {
    let (desk, _) = desk().await;
    for client in ["server", "worker", "no-such-client"] {
        let error = desk.server.browser(client).await.unwrap_err().to_string();
        assert!(error.contains(client) && error.contains("is not a public client"), "{error}");
    }
    assert_eq!(log_in(&desk, &desk.server.browser("dashboard").await.unwrap()).await.status, 200);
}

#[tokio::test]
async fn an_origin_is_one_that_a_browser_sends() {
    let (desk, browser) = desk().await;
    let elsewhere = browser.clone().origin("https://app.test").unwrap();
    for (headers, status) in [
        (&[("origin", "https://app.test")] as &[_], 200),
        (&[("origin", "https://id.test")], 403),
        // It is no permission for another origin's page.
        (&[("origin", "https://app.test"), ("sec-fetch-site", "same-site")], 403),
    ] {
        desk.confirm();
        let answer = Answer::of(elsewhere.log_in(&self::headers(headers), alice()).await);
        assert_eq!(answer.status, status, "{headers:?}");
    }
    for origin in ["https://app.test:8443", "http://localhost:4000", "http://[::1]:4000"] {
        assert!(browser.clone().origin(origin).is_ok(), "{origin}");
    }
    for origin in [
        "https://app.test/",
        "https://App.test",
        "https://app.test:443",
        "http://localhost:80",
        "http://app.test",
        "app.test",
        "https://",
        "https://app.test?x",
        "https://app.test https://evil.test",
        "null",
        "",
    ] {
        assert!(browser.clone().origin(origin).is_err(), "{origin}");
    }
}

#[tokio::test]
async fn a_prefix_is_the_beginning_of_a_path() {
    let (desk, browser) = desk().await;
    let moved = browser.clone().prefix("/auth/session-2").unwrap();
    let token = log_in(&desk, &moved).await.token();
    assert_eq!(post(&desk, &moved, "/auth/session-2/refresh", &token, SAME_ORIGIN).await.status, 200);
    let elsewhere = Request::post("/session/refresh").body(String::new()).unwrap();
    assert_eq!(moved.clone().oneshot(elsewhere).await.unwrap().status(), 404);
    for prefix in ["", "/", "session", "/session/", "//session", "/a/../b", "/{id}", "/session?x", "/%73"] {
        assert!(browser.clone().prefix(prefix).is_err(), "{prefix}");
    }
}

#[tokio::test]
async fn other_methods_types_and_paths_are_refused() {
    let (desk, browser) = desk().await;
    let token = log_in(&desk, &browser).await.token();
    let send = async |method: &str, path: &str, content_type: &str| {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, content_type);
        let request =
            request.header(header::COOKIE, format!("__Host-session={token}")).header("sec-fetch-site", "same-origin");
        browser.clone().oneshot(request.body(String::new()).unwrap()).await.unwrap().status()
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(send("GET", "/session/log_out", form).await, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(send("POST", "/session/log_out", "text/plain").await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send("POST", "/session/log_out?x=y", form).await, StatusCode::BAD_REQUEST);
    assert_eq!(send("POST", "/session/", form).await, StatusCode::NOT_FOUND);
    assert_eq!(send("POST", "/log_out", form).await, StatusCode::NOT_FOUND);
    assert_eq!(send("POST", "/session/log_out", form).await, StatusCode::OK);
}

/// The claims of the answer's access token.
fn claims(answer: &Answer) -> Value {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let claims = body["access_token"].as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[tokio::test]
async fn the_first_token_of_a_page_has_no_more_than_a_refreshed_one() {
    let (desk, browser) = desk().await;
    desk.confirm();
    let log_in = PageLogIn::new("alice").scope("orders:read orders:write admin").resource(ORDERS);
    let first = Answer::of(browser.log_in(&headers(SAME_ORIGIN), log_in.version(3).acr("phr").label("Firefox")).await);
    let send = Request::post("/session/refresh").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let send = send.header(header::COOKIE, format!("__Host-session={}", first.token()));
    let send = send.header("sec-fetch-site", "same-origin").body(support::desk::form(&[("resource", ORDERS)])).unwrap();
    let second = Answer::of(browser.clone().oneshot(send).await.unwrap());
    for answer in [&first, &second] {
        let claims = claims(answer);
        assert_eq!((&claims["scope"], &claims["aud"]), (&json!("orders:read"), &json!(ORDERS)));
        assert_eq!((&claims["ver"], &claims["acr"], &claims["sub"]), (&json!(3), &json!("phr"), &json!("alice")));
    }
    let session = &desk.store.dump()[0];
    assert_eq!(session.log_in.scopes().collect::<Vec<_>>(), ["orders:read"], "a later client could have more");
    assert_eq!(
        (session.log_in.audiences().collect::<Vec<_>>(), session.log_in.name()),
        (vec![ORDERS, BILLS], Some("Firefox"))
    );
}

#[tokio::test]
async fn rfc9068_5_a_user_named_like_a_client_gets_no_session_of_the_page() {
    let (desk, browser) = desk().await;
    desk.confirm();
    for (name, status) in [("worker", 500), ("dashboard", 500), ("", 500), ("a\nb", 500), ("workers", 200)] {
        let log_in = PageLogIn::new(name).scope("orders:read").resource(ORDERS);
        let answer = Answer::of(browser.log_in(&headers(SAME_ORIGIN), log_in).await);
        assert_eq!((answer.status, answer.cookies().len()), (status, if status == 200 { 2 } else { 0 }), "{name:?}");
    }
    assert_eq!(desk.store.dump().len(), 1);
    let long = Answer::of(browser.log_in(&headers(SAME_ORIGIN), alice().label("x".repeat(256))).await);
    assert_eq!(long.status, 500);
}

#[tokio::test]
async fn a_session_of_the_page_keeps_where_its_client_is_told_of_its_end() {
    let page = Client::public("dashboard").redirect_uri("https://id.test/").resource(ORDERS);
    let desk = Desk::with(vec![page.back_channel_logout_uri("https://app.test/logged_out")]);
    assert_eq!(log_in(&desk, &desk.server.browser("dashboard").await.unwrap()).await.status, 200);
    let kept = serde_json::from_str::<Value>(&desk.store.dump()[0].to_json()).unwrap()["log_in"].clone();
    assert_eq!(kept["log_out_at"], json!("https://app.test/logged_out"));
}
