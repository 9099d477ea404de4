//! Every defect is refused with exactly its code, next to the twin that passes, for issuers of every algorithm.

#![expect(clippy::panic, reason = "helpers of tests may fail as tests do")]

mod support;

use std::collections::HashSet;

use portcullis_core::{
    Admission, Algorithm, Code, JwtAuthenticator,
    policy::{Leeway, Profile},
};
use portcullis_test::{Defect, FixedClock, MockIssuer};
use support::verify;

/// Checks them all, and lists all that are not as they should be.
fn check_all(issuer: &MockIssuer, admission: &Admission) {
    let good = issuer.token().subject("alice").scope("orders:read").role("admin");
    if let Err(code) = verify(admission, &good.sign()) {
        panic!("{}: a good token is refused: {code}", issuer.algorithm());
    }
    let mut wrong = Vec::new();
    for &defect in Defect::ALL {
        match verify(admission, &good.clone().defect(defect).sign()) {
            Err(code) if code == defect.expected() => {}
            outcome => wrong.push(format!("{defect}: expected {}, but {outcome:?}", defect.expected())),
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", issuer.algorithm(), wrong.join("\n"));
}

macro_rules! for_every_algorithm {
    ($($name:ident: $algorithm:ident,)+) => {
        const TESTED: &[Algorithm] = &[$(Algorithm::$algorithm),+];

        $(
            #[test]
            fn $name() {
                let issuer = MockIssuer::with_algorithm(Algorithm::$algorithm);
                check_all(&issuer, &issuer.admission());
            }
        )+
    };
}

for_every_algorithm! {
    hs256: Hs256,
    hs384: Hs384,
    hs512: Hs512,
    rs256: Rs256,
    rs384: Rs384,
    rs512: Rs512,
    ps256: Ps256,
    ps384: Ps384,
    ps512: Ps512,
    es256: Es256,
    es384: Es384,
    ed_dsa: EdDsa,
    ed25519: Ed25519,
}

#[test]
fn no_algorithm_is_left_out() {
    assert_eq!(TESTED, Algorithm::ALL);
}

#[test]
fn the_widest_leeway_forgives_no_defect() {
    let issuer = MockIssuer::new();
    check_all(&issuer, &Admission::new(JwtAuthenticator::new(issuer.trusted().leeway(Leeway::MAX)).unwrap()));
}

#[test]
fn the_profile_for_access_tokens_accepts_the_twin_and_no_defect() {
    let issuer = MockIssuer::new();
    check_all(&issuer, &Admission::new(JwtAuthenticator::new(issuer.trusted().profile(Profile::AccessToken)).unwrap()));
}

#[test]
fn an_issuer_with_several_keys_another_name_and_a_fixed_clock_changes_nothing() {
    let clock = FixedClock::default();
    let issuer = MockIssuer::new().named("https://login.test/realms/one/").audience("orders").clock(clock);
    issuer.rotate();
    issuer.add_key(Algorithm::Rs256);
    check_all(&issuer, &issuer.admission());
}

#[test]
fn a_given_secret_changes_nothing() {
    let issuer = MockIssuer::with_secret("2026-11", Algorithm::Hs256, "a secret of at least 32 bytes, ok");
    check_all(&issuer, &issuer.admission());
}

#[test]
fn a_defect_is_a_defect_whatever_else_the_token_says() {
    let issuer = MockIssuer::new();
    let admission = issuer.admission();
    for &defect in Defect::ALL {
        let bare = issuer.token().without("sub").without("iat").without("jti").without("client_id");
        let bare = bare.without_header("typ").claim("a", [1]);
        assert!(verify(&admission, &bare.sign()).is_ok());
        let refused = verify(&admission, &bare.defect(defect).sign());
        assert_eq!(refused.err(), Some(defect.expected()), "{defect}");
    }
}

#[test]
fn names_are_unique_and_snake_case_and_descriptions_are_sentences() {
    let names: HashSet<_> = Defect::ALL.iter().map(|defect| defect.name()).collect();
    assert_eq!(names.len(), Defect::ALL.len());
    assert!(names.len() >= 40);
    for defect in Defect::ALL {
        let is_snake_case = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        assert!(defect.name().bytes().all(is_snake_case), "{defect}");
        let description = defect.description();
        assert!(description.ends_with(['.', ')']) && !description.starts_with(' '), "{defect}: {description}");
    }
}

#[test]
fn a_defect_changes_the_token_and_no_two_do_the_same() {
    let issuer = MockIssuer::with_algorithm(Algorithm::EdDsa).clock(FixedClock::default());
    let token = issuer.token();
    let mut seen = HashSet::from([token.sign()]);
    for &defect in Defect::ALL {
        assert!(seen.insert(token.clone().defect(defect).sign()), "{defect}");
    }
}

/// RFC 6750 section 2.1: `b64token`.
fn is_credential(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[test]
fn every_defect_can_be_sent_and_it_is_known_which_are_no_credential() {
    // One for every length of a signature, modulo three, and every kind of key.
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Rs256, Algorithm::Es256, Algorithm::EdDsa] {
        let issuer = MockIssuer::with_algorithm(algorithm);
        for &defect in Defect::ALL {
            let token = issuer.token().defect(defect).sign();
            // RFC 9110 section 5.5: what a field value may hold, and what no server trims.
            assert!(token.bytes().all(|b| (b' '..=b'~').contains(&b)), "{algorithm} {defect}");
            assert_eq!(token.trim(), token, "{algorithm} {defect}");
            let expected = if is_credential(&token) { defect.expected() } else { Code::CredentialMalformed };
            assert_eq!(defect.expected_over_http(), expected, "{algorithm} {defect}");
        }
    }
}
