//! Tests logout tokens, which a provider sends when a user has logged out (OpenID Connect Back-Channel Logout 1.0 section 2.4), and
//! that no other tokens are accepted as such.

use std::time::Duration;

use portcullis_core::{Admission, Code, JwtAuthenticator, TrustedIssuer, policy::Profile};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};
use serde_json::{Value, json};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn logout(issuer: &MockIssuer) -> TokenBuilder {
    issuer.token().typ("logout+jwt").subject("alice").claim("sid", "s-1").claim("events", json!({ EVENT: {} }))
}

fn receiver(issuer: &MockIssuer) -> Admission {
    accepting(Profile::LogoutToken, issuer)
}

fn accepting(profile: Profile, issuer: &MockIssuer) -> Admission {
    trusting(issuer.trusted().profile(profile))
}

fn trusting(trusted: TrustedIssuer) -> Admission {
    Admission::new(JwtAuthenticator::new(trusted).unwrap_or_else(|error| unreachable!("{error}")))
}

fn outcome(admission: &Admission, token: &TokenBuilder) -> Result<(), Code> {
    let outcome = admission.verify(&token.sign()).ready();
    outcome.unwrap_or_else(|| Err(Code::KeysUnavailable.into())).map(drop).map_err(|error| error.code())
}

#[test]
fn a_logout_token_is_accepted_with_and_without_its_type() {
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
fn a_logout_token_without_a_required_part_is_refused() {
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
fn logout_tokens_and_access_tokens_are_not_accepted_for_each_other() {
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

#[test]
fn row_t7_what_tells_access_tokens_apart_is_not_asked_of_a_logout_token() {
    let issuer = MockIssuer::new();
    let trusted = || issuer.trusted().access_token_claim("/azp").access_token_claim_value("/typ", "Bearer");
    let receiver = trusting(trusted().profile(Profile::LogoutToken));
    assert_eq!(outcome(&receiver, &logout(&issuer)), Ok(()));

    let service = trusting(trusted());
    let access = issuer.token().claim("azp", "web").claim("typ", "Bearer");
    assert_eq!(outcome(&service, &access), Ok(()));
    for other in [access.clone().without("azp"), access.clone().claim("typ", "ID"), access.without("typ")] {
        assert_eq!(outcome(&service, &other), Err(Code::ClaimMissing));
    }
}

#[test]
fn row_t7_what_is_required_of_every_token_is_required_of_a_logout_token() {
    let issuer = MockIssuer::new();
    let receiver = trusting(issuer.trusted().require_claim("/tenant").profile(Profile::LogoutToken));
    assert_eq!(outcome(&receiver, &logout(&issuer)), Err(Code::ClaimMissing));
    assert_eq!(outcome(&receiver, &logout(&issuer).claim("tenant", "acme")), Ok(()));
}

#[test]
fn row_f28_a_logout_token_without_exp_is_accepted_for_a_while_where_that_is_asked_for() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().clock(clock.clone());
    let token = logout(&issuer).without("exp");
    let receiver = |max_age| {
        let trusted = issuer.trusted().profile(Profile::LogoutToken);
        let trusted = match max_age {
            Some(secs) => trusted.danger_logout_tokens_without_expiry(Duration::from_secs(secs)),
            None => trusted,
        };
        trusting(trusted).clock(clock.clone())
    };
    assert_eq!(outcome(&receiver(None), &token), Err(Code::ClaimMissing), "not asked for");
    let receiver = receiver(Some(120));
    assert_eq!(outcome(&receiver, &token), Ok(()));
    assert_eq!(outcome(&receiver, &token.clone().without("iat")), Err(Code::ClaimMissing));
    let (with_expiry, short) = (logout(&issuer), logout(&issuer).expires_in(Duration::from_secs(60)));
    clock.advance(Duration::from_secs(120 + 29)); // at the end of the leeway
    assert_eq!(outcome(&receiver, &token), Ok(()));
    clock.advance(Duration::from_secs(1));
    assert_eq!(outcome(&receiver, &token), Err(Code::TokenExpired));
    assert_eq!(outcome(&receiver, &with_expiry), Ok(()), "`exp` decides where it is there");
    assert_eq!(outcome(&receiver, &short), Err(Code::TokenExpired));
}

#[test]
fn row_f28_an_access_token_needs_exp_all_the_same() {
    let issuer = MockIssuer::new();
    for profile in [Profile::Jwt, Profile::AccessToken] {
        let trusted = issuer.trusted().danger_logout_tokens_without_expiry(Duration::from_secs(120)).profile(profile);
        let service = trusting(trusted);
        assert_eq!(outcome(&service, &issuer.token().without("exp")), Err(Code::ClaimMissing), "{profile:?}");
        assert_eq!(outcome(&service, &issuer.token()), Ok(()), "{profile:?}");
    }
}

#[test]
fn row_t7_a_log_out_token_without_a_type_of_its_own_is_no_access_token() {
    let issuer = MockIssuer::new();
    for profile in [Profile::Jwt, Profile::AccessToken] {
        let service = accepting(profile, &issuer);
        let typ = if profile == Profile::Jwt { "JWT" } else { "at+jwt" };
        let token = || logout(&issuer).claim("client_id", "app").typ(typ);
        assert_eq!(outcome(&service, &token()), Err(Code::TypeNotAccepted), "{profile:?}");
        for events in [
            json!({ EVENT: {} }),
            json!({ "https://schemas.openid.net/secevent/risc/event-type/account-disabled": {}, "other": 1 }),
            json!({ "urn:example:event": {} }),
        ] {
            assert_eq!(outcome(&service, &token().claim("events", &events)), Err(Code::TypeNotAccepted), "{events}");
        }
        // A custom claim that happens to have the same name.
        for events in [json!(["concert"]), json!("concert"), json!({ "concert": {} }), json!({}), json!(7), Value::Null]
        {
            assert_eq!(outcome(&service, &token().claim("events", &events)), Ok(()), "{events}");
        }
        assert_eq!(outcome(&service, &token().without("events")), Ok(()), "{profile:?}");
    }
    let untyped = logout(&issuer).without_header("typ");
    assert_eq!(outcome(&accepting(Profile::Jwt, &issuer), &untyped), Err(Code::TypeNotAccepted));
}
