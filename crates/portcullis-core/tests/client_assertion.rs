//! Tests the assertions with which clients authenticate (RFC 7523 section 3), and that no other tokens are accepted as such.

use portcullis_core::{
    Admission, Code, JwtAuthenticator,
    policy::Profile,
    token::{TokenHeader, UnverifiedToken},
};
use portcullis_test::{MockIssuer, TokenBuilder};

const TYPE: &str = "client-authentication+jwt";

fn accepting(profile: Profile, issuer: &MockIssuer) -> Admission {
    let authenticator = JwtAuthenticator::new(issuer.trusted().profile(profile));
    Admission::new(authenticator.unwrap_or_else(|error| unreachable!("{error}")))
}

fn outcome(admission: &Admission, token: &TokenBuilder) -> Result<(), Code> {
    let outcome = admission.verify(&token.sign()).ready();
    outcome.unwrap_or_else(|| Err(Code::KeysUnavailable.into())).map(drop).map_err(|error| error.code())
}

#[test]
fn an_assertion_is_accepted_with_and_without_its_type_and_nothing_else_is() {
    let issuer = MockIssuer::new();
    let server = accepting(Profile::ClientAssertion, &issuer);
    let assertion = || issuer.token().subject("worker");
    for token in [
        assertion().typ(TYPE),
        assertion().typ("application/Client-Authentication+JWT"),
        assertion().typ("JWT"),
        assertion().without_header("typ"),
        assertion().typ(TYPE).without("client_id").without("iat"),
    ] {
        assert_eq!(outcome(&server, &token), Ok(()));
    }
    for other in ["at+jwt", "logout+jwt", "dpop+jwt", "id+jwt", "client-authentication", ""] {
        assert_eq!(outcome(&server, &assertion().typ(other)), Err(Code::TypeNotAccepted), "{other}");
    }
    for claim in ["sub", "jti", "exp", "aud"] {
        assert_eq!(outcome(&server, &assertion().typ(TYPE).without(claim)), Err(Code::ClaimMissing), "{claim}");
    }
}

#[test]
fn an_assertion_is_no_access_token() {
    let issuer = MockIssuer::new();
    let assertion = issuer.token().subject("worker").typ(TYPE);
    for profile in [Profile::Jwt, Profile::AccessToken, Profile::LogoutToken] {
        assert_eq!(outcome(&accepting(profile, &issuer), &assertion), Err(Code::TypeNotAccepted), "{profile:?}");
    }
}

#[test]
fn a_header_says_its_type_in_one_form() {
    let issuer = MockIssuer::new();
    for (written, read) in [
        ("JWT", "jwt"),
        ("application/at+JWT", "at+jwt"),
        ("logout+jwt", "logout+jwt"),
        ("application/Client-Authentication+JWT", TYPE),
    ] {
        let token = issuer.token().typ(written).sign();
        let token = UnverifiedToken::parse(&token);
        let header = token.as_ref().map(UnverifiedToken::header);
        assert_eq!(header.ok().and_then(TokenHeader::type_name), Some(read));
    }
    let token = issuer.token().without_header("typ").sign();
    let token = UnverifiedToken::parse(&token);
    assert_eq!(token.as_ref().ok().and_then(|token| token.header().type_name()), None);
}
