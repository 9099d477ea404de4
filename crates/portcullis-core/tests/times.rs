//! Tests expiry, not-before, issued-at, age and lifetime: each boundary, and one second before and after it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use portcullis_core::{
    Admission, Code, JwtAuthenticator, TrustedIssuer, UnixTime, authenticator::Attempt, policy::Leeway,
};
use portcullis_test::{FixedClock, MockIssuer, TokenBuilder};

const NOW: u64 = 1_900_000_000;

fn issuer() -> MockIssuer {
    MockIssuer::new().clock(FixedClock::at(UnixTime::from_secs(NOW)))
}

fn judge(trusted: TrustedIssuer, token: &TokenBuilder) -> Result<(), Code> {
    let admission =
        Admission::new(JwtAuthenticator::new(trusted).unwrap()).clock(FixedClock::at(UnixTime::from_secs(NOW)));
    match admission.verify(&token.sign()) {
        Attempt::Done(outcome) => outcome.map(drop).map_err(|error| error.code()),
        _ => unreachable!("the keys are at hand"),
    }
}

fn at(offset: i64) -> UnixTime {
    UnixTime::from_secs(NOW.checked_add_signed(offset).unwrap())
}

#[test]
fn a_token_expires_at_the_second_of_exp_plus_leeway() {
    let issuer = issuer();
    for (leeway, offset, outcome) in [
        (0, 1, Ok(())),
        (0, 0, Err(Code::TokenExpired)),
        (30, -29, Ok(())),
        (30, -30, Err(Code::TokenExpired)),
        (300, -299, Ok(())),
        (300, -300, Err(Code::TokenExpired)),
    ] {
        let trusted = issuer.trusted().leeway(Leeway::from_secs(leeway).unwrap());
        assert_eq!(judge(trusted, &issuer.token().expires_at(at(offset))), outcome, "{leeway} {offset}");
    }
}

#[test]
fn the_default_leeway_is_30_seconds() {
    let issuer = issuer();
    assert_eq!(judge(issuer.trusted(), &issuer.token().expires_at(at(-29))), Ok(()));
    assert_eq!(judge(issuer.trusted(), &issuer.token().expires_at(at(-30))), Err(Code::TokenExpired));
}

#[test]
fn not_before_and_issued_at_may_lie_ahead_by_the_leeway() {
    let issuer = issuer();
    for (leeway, offset, ahead) in [(0, 0, false), (0, 1, true), (30, 30, false), (30, 31, true)] {
        let trusted = || issuer.trusted().leeway(Leeway::from_secs(leeway).unwrap());
        let expected = |code| if ahead { Err(code) } else { Ok(()) };
        let not_before = issuer.token().not_before(at(offset));
        assert_eq!(judge(trusted(), &not_before), expected(Code::TokenNotYetValid), "{leeway} {offset}");
        let issued_at = issuer.token().issued_at(at(offset));
        assert_eq!(judge(trusted(), &issued_at), expected(Code::TokenIssuedInFuture), "{leeway} {offset}");
    }
}

#[test]
fn a_maximum_age_counts_from_issued_at_and_requires_it() {
    let issuer = issuer();
    let limited = || issuer.trusted().leeway(Leeway::NONE).max_age(Duration::from_secs(60));
    let old = |age: i64| issuer.token().issued_at(at(-age));
    assert_eq!(judge(limited(), &old(60)), Ok(()));
    assert_eq!(judge(limited(), &old(61)), Err(Code::TokenTooOld));
    assert_eq!(judge(limited(), &issuer.token().without("iat")), Err(Code::ClaimMissing));
    assert_eq!(judge(issuer.trusted(), &old(61)), Ok(()));
    assert_eq!(judge(issuer.trusted().max_age(Duration::from_secs(60)), &old(90)), Ok(()), "leeway counts");
    assert_eq!(judge(issuer.trusted(), &issuer.token().without("iat")), Ok(()));
}

#[test]
fn a_maximum_lifetime_counts_from_issuance_to_expiry() {
    let issuer = issuer();
    let limited = || issuer.trusted().max_lifetime(Duration::from_secs(600));
    let living = |secs: i64| issuer.token().issued_at(at(0)).expires_at(at(secs));
    assert_eq!(judge(limited(), &living(600)), Ok(()));
    assert_eq!(judge(limited(), &living(601)), Err(Code::TokenLifetimeTooLong));
    assert_eq!(judge(limited(), &living(600).without("iat")), Err(Code::ClaimMissing));
    assert_eq!(judge(issuer.trusted(), &living(601)), Ok(()));
}

#[test]
fn a_token_is_valid_from_its_not_before_until_its_expiry() {
    let clock = FixedClock::at(UnixTime::from_secs(NOW));
    let issuer = MockIssuer::new().clock(clock.clone());
    let admission =
        Admission::new(JwtAuthenticator::new(issuer.trusted().leeway(Leeway::NONE)).unwrap()).clock(clock.clone());
    let token = issuer.token().not_before(at(10)).expires_at(at(20)).sign();
    let verdict = || match admission.verify(&token) {
        Attempt::Done(outcome) => outcome.map(drop).map_err(|error| error.code()),
        _ => unreachable!("the keys are at hand"),
    };
    assert_eq!(verdict(), Err(Code::TokenNotYetValid));
    clock.advance(Duration::from_secs(10));
    assert_eq!(verdict(), Ok(()));
    clock.advance(Duration::from_secs(10));
    assert_eq!(verdict(), Err(Code::TokenExpired));
}

#[test]
fn a_leeway_of_more_than_five_minutes_is_refused() {
    assert!(Leeway::from_secs(300).is_ok());
    assert!(Leeway::from_secs(301).unwrap_err().to_string().contains("301 s"));
}

#[test]
fn a_fraction_of_a_second_counts_for_not_before_and_not_for_expiry() {
    let issuer = issuer();
    let trusted = || issuer.trusted().leeway(Leeway::NONE);
    let half = |offset: f64| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let now = NOW as f64;
        now + offset
    };
    assert_eq!(judge(trusted(), &issuer.token().claim("nbf", half(-0.5))), Ok(()));
    assert_eq!(judge(trusted(), &issuer.token().claim("nbf", half(0.5))), Err(Code::TokenNotYetValid));
    assert_eq!(judge(trusted(), &issuer.token().claim("exp", half(1.5))), Ok(()));
    assert_eq!(judge(trusted(), &issuer.token().claim("exp", half(0.5))), Err(Code::TokenExpired));
    for beyond in [1e300, -0.5, 253_402_300_800.5] {
        assert_eq!(judge(trusted(), &issuer.token().claim("exp", beyond)), Err(Code::ClaimsMalformed), "{beyond}");
    }
}
