//! Inputs from the field that went wrong: tokens that a policy accepts or refuses. Each test is named by its row.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use portcullis_core::{
    Algorithm, AuthError, Code, JwtAuthenticator, Profile, Revocation, RevocationView, TrustedIssuer,
};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};
use serde_json::json;

fn error_of(service: &JwtAuthenticator, token: &str) -> Option<AuthError> {
    service.verify(token).ready().unwrap().err()
}

fn refusal(trusted: TrustedIssuer, token: &TokenBuilder) -> Option<Code> {
    error_of(&JwtAuthenticator::new(trusted).unwrap(), &token.sign()).map(|error| error.code())
}

#[test]
fn row_n1_a_bound_token_is_no_bearer_token() {
    let issuer = MockIssuer::new();
    assert_eq!(refusal(issuer.trusted(), &issuer.token()), None, "the twin without `cnf`");
    for method in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" }),
        json!({ "jwk": { "kty": "OKP" } }),
        json!({ "of-next-year": 1 }),
        json!({}),
        json!(null),
        json!("text"),
        json!([]),
        json!(0),
        json!(false),
    ] {
        let token = issuer.token().claim("cnf", &method);
        assert_eq!(refusal(issuer.trusted(), &token), Some(Code::ProofMissing), "{method}");
        assert_eq!(refusal(issuer.trusted().danger_bound_tokens_as_bearer(), &token), None, "{method}");
    }
}

#[test]
fn row_n1_every_profile_refuses_a_bound_token() {
    let issuer = MockIssuer::new();
    let access = issuer.token().typ("at+jwt").subject("alice").claim("client_id", "c").token_id("t");
    let logout = issuer
        .token()
        .typ("logout+jwt")
        .subject("alice")
        .token_id("t")
        .claim("events", json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    for (profile, token) in
        [(Profile::Jwt, issuer.token()), (Profile::AccessToken, access), (Profile::LogoutToken, logout)]
    {
        assert_eq!(refusal(issuer.trusted().profile(profile), &token), None, "{profile:?}");
        let bound = token.claim("cnf", json!({ "jkt": "x" }));
        assert_eq!(refusal(issuer.trusted().profile(profile), &bound), Some(Code::ProofMissing), "{profile:?}");
    }
}

#[test]
fn row_n1_a_bound_token_is_refused_however_often_it_comes() {
    let issuer = MockIssuer::new();
    let (lenient, strict) = (
        JwtAuthenticator::new(issuer.trusted().danger_bound_tokens_as_bearer()).unwrap(),
        JwtAuthenticator::new(issuer.trusted()).unwrap(),
    );
    let token = issuer.token().claim("cnf", json!({ "jkt": "x" })).sign();
    for _ in 0..3 {
        assert!(error_of(&lenient, &token).is_none());
        assert_eq!(error_of(&strict, &token).unwrap().code(), Code::ProofMissing);
    }
}

/// `cnf` deeper down, or under a similar name, is a claim of somebody else's.
#[test]
fn row_n1_only_the_claim_of_that_name_binds() {
    let issuer = MockIssuer::new();
    let token = issuer.token().claim("act", json!({ "cnf": { "jkt": "x" } })).claim("CNF", 1).claim("cnf ", 1);
    assert_eq!(refusal(issuer.trusted(), &token), None);
}

#[test]
fn row_t11_a_hit_never_accepts_more_after_the_clock_was_set_back() {
    const HORIZON: Duration = Duration::from_secs(3600);
    let clock = FixedClock::default();
    let start = FixedClock::DEFAULT;
    let issuer = MockIssuer::new().clock(clock.clone());
    let view = RevocationView::builder(HORIZON).danger_accept_without_issued_at().clock(clock.clone()).build();
    let confirm = || view.confirm(view.ask());
    confirm();
    let service = issuer.authenticator().revocations(&view);
    let token = issuer.token().without("iat").expires_at(start.plus(HORIZON)).sign();
    assert!(error_of(&service, &token).is_none());

    clock.set(start.minus(Duration::from_secs(30)));
    confirm();
    let [cached, uncached] =
        [service.clone(), service.clone().without_cache()].map(|service| error_of(&service, &token));
    assert_eq!(cached.map(|error| error.code()), uncached.map(|error| error.code()));
    let twin = issuer.token().without("iat").expires_at(start.plus(HORIZON).minus(Duration::from_secs(30))).sign();
    assert!(error_of(&service, &twin).is_none(), "within the horizon as the clock stands");

    clock.set(start);
    confirm();
    assert!(error_of(&service, &token).is_none(), "and good again when the clock is right again");
}

/// The same signature in its other form: (r, n - s) for (r, s), with n the order of P-256 (SEC 2 section 2.4.2).
fn other_form(token: &str) -> String {
    const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let order: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&ORDER[2 * at..2 * at + 2], 16).unwrap()).collect();
    let (input, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = false;
    for (digit, order) in signature[32..].iter_mut().zip(order).rev() {
        let (difference, first) = order.overflowing_sub(*digit);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        (*digit, borrow) = (difference, first || second);
    }
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Whoever has a token can write it in a second way, so nothing may depend on its text: neither what is revoked, nor what a hit
/// in the cache says about the other one.
#[test]
fn row_t15_both_forms_of_an_es256_signature_are_one_token() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::with_algorithm(Algorithm::Es256).clock(clock.clone());
    let view = RevocationView::builder(Duration::from_secs(86_400)).clock(clock.clone()).build();
    view.confirm(view.ask());
    let service = issuer.authenticator().revocations(&view);
    let token = issuer.token().subject("alice").token_id("t-1").sign();
    let forms = [token.clone(), other_form(&token)];
    assert_ne!(forms[0], forms[1]);
    let codes = || forms.each_ref().map(|form| error_of(&service, form).map(|error| error.code()));
    assert_eq!(codes(), [None, None], "RFC 7518 section 3.4 allows both");
    assert_eq!(codes(), [None, None], "and from the cache");
    let tampered = other_form(&issuer.token().subject("mallory").sign());
    let tampered = format!("{}.{}", token.rsplit_once('.').unwrap().0, tampered.rsplit_once('.').unwrap().1);
    assert_eq!(error_of(&service, &tampered).unwrap().code(), Code::SignatureInvalid);

    view.merge(&[view.entry(&Revocation::token(
        issuer.name(),
        "t-1",
        FixedClock::DEFAULT.plus(Duration::from_secs(3600)),
    ))]);
    assert_eq!(codes(), [Some(Code::TokenRevoked); 2]);
}
