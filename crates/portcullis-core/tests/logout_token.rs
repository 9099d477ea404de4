//! What a provider sends when somebody has logged out there (OpenID Connect Back-Channel Logout 1.0 section 2.4), and what must not be
//! taken for it.

use portcullis_core::{Code, JwtAuthenticator, Profile};
use portcullis_test::{MockIssuer, TokenBuilder};
use serde_json::{Value, json};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn logout(issuer: &MockIssuer) -> TokenBuilder {
    issuer.token().typ("logout+jwt").subject("alice").claim("sid", "s-1").claim("events", json!({ EVENT: {} }))
}

fn receiver(issuer: &MockIssuer) -> JwtAuthenticator {
    accepting(Profile::LogoutToken, issuer)
}

fn accepting(profile: Profile, issuer: &MockIssuer) -> JwtAuthenticator {
    JwtAuthenticator::new(issuer.trusted().profile(profile)).unwrap_or_else(|error| unreachable!("{error}"))
}

fn outcome(authenticator: &JwtAuthenticator, token: &TokenBuilder) -> Result<(), Code> {
    let outcome = authenticator.verify(&token.sign()).ready();
    outcome.unwrap_or_else(|| Err(Code::KeysUnavailable.into())).map(drop).map_err(|error| error.code())
}

#[test]
fn a_logout_token_is_taken_for_one_whether_its_type_is_written_or_not() {
    let issuer = MockIssuer::new();
    let receiver = receiver(&issuer);
    for token in [
        logout(&issuer),
        logout(&issuer).typ("application/LOGOUT+JWT"),
        logout(&issuer).typ("JWT"),
        logout(&issuer).without_header("typ"),
        logout(&issuer).without("sub"),
        logout(&issuer).without("sid"),
    ] {
        assert_eq!(outcome(&receiver, &token), Ok(()));
    }
}

#[test]
fn what_lacks_something_of_a_logout_token_is_none() {
    let issuer = MockIssuer::new();
    let receiver = receiver(&issuer);
    let missing = Err(Code::ClaimMissing);
    for claim in ["iat", "jti", "events", "exp", "aud"] {
        assert_eq!(outcome(&receiver, &logout(&issuer).without(claim)), missing, "{claim}");
    }
    assert_eq!(outcome(&receiver, &logout(&issuer).without("sub").without("sid")), missing);
    for events in [json!({}), json!([EVENT]), json!(EVENT), json!({ EVENT: true }), json!({ EVENT: Value::Null })] {
        assert_eq!(outcome(&receiver, &logout(&issuer).claim("events", &events)), missing, "{events}");
    }
    assert_eq!(outcome(&receiver, &logout(&issuer).claim("nonce", "n")), Err(Code::TypeNotAccepted));
}

#[test]
fn neither_is_taken_for_the_other() {
    let issuer = MockIssuer::new();
    for profile in [Profile::Jwt, Profile::AccessToken] {
        assert_eq!(outcome(&accepting(profile, &issuer), &logout(&issuer)), Err(Code::TypeNotAccepted), "{profile:?}");
    }
    let receiver = receiver(&issuer);
    assert_eq!(outcome(&receiver, &logout(&issuer).typ("at+jwt")), Err(Code::TypeNotAccepted));
    assert_eq!(outcome(&receiver, &logout(&issuer).typ("secevent+jwt")), Err(Code::TypeNotAccepted));
    assert_eq!(
        outcome(&receiver, &issuer.token().typ("JWT").subject("alice")),
        Err(Code::ClaimMissing),
        "an ID token, say"
    );
}
