//! Tests which revocation a log-out makes of a token.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use portcullis_core::{
    UnixTime,
    revocation::{Level, Revocation, Rungs},
    verified::{Conventions, Facts},
};

const ISSUER: &str = "https://login.test";

fn facts(claims: &str) -> Facts {
    Facts::assertion(claims, Conventions::new(ISSUER)).unwrap()
}

#[test]
fn a_session_is_revoked_before_the_token() {
    let in_session = facts(r#"{"sid":"s","jti":"t","exp":1900000000}"#);
    assert_eq!(Revocation::logout(&in_session), Some(Revocation::session(ISSUER, "s")));
    let alone = facts(r#"{"jti":"t","exp":1900000000}"#);
    let expiry = UnixTime::from_secs(1_900_000_000);
    assert_eq!(Revocation::logout(&alone), Some(Revocation::token(ISSUER, "t", expiry)));
}

#[test]
fn a_token_that_cannot_be_named_is_not_logged_out() {
    assert!(Revocation::logout(&facts(r#"{"jti":"t","exp":1900000000}"#)).is_some());
    for nameless in [r#"{"exp":1900000000}"#, r#"{"sid":"","jti":"","exp":1900000000}"#, r#"{"jti":"t"}"#] {
        assert_eq!(Revocation::logout(&facts(nameless)), None, "{nameless}");
    }
}

#[test]
fn a_level_that_does_not_apply_is_not_used() {
    let of = |levels: &[Level]| {
        let facts = facts(r#"{"sid":"s","jti":"t","exp":1900000000}"#).with_rungs(Rungs::of(levels.iter().copied()));
        Revocation::logout(&facts).map(|revocation| revocation.level())
    };
    assert_eq!(of(&[Level::Session, Level::Token]), Some(Level::Session));
    assert_eq!(of(&[Level::Token]), Some(Level::Token));
    assert_eq!(of(&[Level::Subject]), None);
}
