//! Tests the default limits of this crate, each at its last allowed value and one beyond. `forms.rs`, `revocation_api.rs` and
//! `back_channel_logout.rs` test those of `FormBodyLayer`, `RevocationApi` and `BackChannelLogout`.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::Response;
use portcullis::{
    Admission, Algorithm, AuthError, Code, JwtAuthenticator, KeyFile, TrustedIssuer,
    clock::UnixTime,
    keys::{KeyHint, KeySource, MAX_KEYS_TRIED, Resolved},
    policy::Leeway,
    rejection::{BearerChallenge, MakeRejection},
    revocation::{ViewState, ViewWriter},
    token::UnverifiedToken,
};
use portcullis_test::{FixedClock, MockIssuer, MockKeys};

#[test]
fn the_default_retry_after_is_5_seconds() {
    let response: Response<String> = BearerChallenge::new().make_rejection(&AuthError::new(Code::KeysUnavailable));
    assert_eq!(response.headers()["retry-after"], "5");
}

#[test]
fn a_key_file_has_at_most_a_mebibyte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.pem");
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    let padded = |length: usize| format!("{pem}{}", "\n".repeat(length - pem.len()));
    fs::write(&path, padded(1024 * 1024)).unwrap();
    assert!(KeyFile::open(&path).is_ok());
    fs::write(&path, padded(1024 * 1024 + 1)).unwrap();
    let error = KeyFile::open(&path).unwrap_err().to_string();
    assert!(error.contains("1 MiB"), "{error}");
}

#[test]
fn leeway_is_30_seconds_and_at_most_300() {
    assert_eq!(Leeway::default().as_duration(), Duration::from_secs(30));
    assert!(Leeway::from_secs(300).is_ok() && Leeway::from_secs(301).is_err());
}

#[test]
fn a_token_has_at_most_16_kibibytes() {
    let issuer = MockIssuer::new();
    let code = |length: usize| {
        let padding = |count: usize| issuer.token().claim("padding", "x".repeat(count)).sign();
        // Three more characters make four more characters of base64url.
        let count = (length - padding(0).len()) * 3 / 4;
        let token = (count.saturating_sub(8)..count + 8).map(padding).find(|token| token.len() == length);
        Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap())
            .verify(&token?)
            .ready()?
            .err()
            .map(|error| error.code())
    };
    let lengths: Vec<_> = (16 * 1024 - 3..=16 * 1024 + 4).map(code).collect();
    assert!(!lengths[..4].contains(&Some(Code::TokenTooLong)), "{lengths:?}");
    assert!(lengths[4..].contains(&Some(Code::TokenTooLong)), "{lengths:?}");
    let text = "x".repeat(16 * 1024 + 1);
    assert_eq!(UnverifiedToken::parse(&text).unwrap_err().code(), Code::TokenTooLong);
    assert_ne!(UnverifiedToken::parse(&text[1..]).unwrap_err().code(), Code::TokenTooLong);
}

#[test]
fn four_keys_are_tried_for_a_token_that_names_none() {
    assert_eq!(MAX_KEYS_TRIED, 4);
    for (count, expected) in [(4, None), (5, Some(Code::KeyAmbiguous))] {
        let issuer = MockIssuer::new();
        for _ in 1..count {
            issuer.add_key(Algorithm::Es256);
        }
        let admission = Admission::new(JwtAuthenticator::new(issuer.trusted()).unwrap());
        let outcome = admission.verify(&issuer.token().without_header("kid").sign()).ready().unwrap();
        assert_eq!(outcome.err().map(|error| error.code()), expected, "{count}");
    }
}

#[test]
fn a_view_is_fresh_for_5_seconds() {
    let clock = FixedClock::default();
    let writer = ViewWriter::builder(Duration::from_secs(86_400)).clock(clock.clone()).build();
    writer.confirm(writer.ask());
    clock.advance(Duration::from_secs(4));
    assert_eq!(writer.view().state(), ViewState::Fresh);
    clock.advance(Duration::from_secs(1));
    assert_eq!(writer.view().state(), ViewState::Stale { age: Duration::from_secs(5) });
}

/// A key source that counts its look-ups: one for each token that is verified in full.
#[derive(Clone, Debug)]
struct Counting {
    keys: MockKeys,
    asked: Arc<AtomicUsize>,
}

impl KeySource for Counting {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.keys.resolve(hint, now)
    }

    fn edition(&self, now: UnixTime) -> Option<u64> {
        self.keys.edition(now)
    }
}

#[test]
fn about_10_000_tokens_are_cached() {
    let secret = b"a secret of at least 32 bytes, ok";
    let issuer = MockIssuer::with_secret("k", Algorithm::Hs256, secret);
    let asked = Arc::new(AtomicUsize::new(0));
    let keys = Counting { keys: issuer.keys(), asked: Arc::clone(&asked) };
    let trusted = TrustedIssuer::new(issuer.name(), keys).audience(MockIssuer::DEFAULT_AUDIENCE);
    let admission = Admission::new(JwtAuthenticator::new(trusted).unwrap());
    let tokens: Vec<_> = (0..16_000).map(|n| issuer.token().subject(&format!("user-{n}")).sign()).collect();
    let verified_in_full = |tokens: &[String]| {
        asked.store(0, Ordering::Relaxed);
        for token in tokens {
            assert!(admission.verify(token).ready().unwrap().is_ok());
        }
        asked.load(Ordering::Relaxed)
    };
    assert_eq!(verified_in_full(&tokens[..9_000]), 9_000);
    assert!(verified_in_full(&tokens[..9_000]) <= 450, "nearly all of 9 000 are remembered");
    verified_in_full(&tokens);
    let forgotten = verified_in_full(&tokens);
    assert!(forgotten >= 4_000, "not all of 16 000 are: {forgotten}");
}
