//! The platform as separate processes, driven over HTTP.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_test::MockIssuer;
use serde_json::{Value, json};
use support::{DASHBOARD, ORDERS, Platform, parameter, query};
use tempfile::tempdir;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "http://127.0.0.1:4300/callback";

#[tokio::test]
async fn a_page_logs_in_and_each_service_accepts_the_token_that_is_for_it() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let log_in = platform.log_in("alice", "wonderland").await;
    assert_eq!(log_in.status, 200, "{log_in:?}");
    let own = log_in.access_token();
    let me = platform.with(&own, "/api/me").await;
    assert_eq!((me.status, &me.json()["subject"]), (200, &json!("alice")));

    // Every session shows up in the list of devices.
    let sessions = platform.with(&own, "/api/sessions").await.json();
    assert_eq!((sessions.as_array().unwrap().len(), &sessions[0]["is_current"]), (1, &json!(true)));

    let orders = format!("{}/orders", platform.orders);
    let refreshed = platform.session("refresh", &log_in.cookie(), &[("resource", ORDERS)]).await;
    let other = refreshed.access_token();
    let listed = platform.with(&other, &orders).await;
    assert_eq!((listed.status, &listed.json()["seen_by"]), (200, &json!("alice")), "{listed:?}");
    // A token for one service is not one for the other.
    assert_eq!(platform.with(&own, &orders).await.status, 401);
    assert_eq!(platform.with(&other, "/api/me").await.status, 401);
}

#[tokio::test]
async fn wrong_passwords_and_other_pages_get_no_session() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    for (name, password) in [("alice", "Wonderland"), ("alice", ""), ("carol", "wonderland"), ("", "")] {
        let answer = platform.log_in(name, password).await;
        assert_eq!((answer.status, answer.cookies.len()), (400, 0), "{name}: {answer:?}");
    }
    let body = json!({ "username": "alice", "password": "wonderland" });
    for headers in [&[("sec-fetch-site", "cross-site")] as &[_], &[("origin", "https://evil.example")], &[]] {
        let answer = platform.json("/session/log_in", headers, &body).await;
        assert_eq!((answer.status, answer.cookies.len()), (403, 0), "{headers:?}");
    }
}

#[tokio::test]
async fn a_log_in_ends_the_session_that_the_browser_has_had() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let (elsewhere, first) =
        (platform.log_in("alice", "wonderland").await, platform.log_in("alice", "wonderland").await);
    let again = async |password: &str| {
        let body = json!({ "username": "alice", "password": password });
        let cookie = first.cookie();
        platform.json("/session/log_in", &[("sec-fetch-site", "same-origin"), ("cookie", &cookie)], &body).await
    };
    assert_eq!(again("Wonderland").await.status, 400);
    assert_eq!(platform.with(&first.access_token(), "/api/me").await.status, 200, "no one has logged in");
    let second = again("wonderland").await;
    assert_eq!(platform.with(&first.access_token(), "/api/me").await.status, 401);
    for other in [&elsewhere, &second] {
        assert_eq!(platform.with(&other.access_token(), "/api/me").await.status, 200);
    }
    let sessions = platform.with(&second.access_token(), "/api/sessions").await.json();
    assert_eq!(sessions.as_array().unwrap().len(), 2, "{sessions}");
}

#[tokio::test]
async fn a_user_who_may_only_read_cannot_place_orders() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    for (name, password, status) in [("alice", "wonderland", 200), ("bob", "builder", 403)] {
        let log_in = platform.log_in(name, password).await;
        let token = platform.session("refresh", &log_in.cookie(), &[("resource", ORDERS)]).await.access_token();
        let header = format!("Bearer {token}");
        let url = format!("{}/orders/new", platform.orders);
        let answer = platform.send("POST", &url, &[("authorization", &header)], String::new()).await;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_the_user_at_once() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let (phone, desk) = (platform.log_in("alice", "wonderland").await, platform.log_in("alice", "wonderland").await);
    let bob = platform.log_in("bob", "builder").await;
    let ended = platform.session("log_out_everywhere", &desk.cookie(), &[]).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    for gone in [&phone, &desk] {
        assert_eq!(platform.with(&gone.access_token(), "/api/me").await.status, 401);
        let refreshed = platform.session("refresh", &gone.cookie(), &[("resource", DASHBOARD)]).await;
        assert_eq!(refreshed.status, 400, "{refreshed:?}");
    }
    assert_eq!(platform.with(&bob.access_token(), "/api/me").await.status, 200);
}

/// The second service shares nothing with the dashboard, and follows no log of it: it is told by log-out tokens.
#[tokio::test]
async fn the_second_service_refuses_within_a_second_what_was_logged_out() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let orders = format!("{}/orders", platform.orders);
    let log_in = async |name: &str, password: &str| {
        let log_in = platform.log_in(name, password).await;
        let at_orders = platform.session("refresh", &log_in.cookie(), &[("resource", ORDERS)]).await;
        (at_orders.cookie(), at_orders.access_token())
    };
    let (phone, desk, bob) =
        (log_in("alice", "wonderland").await, log_in("alice", "wonderland").await, log_in("bob", "builder").await);
    for (_, token) in [&phone, &desk, &bob] {
        assert_eq!(platform.with(token, &orders).await.status, 200);
    }
    let ended = Instant::now();
    assert_eq!(platform.session("log_out_everywhere", &desk.0, &[]).await.status, 200);
    for (_, token) in [&phone, &desk] {
        while platform.with(token, &orders).await.status != 401 {
            assert!(ended.elapsed() < Duration::from_secs(1), "the second service still accepts it");
        }
    }
    assert_eq!(platform.with(&bob.1, &orders).await.status, 200, "it was Alice who logged out");
    // It keeps what it was told, and no one else can tell it.
    let forged = platform.form(&format!("{}/log-out", platform.orders), &[], &[("logout_token", &*bob.1)]).await;
    assert_eq!(forged.status, 400, "{forged:?}");
    assert_eq!(platform.with(&bob.1, &orders).await.status, 200);
}

#[tokio::test]
async fn the_second_service_remembers_log_outs_after_it_was_killed() {
    let folder = tempdir().unwrap();
    let first = Platform::start(folder.path(), &[]).await;
    let gone = first.log_in("alice", "wonderland").await;
    let gone = first.session("refresh", &gone.cookie(), &[("resource", ORDERS)]).await;
    let kept = first.log_in("bob", "builder").await;
    let kept = first.session("refresh", &kept.cookie(), &[("resource", ORDERS)]).await;
    assert_eq!(first.session("log_out", &gone.cookie(), &[]).await.status, 200);
    let is_told =
        async { while first.with(&gone.access_token(), &format!("{}/orders", first.orders)).await.status != 401 {} };
    tokio::time::timeout(Duration::from_secs(10), is_told).await.unwrap();
    let [port, orders_port] = [&first.url, &first.orders].map(|url| url.rsplit(':').next().unwrap().to_owned());
    first.kill();
    // On the same ports at once.
    let second = Platform::start(folder.path(), &[("PORT", &port), ("ORDERS_PORT", &orders_port)]).await;
    let orders = format!("{}/orders", second.orders);
    assert_eq!(second.orders, first.orders);
    assert_eq!(second.with(&gone.access_token(), &orders).await.status, 401);
    assert_eq!(second.with(&kept.access_token(), &orders).await.status, 200);
}

#[tokio::test]
async fn another_application_gets_what_the_user_allows_until_the_user_withdraws_it() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let user = format!("Bearer {}", platform.log_in("alice", "wonderland").await.access_token());
    let user = [("authorization", &*user)];
    let asked = asked();
    assert_eq!(platform.get(&format!("/authorize?{asked}"), &[]).await.status, 200);
    let evil = asked.replace("4300%2Fcallback", "4300%2Fevil");
    assert_eq!(platform.get(&format!("/authorize?{evil}"), &[]).await.status, 400);
    let body = json!({ "query": asked });
    // Without the user's token, there is no question, and none is answered for another user.
    assert_eq!(platform.json("/api/authorization", &[], &body).await.status, 401);
    let question = platform.json("/api/authorization", &user, &body).await.json();
    assert_eq!((&question["client"], &question["next"]), (&json!("Monthly report"), &json!("ask")));
    let body = json!({ "ticket": question["ticket"], "allow": true });
    let bob = format!("Bearer {}", platform.log_in("bob", "builder").await.access_token());
    let other = platform.json("/api/authorization/answer", &[("authorization", &bob)], &body).await;
    assert_eq!(other.status, 400, "{other:?}");
    let answer = platform.json("/api/authorization/answer", &user, &body).await.json();
    let location = answer["location"].as_str().unwrap();
    assert!(location.starts_with(CALLBACK) && parameter(location, "iss").as_deref() == Some(&*platform.url));
    let tokens = redeem(&platform, &parameter(location, "code").unwrap()).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(platform.with(token, &format!("{}/orders", platform.orders)).await.status, 200);
    assert_eq!(platform.with(token, "/api/consents").await.status, 401, "it manages the user's account");

    let consents = platform.get("/api/consents", &user).await.json();
    assert_eq!(consents[0]["client"], "report");
    assert_eq!(platform.json("/api/consents/repport/withdraw", &user, &json!({})).await.status, 404);
    assert_eq!(platform.json("/api/consents/report/withdraw", &user, &json!({})).await.status, 204);
    assert_eq!(platform.json("/api/consents/report/withdraw", &user, &json!({})).await.status, 404);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("client_id", "report"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(platform.form("/oauth/token", &[], &refresh).await.status, 400);
    assert_eq!(platform.get("/api/consents", &user).await.json(), json!([]));
}

#[tokio::test]
async fn a_device_is_connected_by_its_code() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let user = format!("Bearer {}", platform.log_in("alice", "wonderland").await.access_token());
    let user = [("authorization", &*user)];
    let shown = platform.form("/oauth/device_authorization", &[], &[("client_id", "report"), ("scope", "orders:read")]);
    let shown = shown.await.json();
    assert_eq!(shown["verification_uri"], format!("{}/device", platform.url));
    let code = shown["user_code"].as_str().unwrap();
    let asked = platform.get(&format!("/api/device?{}", query(&[("user_code", code)])), &user).await;
    assert_eq!(asked.json()["client"], "Monthly report", "{asked:?}");
    let answer = platform.json("/api/device", &user, &json!({ "ticket": asked.json()["ticket"], "allow": true })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "report"),
        ("device_code", shown["device_code"].as_str().unwrap()),
    ];
    let tokens = platform.form("/oauth/token", &[], &fields);
    let token = tokens.await.access_token();
    assert_eq!(platform.with(&token, &format!("{}/orders", platform.orders)).await.status, 200);
}

#[tokio::test]
async fn the_key_set_is_where_the_metadata_says() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let metadata = platform.get("/.well-known/oauth-authorization-server", &[]).await.json();
    let key_set = platform.get(metadata["jwks_uri"].as_str().unwrap(), &[]).await;
    assert!(!key_set.json()["keys"].as_array().unwrap().is_empty(), "{key_set:?}");
}

#[tokio::test]
async fn a_client_that_sends_too_many_requests_waits_and_the_others_do_not() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let refused = [("client_id", "report"), ("grant_type", "refresh_token"), ("refresh_token", "x")];
    let mut status = 400;
    for _ in 0..=1200 {
        status = platform.form("/oauth/token", &[], &refused).await.status;
        if status == 429 {
            break;
        }
    }
    assert_eq!(status, 429);
    let agent = [("client_id", "agent"), ("grant_type", "refresh_token"), ("refresh_token", "x")];
    assert_eq!(platform.form("/oauth/token", &[], &agent).await.status, 400);
}

#[tokio::test]
async fn a_script_with_curl_acts_for_itself() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let text = script(&platform, "worker.sh", &[]).await.unwrap();
    assert!(text.contains("\"orders\":7"), "{text}");
}

#[tokio::test]
async fn a_script_with_curl_goes_through_the_whole_code_flow_by_hand() {
    let folder = tempdir().unwrap();
    let platform = Platform::start(folder.path(), &[]).await;
    let text = script(&platform, "code-flow.sh", &[]).await.unwrap();
    let expected = [
        "\"subject\":\"alice\"",
        "Monthly report asks",
        "the scope orders:read",
        "\"seen_by\":\"alice\"",
        "the dashboard answers 401",
        "a refresh is answered with invalid_grant",
        "the second service answers 401",
        "11. The user logs out",
    ];
    for line in expected {
        assert!(text.contains(line), "{line:?} is not in {text}");
    }
    assert!(!text.contains("prt_") && !text.contains("eyJ"), "a token is shown: {text}");
    // The twin: nothing goes on without the right password.
    let stopped = script(&platform, "code-flow.sh", &[("PASSWORD", "Wonderland")]).await.unwrap_err();
    assert!(stopped.contains("4. The user logs in") && !stopped.contains("5."), "{stopped}");
}

/// Runs a script at the platform, as users do. Returns what it prints; an error with all of it if it fails.
async fn script(platform: &Platform, name: &str, settings: &[(&str, &str)]) -> Result<String, String> {
    let mut sh = Command::new("sh");
    sh.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name)).envs(settings.iter().copied());
    sh.env("DASHBOARD", &platform.url).env("ORDERS", &platform.orders).env("DATA", &platform.data);
    let output = tokio::task::spawn_blocking(move || sh.output().unwrap()).await.unwrap();
    let [out, error] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    if output.status.success() { Ok(out) } else { Err(format!("{out}{error}")) }
}

#[tokio::test]
async fn a_killed_dashboard_goes_on_with_its_sessions_and_keys() {
    let folder = tempdir().unwrap();
    let first = Platform::start(folder.path(), &[]).await;
    let log_in = first.log_in("alice", "wonderland").await;
    let port = first.url.rsplit_once(':').unwrap().1.to_owned();
    first.kill();
    let second = Platform::start(folder.path(), &[("PORT", &port)]).await;
    assert_eq!(second.with(&log_in.access_token(), "/api/me").await.status, 200);
    assert_eq!(second.session("refresh", &log_in.cookie(), &[("resource", ORDERS)]).await.status, 200);
}

/// The issuer is replaced by configuration: no code of either service is another one.
#[tokio::test]
async fn another_provider_takes_the_place_of_the_dashboards_own() {
    let folder = tempdir().unwrap();
    let provider = MockIssuer::new().audience(DASHBOARD).audience(ORDERS).serve().await;
    let platform = Platform::start(folder.path(), &[("ISSUER", provider.url())]).await;
    let token =
        |audience: &str| provider.issuer().token().subject("carol").audience(audience).scope("orders:read").sign();
    let me = platform.with(&token(DASHBOARD), "/api/me").await;
    assert_eq!((me.status, &me.json()["subject"]), (200, &json!("carol")), "{me:?}");
    assert_eq!(platform.with(&token(ORDERS), &format!("{}/orders", platform.orders)).await.status, 200);
    // The dashboard issues nothing any more.
    assert_eq!(platform.form("/oauth/token", &[], &[("grant_type", "client_credentials")]).await.status, 404);
    assert_eq!(platform.log_in("alice", "wonderland").await.status, 404);
}

/// What the application of another company asks for.
fn asked() -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, VERIFIER.as_bytes()));
    query(&[
        ("response_type", "code"),
        ("client_id", "report"),
        ("redirect_uri", CALLBACK),
        ("state", "s-1"),
        ("scope", "orders:read"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ])
}

async fn redeem(platform: &Platform, code: &str) -> Value {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "report"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
    ];
    platform.form("/oauth/token", &[], &fields).await.json()
}
