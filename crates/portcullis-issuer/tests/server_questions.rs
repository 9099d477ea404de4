//! Who is asked, who answers, and when a user has to log in again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_core::{Clock, UnixTime};
use portcullis_issuer::server::{AuthorizationError, AuthorizationRequest, Client, Decision, Visitor};
use serde_json::json;
use support::{
    desk::{BILLS, BROWSER, Desk, ORDERS, VERIFIER, claims, clients, parameter, query},
    secs,
};

/// Which page is shown to this user.
async fn page(request: &AuthorizationRequest, visitor: Option<&Visitor>) -> &'static str {
    match request.decide(visitor).await.unwrap() {
        Decision::LogIn => "log in",
        Decision::Ask(_) => "question",
        Decision::Grant(_) => "none",
        Decision::Answer(answer) => match parameter(answer.location(), "error").unwrap().as_str() {
            "login_required" => "login_required",
            "consent_required" => "consent_required",
            other => panic!("{other}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_is_answered_only_by_the_user_and_the_browser_that_it_was_shown_to() {
    let desk = Desk::new();
    let request = desk.ask("page", &[]).await;
    let alice = desk.alice();
    let Decision::Ask(question) = request.decide(Some(&alice)).await.unwrap() else { panic!("no question") };
    let now = desk.clock.now();
    for other in [Visitor::new("bob", BROWSER, now), Visitor::new("alice", "b".repeat(16), now)] {
        let refused = desk.server.resume_question(question.ticket(), &other).await.unwrap_err();
        assert!(matches!(refused, AuthorizationError::Page(_)), "{refused:?}");
    }
    // What an attacker's page can send: the ticket of a request, a ticket of its own, or none.
    for ticket in [request.ticket().as_str(), &question.ticket().replace("ptk_B", "ptk_C"), ""] {
        assert!(desk.server.resume_question(ticket, &alice).await.is_err(), "{ticket}");
    }
    let answered = desk.server.resume_question(question.ticket(), &alice).await.unwrap();
    assert!(parameter(answered.deny().location(), "error").is_some());
    desk.clock.advance(secs(3600));
    assert!(desk.server.resume_question(question.ticket(), &alice).await.is_err(), "an old page is still good");
}

#[tokio::test]
async fn a_user_logs_in_when_the_client_wants_it_and_not_twice() {
    let desk = Desk::new();
    let earlier = Visitor::new("alice", BROWSER, UnixTime::from_secs(desk.clock.now().as_secs() - 600));
    assert_eq!(page(&desk.ask("house", &[]).await, None).await, "log in");
    assert_eq!(page(&desk.ask("house", &[]).await, Some(&earlier)).await, "none");
    for (name, value, expected) in [
        ("prompt", "login", "log in"),
        ("prompt", "select_account", "log in"),
        ("max_age", "599", "log in"),
        ("max_age", "600", "none"),
        ("prompt", "none", "none"),
    ] {
        let request = desk.ask("house", &[(name, value)]).await;
        assert_eq!(page(&request, Some(&earlier)).await, expected, "{name}={value}");
        // After the page.
        desk.clock.advance(secs(5));
        let now = Visitor::new("alice", BROWSER, desk.clock.now());
        let resumed = desk.server.resume_request(&request.ticket()).await.unwrap();
        assert_eq!(page(&resumed, Some(&now)).await, "none", "{name}={value}");
        desk.clock.set(UnixTime::from_secs(desk.clock.now().as_secs() - 5));
    }
    assert_eq!(page(&desk.ask("page", &[("prompt", "none")]).await, None).await, "login_required");
    assert_eq!(page(&desk.ask("page", &[("prompt", "none")]).await, Some(&earlier)).await, "consent_required");
    let quiet = desk.ask("house", &[("prompt", "none"), ("max_age", "10")]).await;
    assert_eq!(page(&quiet, Some(&earlier)).await, "login_required");
}

#[tokio::test]
async fn tokens_say_when_the_user_has_logged_in_and_not_when_the_code_was_redeemed() {
    let desk = Desk::new();
    let logged_in = UnixTime::from_secs(desk.clock.now().as_secs() - 86_400);
    let visitor = Visitor::new("alice", BROWSER, logged_in);
    let answer = desk.grant(&desk.ask("house", &[]).await, &visitor, &[]).await;
    desk.clock.advance(secs(30));
    let response = desk.redeem("house", &parameter(answer.location(), "code").unwrap()).await.unwrap();
    assert_eq!(claims(&response)["auth_time"], json!(logged_in.as_secs()));
}

#[tokio::test]
async fn a_log_out_everywhere_ends_codes_that_are_not_redeemed_yet() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    desk.clock.advance(secs(10));
    desk.sessions.log_out_everywhere("alice").await.unwrap();
    desk.clock.advance(secs(10));
    assert!(desk.redeem("page", &code).await.is_err(), "a thief's code has outlived the log-out");
    let code = desk.code("page", &[]).await;
    assert!(desk.redeem("page", &code).await.is_ok());
}

#[tokio::test]
async fn answers_do_not_combine_into_what_was_never_allowed() {
    let desk = Desk::new();
    desk.code("page", &[("scope", "orders:write"), ("resource", BILLS)]).await;
    desk.code("page", &[("scope", "orders:read"), ("resource", ORDERS)]).await;
    assert!(!desk.asks("page", &[("scope", "orders:write"), ("resource", BILLS)], "alice").await);
    assert!(desk.asks("page", &[("scope", "orders:write"), ("resource", ORDERS)], "alice").await);
    assert!(desk.asks("page", &[("scope", "orders:read orders:write"), ("resource", BILLS)], "alice").await);
}

#[tokio::test]
async fn a_code_of_a_consent_that_was_withdrawn_is_not_revived_by_another_consent() {
    let desk = Desk::new();
    let wide = desk.code("page", &[("scope", "orders:read orders:write")]).await;
    desk.server.withdraw_consent("alice", "page").await.unwrap();
    let narrow = desk.code("page", &[("scope", "orders:read")]).await;
    assert!(desk.redeem("page", &wide).await.is_err());
    assert!(desk.redeem("page", &narrow).await.is_ok());
}

#[tokio::test]
async fn rfc8252_8_6_a_program_on_the_users_machine_is_asked_about_each_time() {
    let local = |id: &str| {
        Client::public(id).redirect_uri("http://127.0.0.1/done").scope("orders:read").resource(ORDERS).first_party()
    };
    let mut all = clients();
    all.extend([local("local"), local("trusted").danger_without_question()]);
    let desk = Desk::with(all);
    let more = [("redirect_uri", "http://127.0.0.1:4711/done")];
    desk.code("local", &more).await;
    assert!(desk.asks("local", &more, "alice").await);
    assert!(!desk.asks("trusted", &more, "alice").await);
    assert!(!desk.asks("house", &[], "alice").await);
}

#[tokio::test]
async fn a_user_is_not_named_like_a_client() {
    let desk = Desk::new();
    let request = desk.ask("house", &[]).await;
    for name in ["worker", "", "a\0b"] {
        assert!(request.decide(Some(&Visitor::new(name, BROWSER, desk.clock.now()))).await.is_err(), "{name:?}");
    }
    assert!(request.decide(Some(&Visitor::new("alice", "short", desk.clock.now()))).await.is_err());
    assert!(request.decide(Some(&Visitor::new("workers", BROWSER, desk.clock.now()))).await.is_ok());
}

#[tokio::test]
async fn a_code_that_was_seen_does_not_end_the_session_without_its_verifier() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    let response = desk.redeem("page", &code).await.unwrap();
    let wrong = "x".repeat(43);
    assert!(desk.redeem_with("page", &code, &wrong, &[("resource", ORDERS)]).await.is_err());
    assert!(desk.redeem("other", &code).await.is_err());
    assert!(desk.accepts(&response), "anyone who has seen a code logs its user out");
    assert!(desk.redeem("page", &code).await.is_err());
    assert!(!desk.accepts(&response));
}

#[tokio::test]
async fn what_is_taken_from_a_client_is_taken_from_its_sessions() {
    let desk = Desk::new();
    let response = desk.redeem("page", &desk.code("page", &[]).await).await.unwrap();
    assert_eq!(response.access().scope(), Some("orders:read orders:write"));
    let page = Client::public("page").redirect_uri("https://app.test/callback").scope("orders:read").resource(ORDERS);
    let later = desk.server_with(vec![page]);
    let token = response.refresh_token().unwrap();
    let parameters = [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", token)];
    let next = desk.token_of(&later, &parameters).await.unwrap();
    assert_eq!((next.access().scope(), &claims(&next)["aud"]), (Some("orders:read"), &json!(ORDERS)));
}

#[tokio::test]
async fn a_resource_may_have_the_slash_that_url_libraries_add() {
    let desk = Desk::new();
    let with_slash = format!("{ORDERS}/");
    let code = desk.code("page", &[("resource", &with_slash)]).await;
    let response = desk.redeem_with("page", &code, VERIFIER, &[("resource", &with_slash)]).await.unwrap();
    assert_eq!(claims(&response)["aud"], json!(ORDERS));
    for other in [format!("{ORDERS}//"), format!("{ORDERS}/x"), format!("{ORDERS}.evil.test/")] {
        let refused = desk.server.authorization_request(&query("page", &[("resource", &other)])).await;
        assert!(matches!(refused, Err(AuthorizationError::Redirect(_))), "{other}");
    }
}

#[tokio::test]
async fn a_page_for_logging_in_that_takes_longer_than_max_age_is_shown_once() {
    for max_age in ["0", "1", "4"] {
        let desk = Desk::new();
        let start = desk.clock.now().as_secs();
        let at = |secs| Visitor::new("alice", BROWSER, UnixTime::from_secs(secs));
        let request = desk.ask("house", &[("max_age", max_age)]).await;
        assert_eq!(page(&request, Some(&at(start - 5))).await, "log in", "max_age={max_age}");
        let ticket = request.ticket();
        desk.clock.advance(secs(10));
        // The user has logged in after 3 s, and comes back after 10.
        let resumed = desk.server.resume_request(&ticket).await.unwrap();
        assert_eq!(page(&resumed, Some(&at(start + 3))).await, "none", "max_age={max_age}");
        // Not for this request.
        assert_eq!(page(&resumed, Some(&at(start - 1))).await, "log in", "max_age={max_age}");
        let next = desk.ask("house", &[("max_age", max_age)]).await;
        assert_eq!(page(&next, Some(&at(start + 3))).await, "log in", "max_age={max_age}");
    }
}
