//! Tests `client_id` in place of a missing `aud`: only if it is configured, and never if `aud` is present.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use portcullis_core::{Admission, Code, JwtAuthenticator, TrustedIssuer, Verified, authenticator::Attempt};
use portcullis_test::{MockIssuer, TokenBuilder};

fn verify(trusted: TrustedIssuer, token: &TokenBuilder) -> Result<Verified, Code> {
    match Admission::new(JwtAuthenticator::new(trusted).unwrap()).verify(&token.sign()) {
        Attempt::Done(outcome) => outcome.map_err(|error| error.code()),
        _ => unreachable!("the keys are at hand"),
    }
}

fn issuer() -> MockIssuer {
    MockIssuer::new().audience("1h57kf5cpq17m0eml12EXAMPLE")
}

/// An access token as Amazon Cognito writes it.
fn token(issuer: &MockIssuer, client: &str) -> TokenBuilder {
    issuer.token().without("aud").claim("client_id", client)
}

#[test]
fn a_token_without_an_audience_is_accepted_for_its_client_only_if_configured() {
    let issuer = issuer();
    let token = token(&issuer, "1h57kf5cpq17m0eml12EXAMPLE");
    let verified = verify(issuer.trusted().danger_claim_as_audience("/client_id"), &token).unwrap();
    assert_eq!(verified.audience(), Some("1h57kf5cpq17m0eml12EXAMPLE"));
    assert_eq!(verify(issuer.trusted(), &token).unwrap_err(), Code::ClaimMissing);
}

#[test]
fn the_client_may_be_any_configured_audience_and_no_other() {
    let issuer = issuer();
    let trusted = || issuer.trusted().audience("second").danger_claim_as_audience("/client_id");
    assert_eq!(verify(trusted(), &token(&issuer, "second")).unwrap().audience(), Some("second"));
    assert_eq!(verify(trusted(), &token(&issuer, "")).unwrap_err(), Code::ClaimMissing, "an empty client is none");
    for other in ["other", "Second", "second2", "secon", "second 1h57kf5cpq17m0eml12EXAMPLE"] {
        assert_eq!(verify(trusted(), &token(&issuer, other)).unwrap_err(), Code::AudienceMismatch, "{other}");
    }
}

#[test]
fn a_token_without_audience_and_client_is_refused() {
    let issuer = issuer();
    let neither = issuer.token().without("aud").without("client_id");
    assert_eq!(
        verify(issuer.trusted().danger_claim_as_audience("/client_id"), &neither).unwrap_err(),
        Code::ClaimMissing
    );
    let malformed = issuer.token().without("aud").claim("client_id", ["1h57kf5cpq17m0eml12EXAMPLE"]);
    assert_eq!(
        verify(issuer.trusted().danger_claim_as_audience("/client_id"), &malformed).unwrap_err(),
        Code::AudienceMismatch
    );
}

#[test]
fn a_present_audience_decides_whatever_the_client_is() {
    let issuer = issuer();
    let trusted = || issuer.trusted().danger_claim_as_audience("/client_id");
    let ours = token(&issuer, "other").audience("1h57kf5cpq17m0eml12EXAMPLE");
    assert!(verify(trusted(), &ours).is_ok());
    let of_our_client = || token(&issuer, "1h57kf5cpq17m0eml12EXAMPLE");
    for others in [&["https://bills.example.com"][..], &[""]] {
        let refused = verify(trusted(), &of_our_client().audiences(others));
        assert_eq!(refused.unwrap_err(), Code::AudienceMismatch, "{others:?}");
    }
    assert_eq!(verify(trusted(), &of_our_client().audience("")).unwrap_err(), Code::AudienceMismatch);
    assert_eq!(
        verify(trusted(), &of_our_client().claim("aud", serde_json::Value::Null)).unwrap_err(),
        Code::ClaimsMalformed
    );
}
