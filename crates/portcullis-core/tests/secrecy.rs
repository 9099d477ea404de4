//! Tests that no output contains a secret or a token.

use portcullis_core::{
    Admission, Algorithm, JwtAuthenticator, KeyRing, KeySet, Secret, TrustedIssuer,
    authenticator::{Attempt, Credential},
    keys::VerifyingKey,
    token::UnverifiedToken,
};
use portcullis_test::{Defect, MockIssuer};

const SECRET: &str = "correct-horse-battery-staple-and-some-more";

#[test]
fn debug_shows_no_secrets() {
    let secret = Secret::new("one", Algorithm::Hs256, SECRET).unwrap();
    let ring = KeyRing::new(secret.clone()).unwrap();
    let trusted = TrustedIssuer::new("https://issuer.test", ring.clone()).audience("orders");
    let shown = [
        format!("{secret:?}"),
        format!("{:?}", VerifyingKey::from(secret.clone())),
        format!("{:?}", KeySet::from(secret)),
        format!("{ring:?}"),
        format!("{trusted:?}"),
        format!("{:?}", Admission::new(JwtAuthenticator::new(trusted).unwrap())),
    ];
    for text in shown {
        assert!(text.contains("one") && !text.contains("correct") && !text.contains("99, 111, 114"), "{text}");
    }
}

#[test]
fn an_error_about_a_secret_does_not_quote_it() {
    let error = Secret::new("one", Algorithm::Hs256, "hunter2").unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn tokens_and_their_claims_are_not_in_debug_or_errors() {
    let issuer = MockIssuer::new();
    let token = issuer.token().claim("salary", "4711-euro").sign();
    let Attempt::Done(Ok(verified)) = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap()).verify(&token)
    else {
        unreachable!("a good token")
    };
    let credential = Credential::bearer(&token);
    for shown in [
        format!("{verified:?}"),
        format!("{credential:?}"),
        format!("{:?}", UnverifiedToken::parse(&token).unwrap()),
        format!("{:?}", verified.claim("/salary").unwrap()),
    ] {
        assert!(!shown.contains("4711") && !token.split('.').any(|part| shown.contains(part)), "{shown}");
    }
}

#[test]
fn no_refusal_quotes_the_token() {
    let issuer = MockIssuer::new();
    let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap());
    for defect in Defect::ALL {
        let token = issuer.token().claim("salary", "4711-euro").defect(*defect).sign();
        let Attempt::Done(Err(error)) = admission.verify(&token) else { panic!("{defect} was accepted") };
        let shown = format!("{error} {error:?}");
        let parts = token.split('.').filter(|part| part.len() > 8);
        assert!(!shown.contains("4711") && !parts.into_iter().any(|part| shown.contains(part)), "{defect}: {shown}");
    }
}
