//! Tests the responses to refused clients.
#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode};
use portcullis::{
    AuthError, Code,
    error::AuthErrorKind,
    rejection::{BearerChallenge, Challenge, GrpcStatus, MakeRejection},
};
use serde_json::{Value, json};

fn answer(challenge: &BearerChallenge, error: &AuthError) -> Response<String> {
    challenge.make_rejection(error)
}

fn challenges(response: &Response<String>) -> Vec<&str> {
    response.headers().get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_kind_has_its_status_and_its_challenge() {
    let scopes = || AuthError::new(Code::ScopeMissing).with_scopes(["orders:read", "orders:write"]);
    let login = || AuthError::new(Code::AuthenticationTooOld).with_max_age(Duration::from_secs(300));
    let acr = || AuthError::new(Code::AuthenticationTooWeak).with_acr_values(["urn:mfa", "urn:phr"]);
    let cases = [
        ("no credential", AuthError::new(Code::CredentialMissing), 401, Some(r#"Bearer realm="api""#)),
        (
            "two credentials",
            AuthError::new(Code::CredentialRepeated),
            400,
            Some(
                r#"Bearer realm="api", error="invalid_request", error_description="the request has more than one credential""#,
            ),
        ),
        (
            "expired",
            AuthError::new(Code::TokenExpired),
            401,
            Some(r#"Bearer realm="api", error="invalid_token", error_description="the token has expired""#),
        ),
        (
            "scope missing",
            scopes(),
            403,
            Some(
                r#"Bearer realm="api", error="insufficient_scope", error_description="the token lacks a scope that this needs", scope="orders:read orders:write""#,
            ),
        ),
        (
            "role missing",
            AuthError::new(Code::RoleMissing),
            403,
            Some(
                r#"Bearer realm="api", error="insufficient_scope", error_description="the caller lacks a role that this needs""#,
            ),
        ),
        (
            "login too old",
            login(),
            401,
            Some(
                r#"Bearer realm="api", error="insufficient_user_authentication", error_description="a more recent login is needed", max_age="300""#,
            ),
        ),
        (
            "login too weak",
            acr(),
            401,
            Some(
                r#"Bearer realm="api", error="insufficient_user_authentication", error_description="a stronger login is needed", acr_values="urn:mfa urn:phr""#,
            ),
        ),
        ("undecided", AuthError::new(Code::KeysUnavailable), 503, None),
        ("misconfigured", AuthError::new(Code::ServiceMisconfigured), 500, None),
    ];
    for (name, error, status, challenge) in cases {
        let response = answer(&BearerChallenge::new().realm("api"), &error);
        assert_eq!(response.status(), status, "{name}");
        assert_eq!(challenges(&response), Vec::from_iter(challenge), "{name}");
        assert_eq!(response.headers().contains_key("retry-after"), status == 503, "{name}");
    }
}

#[test]
fn every_code_is_answered_with_a_problem_that_must_not_be_stored() {
    for &code in Code::ALL {
        let response = answer(&BearerChallenge::new(), &AuthError::new(code).with_explanation("for the log"));
        let body: Value = serde_json::from_str(response.body()).unwrap();
        let shown = cfg!(debug_assertions) && code == Code::ServiceMisconfigured;
        let detail = if shown { "for the log" } else { code.description() };
        let expected = json!({
            "type": format!("https://docs.rs/portcullis/latest/portcullis/codes/index.html#{code}"),
            "title": body["title"],
            "status": response.status().as_u16(),
            "detail": detail,
            "code": code.as_str(),
        });
        assert_eq!(body, expected);
        assert!(!body["title"].as_str().unwrap().is_empty());
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["cache-control"], "no-store");
        // RFC 9110 section 15.5.2: a 401 must have a challenge.
        assert!(response.status() != 401 || challenges(&response)[0].starts_with("Bearer"));
    }
}

#[test]
fn without_a_realm_the_challenge_is_bare() {
    let response = answer(&BearerChallenge::new(), &AuthError::new(Code::CredentialMissing));
    assert_eq!(challenges(&response), ["Bearer"]);
}

#[test]
fn resource_metadata_is_in_every_challenge() {
    let url = "https://api.example.com/.well-known/oauth-protected-resource";
    let challenge = BearerChallenge::new().resource_metadata(url);
    let expected = format!("resource_metadata=\"{url}\"");
    for &code in Code::ALL {
        let response = answer(&challenge, &AuthError::new(code));
        assert!(challenges(&response).iter().all(|challenge| challenge.ends_with(&expected)), "{code}");
    }
}

#[test]
fn the_scopes_to_ask_for_first_are_in_a_401_whose_client_needs_a_token() {
    let challenge = BearerChallenge::new().scope("orders:read  files:read").resource_metadata("https://a.test/m");
    for &code in Code::ALL {
        let error = AuthError::new(code);
        let response = answer(&challenge, &error);
        let names_them = challenges(&response).iter().any(|each| each.contains("orders:read"));
        let needs_a_token = match error.kind() {
            AuthErrorKind::NoCredential => true,
            AuthErrorKind::InvalidToken => !code.is_about_proof(),
            _ => false,
        };
        assert_eq!(names_them, needs_a_token, "{code}");
        assert!(response.status() == 401 || !names_them, "{code}");
    }
    let cases = [
        (Code::CredentialMissing, r#"Bearer scope="orders:read files:read", resource_metadata="https://a.test/m""#),
        (
            Code::TokenExpired,
            r#"Bearer error="invalid_token", error_description="the token has expired", scope="orders:read files:read", resource_metadata="https://a.test/m""#,
        ),
        (
            Code::TokenRevoked,
            r#"Bearer error="invalid_token", error_description="the token has been revoked", scope="orders:read files:read", resource_metadata="https://a.test/m""#,
        ),
        // Another token does not help here.
        (
            Code::CredentialRepeated,
            r#"Bearer error="invalid_request", error_description="the request has more than one credential", resource_metadata="https://a.test/m""#,
        ),
    ];
    for (code, expected) in cases {
        assert_eq!(challenges(&answer(&challenge, &AuthError::new(code))), [expected]);
    }
}

#[test]
fn a_missing_scope_is_named_instead_of_those_to_ask_for_first() {
    let challenge = BearerChallenge::new().scope("orders:read");
    for (error, expected) in [
        (
            AuthError::new(Code::ScopeMissing).with_scopes(["orders:write"]),
            r#"Bearer error="insufficient_scope", error_description="the token lacks a scope that this needs", scope="orders:write""#,
        ),
        // What an authenticator of the application says about a token is more precise, too.
        (
            AuthError::new(Code::TokenExpired).with_scopes(["orders:write"]),
            r#"Bearer error="invalid_token", error_description="the token has expired", scope="orders:write""#,
        ),
    ] {
        assert_eq!(challenges(&answer(&challenge, &error)), [expected]);
    }
}

#[test]
fn an_expired_token_names_no_scope_where_none_is_configured() {
    let response = answer(&BearerChallenge::new(), &AuthError::new(Code::TokenExpired));
    assert_eq!(challenges(&response), [r#"Bearer error="invalid_token", error_description="the token has expired""#]);
}

#[test]
fn several_challenges_are_several_headers() -> Result<(), portcullis::ConfigError> {
    let dpop = Challenge::new("DPoP")?.parameter("algs", "ES256 EdDSA")?;
    let challenge = BearerChallenge::new().beside(dpop);
    let response = answer(&challenge, &AuthError::new(Code::CredentialMissing));
    assert_eq!(challenges(&response), ["Bearer", r#"DPoP algs="ES256 EdDSA""#]);

    // No other credential helps if a scope is missing.
    let response = answer(&challenge, &AuthError::new(Code::ScopeMissing));
    assert_eq!(challenges(&response).len(), 1);
    Ok(())
}

#[test]
fn retry_after_is_in_whole_seconds_rounded_up() {
    let cases = [(None, "5"), (Some(0), "1"), (Some(200), "1"), (Some(2000), "2"), (Some(2001), "3")];
    for (millis, expected) in cases {
        let error = AuthError::new(Code::KeysUnavailable);
        let error = match millis {
            Some(millis) => error.with_retry_after(Duration::from_millis(millis)),
            None => error,
        };
        assert_eq!(answer(&BearerChallenge::new(), &error).headers()["retry-after"], expected);
    }
    let error = AuthError::new(Code::KeysUnavailable).with_retry_after(Duration::MAX);
    assert_eq!(answer(&BearerChallenge::new(), &error).headers()["retry-after"], u64::MAX.to_string());
}

#[test]
fn the_body_and_the_page_can_be_replaced() {
    let html = |error: &AuthError| (HeaderValue::from_static("text/html"), format!("<p>{}", error.code()));
    let response = answer(&BearerChallenge::new().body(html), &AuthError::new(Code::TokenExpired));
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.body(), "<p>token_expired");
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);

    let challenge = BearerChallenge::new().codes_page("https://example.com/errors/");
    let response = answer(&challenge, &AuthError::new(Code::TokenExpired));
    assert!(response.body().contains(r#""type":"https://example.com/errors/token_expired""#));
}

#[test]
fn clones_do_not_change_each_other() {
    let original = BearerChallenge::new().realm("one");
    let changed = original.clone().realm("two");
    let error = AuthError::new(Code::CredentialMissing);
    assert_eq!(challenges(&answer(&original, &error)), [r#"Bearer realm="one""#]);
    assert_eq!(challenges(&answer(&changed, &error)), [r#"Bearer realm="two""#]);
}

#[test]
fn no_value_breaks_out_of_its_place_in_a_challenge() {
    let cases = [
        ("plain", "plain"),
        ("two words", "two words"),
        ("a\"b", "a\\\"b"),
        ("a\\b", "a\\\\b"),
        ("a\", error=\"x", "a\\\", error=\\\"x"),
        ("a\r\nset-cookie: x", "a%0D%0Aset-cookie: x"),
        ("a\0\u{7f}\t", "a%00%7F%09"),
        ("é", "%C3%A9"),
        ("", ""),
    ];
    for (realm, expected) in cases {
        let value = Challenge::bearer().realm(realm).to_header_value();
        assert_eq!(value, format!("Bearer realm=\"{expected}\""), "{realm:?}");
    }
}

#[test]
fn no_word_breaks_out_of_its_place_in_a_list() {
    let cases = [
        ("orders:read", "orders:read"),
        ("a b", "a%20b"),
        ("a\"b\\c", "a%22b%5Cc"),
        ("a\r\nb", "a%0D%0Ab"),
        ("é", "%C3%A9"),
    ];
    for (word, expected) in cases {
        let scope = Challenge::bearer().scope([word, "x"]).to_header_value();
        assert_eq!(scope, format!("Bearer scope=\"{expected} x\""), "{word:?}");
        let acr = Challenge::bearer().acr_values([word]).to_header_value();
        assert_eq!(acr, format!("Bearer acr_values=\"{expected}\""), "{word:?}");
        let url = Challenge::bearer().resource_metadata(word).to_header_value();
        assert_eq!(url, format!("Bearer resource_metadata=\"{expected}\""), "{word:?}");
    }
    assert_eq!(Challenge::bearer().scope::<&str>([]).to_string(), "Bearer");
}

#[test]
fn schemes_and_parameters_must_be_tokens_and_unique() {
    assert!(Challenge::new("Basic").is_ok());
    for scheme in ["", "Two Words", "a,b", "a\nb", "a=b", "é"] {
        assert!(Challenge::new(scheme).is_err(), "{scheme:?}");
        assert!(Challenge::bearer().parameter(scheme, "x").is_err(), "{scheme:?}");
    }
    let once = Challenge::bearer().parameter("nonce", "1").unwrap();
    assert!(once.clone().parameter("Nonce", "2").is_err());
    assert_eq!(once.parameter("other", "2").unwrap().to_string(), r#"Bearer nonce="1", other="2""#);
    assert_eq!(Challenge::bearer().realm("a").realm("b").to_string(), r#"Bearer realm="b""#);
}

#[test]
fn grpc_gets_its_own_status_numbers() {
    let status = |kind| match kind {
        AuthErrorKind::NoCredential | AuthErrorKind::InvalidToken | AuthErrorKind::InsufficientAuthentication => "16",
        AuthErrorKind::InvalidRequest => "3",
        AuthErrorKind::InsufficientScope => "7",
        AuthErrorKind::Unavailable => "14",
        AuthErrorKind::Misconfigured => "13",
        _ => panic!("a new kind needs a number"),
    };
    for &code in Code::ALL {
        let response: Response<String> = GrpcStatus::new().make_rejection(&AuthError::new(code));
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/grpc");
        assert_eq!(response.headers()["grpc-status"], status(code.kind()), "{code}");
        assert_eq!(response.headers()["grpc-message"], format!("{code}: {}", code.description()));
        assert_eq!(response.body(), "");
    }
}

#[test]
fn closures_make_rejections() {
    let teapot = |error: &AuthError| Response::builder().status(418).body(error.code().as_str()).unwrap();
    assert_eq!(teapot.make_rejection(&AuthError::new(Code::TokenExpired)).body(), &"token_expired");
}

#[cfg(feature = "axum")]
mod with_axum {
    use axum::response::IntoResponse;
    use portcullis::rejection::AuthRejection;

    use super::*;

    #[tokio::test]
    async fn an_extractors_rejection_is_the_same_response() {
        let challenge = BearerChallenge::new().realm("api");
        let expected = answer(&challenge, &AuthError::new(Code::TokenExpired));

        let rejection = AuthRejection::new(AuthError::new(Code::TokenExpired), challenge);
        assert_eq!(rejection.error().code(), Code::TokenExpired);
        assert_eq!(rejection.to_string(), "token_expired: the token has expired");
        let response = rejection.into_response();
        assert_eq!((response.status(), response.headers()), (expected.status(), expected.headers()));
        let body = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert_eq!(body, expected.body());
    }

    #[test]
    fn an_error_alone_gets_a_bare_challenge() {
        let response = AuthRejection::from(AuthError::new(Code::CredentialMissing)).into_response();
        assert_eq!(response.extensions().get(), Some(&Code::CredentialMissing));
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
}
