//! Authorization codes: asked for, granted and redeemed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod support;

use portcullis_issuer::server::{
    AuthorizationError, Decision, Denial, OAuthError, OAuthErrorCode, Prompt, ServerEvent, TokenResponse,
};
use serde_json::json;
use support::{
    desk::{BILLS, CALLBACK, Desk, ISSUER, ORDERS, VERIFIER, challenge, claims, parameter, query},
    secs,
};

fn code_of(result: Result<TokenResponse, OAuthError>) -> OAuthErrorCode {
    result.unwrap_err().code()
}

/// What the client is told, at its redirect URI.
async fn told(desk: &Desk, client_id: &str, more: &[(&str, &str)]) -> String {
    match desk.server.authorization_request(&query(client_id, more)).await {
        Err(AuthorizationError::Redirect(answer)) => {
            assert!(answer.location().starts_with(CALLBACK), "{}", answer.location());
            assert_eq!(parameter(answer.location(), "iss").as_deref(), Some(ISSUER));
            assert_eq!(parameter(answer.location(), "state").as_deref(), Some("s-1"));
            parameter(answer.location(), "error").unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_code_becomes_an_access_token_and_a_refresh_token() {
    let desk = Desk::new();
    let request = desk.ask("page", &[("scope", "orders:read"), ("resource", ORDERS)]).await;
    let answer = desk.grant(&request, &desk.alice().version(3), &["orders:read"]).await;
    assert_eq!(parameter(answer.location(), "state").as_deref(), Some("s-1"));
    assert_eq!(parameter(answer.location(), "iss").as_deref(), Some(ISSUER));
    let code = parameter(answer.location(), "code").unwrap();
    let response = desk.redeem("page", &code).await.unwrap();
    assert!(desk.accepts(&response));
    let claims = claims(&response);
    assert_eq!(
        (&claims["sub"], &claims["client_id"], &claims["aud"]),
        (&json!("alice"), &json!("page"), &json!(ORDERS))
    );
    assert_eq!((&claims["scope"], &claims["ver"]), (&json!("orders:read"), &json!(3)));
    let body: serde_json::Value = serde_json::from_str(&response.to_json()).unwrap();
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (&json!("Bearer"), &json!(600), &json!("orders:read"))
    );
    let refresh_token = response.refresh_token().unwrap();
    let next = [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", refresh_token)];
    assert!(desk.accepts(&desk.token(&next).await.unwrap()));
}

#[tokio::test]
async fn pitfall_10_a_code_that_comes_again_ends_everything_that_came_of_it() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    let response = desk.redeem("page", &code).await.unwrap();
    assert!(desk.accepts(&response));
    assert_eq!(code_of(desk.redeem("page", &code).await), OAuthErrorCode::InvalidGrant);
    assert!(!desk.accepts(&response), "the access token of a replayed code is still good");
    let refresh_token = response.refresh_token().unwrap();
    let next = [("grant_type", "refresh_token"), ("client_id", "page"), ("refresh_token", refresh_token)];
    assert_eq!(code_of(desk.token(&next).await), OAuthErrorCode::InvalidGrant);
    let replays = desk.events(|event| matches!(event, ServerEvent::CodeReplayed { .. }).then_some(()));
    assert_eq!(replays.len(), 1);
}

#[tokio::test]
async fn pitfall_10_a_replay_is_noticed_after_the_life_of_the_code() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    let response = desk.redeem("page", &code).await.unwrap();
    desk.clock.advance(secs(300));
    assert!(desk.accepts(&response));
    assert_eq!(code_of(desk.redeem("page", &code).await), OAuthErrorCode::InvalidGrant);
    assert!(!desk.accepts(&response));
}

#[tokio::test]
async fn pitfall_10_a_wrong_verifier_consumes_nothing_and_there_are_five_attempts() {
    let desk = Desk::new();
    let wrong = "x".repeat(43);
    for attempts in [4, 5] {
        let code = desk.code("page", &[]).await;
        for _ in 0..attempts {
            let refused = desk.redeem_with("page", &code, &wrong, &[("resource", ORDERS)]).await;
            assert_eq!(code_of(refused), OAuthErrorCode::InvalidGrant);
        }
        assert_eq!(desk.redeem("page", &code).await.is_ok(), attempts < 5, "after {attempts} attempts");
    }
}

#[tokio::test]
async fn another_client_or_redirect_uri_does_not_redeem_a_code() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    assert_eq!(code_of(desk.redeem("other", &code).await), OAuthErrorCode::InvalidGrant);
    let elsewhere = [("resource", ORDERS), ("redirect_uri", "https://app.test/callback2")];
    assert_eq!(code_of(desk.redeem_with("page", &code, VERIFIER, &elsewhere).await), OAuthErrorCode::InvalidGrant);
    assert!(desk.redeem("page", &code).await.is_ok());
}

#[tokio::test]
async fn a_code_holds_for_a_minute() {
    let desk = Desk::new();
    let (late, early) = (desk.code("page", &[]).await, desk.code("page", &[]).await);
    desk.clock.advance(secs(59));
    assert!(desk.redeem("page", &early).await.is_ok());
    desk.clock.advance(secs(1));
    assert_eq!(code_of(desk.redeem("page", &late).await), OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_resource_of_several_has_to_be_named_at_the_token_endpoint() {
    let desk = Desk::new();
    let code = desk.code("page", &[]).await;
    assert_eq!(code_of(desk.redeem_with("page", &code, VERIFIER, &[]).await), OAuthErrorCode::InvalidTarget);
    let unknown = [("resource", "https://evil.test")];
    assert_eq!(code_of(desk.redeem_with("page", &code, VERIFIER, &unknown).await), OAuthErrorCode::InvalidTarget);
    let response = desk.redeem_with("page", &code, VERIFIER, &[("resource", BILLS)]).await.unwrap();
    assert_eq!(claims(&response)["aud"], json!(BILLS));
    assert!(!desk.accepts(&response), "orders accepts a token for bills");
}

#[tokio::test]
async fn rfc9700_2_1_1_pkce_with_s256_is_required() {
    let desk = Desk::new();
    let plain = challenge(VERIFIER);
    for wrong in [
        [("code_challenge", ""), ("code_challenge_method", "S256")],
        [("code_challenge", plain.as_str()), ("code_challenge_method", "")],
        [("code_challenge", plain.as_str()), ("code_challenge_method", "plain")],
        [("code_challenge", "short"), ("code_challenge_method", "S256")],
    ] {
        assert_eq!(told(&desk, "page", &wrong).await, "invalid_request", "{wrong:?}");
    }
    let code = desk.code("page", &[]).await;
    let without = desk.redeem_with("page", &code, VERIFIER, &[("code_verifier", ""), ("resource", ORDERS)]).await;
    assert_eq!(code_of(without), OAuthErrorCode::InvalidRequest);
    assert!(desk.redeem("page", &code).await.is_ok());
}

#[tokio::test]
async fn rfc9700_4_1_an_address_that_is_not_the_clients_is_never_redirected_to() {
    let desk = Desk::new();
    for (client_id, uri) in [
        ("page", "https://evil.test/callback"),
        ("page", "https://app.test/callback/../evil"),
        ("page", "https://app.test/callback?x"),
        ("page", "https://app.test.evil.test/callback"),
        ("unknown", CALLBACK),
        ("worker", CALLBACK),
    ] {
        let refused = desk.server.authorization_request(&query(client_id, &[("redirect_uri", uri)])).await;
        assert!(matches!(refused, Err(AuthorizationError::Page(_))), "{client_id} {uri}: {refused:?}");
    }
    assert!(desk.server.authorization_request(&query("page", &[])).await.is_ok());
}

#[tokio::test]
async fn what_would_change_the_meaning_is_refused_and_not_dropped() {
    let desk = Desk::new();
    for (name, error) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "invalid_request"),
    ] {
        assert_eq!(told(&desk, "page", &[(name, "x")]).await, error);
    }
    for name in ["authorization_details", "dpop_jkt"] {
        let refused = desk.server.authorization_request(&query("page", &[(name, "x")])).await;
        assert!(matches!(refused, Err(AuthorizationError::Page(_))), "{refused:?}");
    }
    assert_eq!(told(&desk, "page", &[("response_type", "token")]).await, "unsupported_response_type");
    assert_eq!(told(&desk, "page", &[("response_mode", "fragment")]).await, "invalid_request");
    assert_eq!(told(&desk, "page", &[("scope", "admin")]).await, "invalid_scope");
    assert_eq!(told(&desk, "page", &[("resource", "https://evil.test")]).await, "invalid_target");
    assert_eq!(told(&desk, "page", &[("prompt", "none login")]).await, "invalid_request");
    // What is unknown and changes nothing is ignored (RFC 6749 section 3.1).
    assert!(desk.server.authorization_request(&query("page", &[("display", "popup")])).await.is_ok());
}

#[tokio::test]
async fn the_application_says_no_in_the_words_of_the_standard() {
    let desk = Desk::new();
    let request = desk.ask("page", &[("prompt", "none")]).await;
    assert!(request.asks_for(Prompt::None));
    for (denial, error) in [
        (Denial::Denied, "access_denied"),
        (Denial::LoginRequired, "login_required"),
        (Denial::ConsentRequired, "consent_required"),
        (Denial::InteractionRequired, "interaction_required"),
        (Denial::TemporarilyUnavailable, "temporarily_unavailable"),
    ] {
        let answer = request.deny(denial);
        assert_eq!(parameter(answer.location(), "error").as_deref(), Some(error));
        assert!(parameter(answer.location(), "code").is_none());
    }
}

#[tokio::test]
async fn a_user_allows_no_more_than_was_asked_for_and_may_allow_less() {
    let desk = Desk::new();
    let request = desk.ask("page", &[("scope", "orders:read"), ("resource", ORDERS)]).await;
    let Decision::Ask(question) = request.decide(Some(&desk.alice())).await.unwrap() else { panic!("no question") };
    let question = desk.server.resume_question(question.ticket(), &desk.alice()).await.unwrap();
    assert!(question.allow(["orders:read", "orders:write"]).await.is_err());
    let answer = question.allow([""; 0]).await.unwrap();
    let response = desk.redeem("page", &parameter(answer.location(), "code").unwrap()).await.unwrap();
    assert_eq!(response.access().scope(), None);
}

#[tokio::test]
async fn consent_is_asked_for_once_and_ends_the_sessions_of_the_client_when_it_is_withdrawn() {
    let desk = Desk::new();
    let response = desk.redeem("page", &desk.code("page", &[("scope", "orders:read")]).await).await.unwrap();
    let house = desk.redeem("house", &desk.code("house", &[]).await).await.unwrap();
    assert!(!desk.asks("page", &[("scope", "orders:read")], "alice").await);
    assert!(desk.asks("page", &[("scope", "orders:write")], "alice").await);
    assert!(desk.asks("page", &[("scope", "orders:read")], "bob").await);
    assert!(desk.asks("page", &[("prompt", "consent")], "alice").await);
    assert!(!desk.asks("house", &[], "bob").await);
    let consents = desk.server.consents_of("alice").await.unwrap();
    assert_eq!(consents.iter().map(portcullis_issuer::server::Consent::client_id).collect::<Vec<_>>(), ["page"]);

    let waiting = desk.code("page", &[("scope", "orders:read")]).await;
    assert!(!desk.server.withdraw_consent("page", "alice").await.unwrap());
    assert!(desk.accepts(&response));
    assert!(desk.server.withdraw_consent("alice", "page").await.unwrap());
    assert!(!desk.accepts(&response) && desk.accepts(&house));
    assert_eq!(code_of(desk.redeem("page", &waiting).await), OAuthErrorCode::InvalidGrant);
    assert!(desk.asks("page", &[("scope", "orders:read")], "alice").await);
    assert!(!desk.server.withdraw_consent("alice", "page").await.unwrap());
}

#[tokio::test]
async fn a_parameter_that_is_repeated_makes_a_request_invalid() {
    let desk = Desk::new();
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.test", query("page", &[]));
    assert!(matches!(desk.server.authorization_request(&twice).await, Err(AuthorizationError::Page(_))));
    let code = desk.code("page", &[]).await;
    let twice = [
        ("grant_type", "authorization_code"),
        ("client_id", "page"),
        ("client_id", "other"),
        ("code", code.as_str()),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(code_of(desk.token(&twice).await), OAuthErrorCode::InvalidRequest);
    assert!(desk.redeem("page", &code).await.is_ok());
}
