use super::*;
use crate::key::testing::{self, Pair};

const MESSAGE: &[u8] = b"eyJhbGciOiJub3QgbG9va2VkIGF0In0.e30";

fn key_of(pair: &Pair) -> VerifyingKey {
    VerifyingKey::from_jwk(&pair.jwk(r#""kid":"a""#)).unwrap()
}

#[test]
fn a_key_accepts_its_own_signatures_under_every_algorithm_of_its_kind() {
    for pair in [testing::rsa(), &testing::p256(), &testing::p384(), &testing::ed25519()] {
        let key = key_of(pair);
        for algorithm in key.algorithms().iter() {
            let signature = pair.sign(algorithm, MESSAGE);
            assert!(key.check_signature(algorithm, MESSAGE, &signature), "{algorithm}");
            assert!(!key.check_signature(algorithm, b"another message", &signature), "{algorithm}");
            assert!(!key.check_signature(algorithm, MESSAGE, &signature[1..]), "{algorithm}");
            assert!(!key.check_signature(algorithm, MESSAGE, b""), "{algorithm}");
        }
    }
}

#[test]
fn a_key_refuses_the_signature_of_another() {
    for (pair, other, algorithm) in [
        (testing::p256(), testing::p256(), Algorithm::Es256),
        (testing::p384(), testing::p384(), Algorithm::Es384),
        (testing::ed25519(), testing::ed25519(), Algorithm::EdDsa),
    ] {
        let signature = other.sign(algorithm, MESSAGE);
        assert!(key_of(&other).check_signature(algorithm, MESSAGE, &signature));
        assert!(!key_of(&pair).check_signature(algorithm, MESSAGE, &signature));
    }
}

#[test]
fn a_signature_counts_only_under_its_own_algorithm() {
    let key = key_of(testing::rsa());
    let signature = testing::rsa().sign(Algorithm::Rs256, MESSAGE);
    for &algorithm in Algorithm::ALL {
        let right = key.check_signature(algorithm, MESSAGE, &signature);
        assert_eq!(right, algorithm == Algorithm::Rs256, "{algorithm}");
    }
}

#[test]
fn a_public_key_is_never_a_secret() {
    // The classic confusion: HMAC with the text of the public key, which is public.
    for pair in [testing::rsa(), &testing::p256(), &testing::ed25519()] {
        let public = testing::pem("PUBLIC KEY", &pair.spki());
        let key = VerifyingKey::from_pem(&public).unwrap();
        let forged = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, public.as_bytes());
        let tag = aws_lc_rs::hmac::sign(&forged, MESSAGE);
        assert!(!key.check_signature(Algorithm::Hs256, MESSAGE, tag.as_ref()));
        assert!(!key.is_secret());
    }
}

#[test]
fn algorithms_can_be_narrowed_and_never_widened() {
    let key = key_of(testing::rsa());
    let narrow = key.clone().with_algorithms(AlgorithmSet::of(&[Algorithm::Ps256, Algorithm::Es256])).unwrap();
    assert_eq!(narrow.algorithms(), Algorithm::Ps256.into());

    let signature = testing::rsa().sign(Algorithm::Rs256, MESSAGE);
    assert!(key.check_signature(Algorithm::Rs256, MESSAGE, &signature));
    assert!(!narrow.check_signature(Algorithm::Rs256, MESSAGE, &signature));

    assert_eq!(narrow.with_algorithms(Algorithm::Rs256).unwrap_err().kind(), KeyErrorKind::Mismatch);
    assert_eq!(key.with_algorithms(AlgorithmSet::EMPTY).unwrap_err().kind(), KeyErrorKind::Mismatch);
}

#[test]
fn a_public_key_is_the_same_in_any_form() {
    for pair in [testing::rsa(), &testing::p256(), &testing::p384(), &testing::ed25519()] {
        let key = key_of(pair);
        let otherwise =
            VerifyingKey::from_pem(&testing::pem("PUBLIC KEY", &pair.spki())).unwrap().with_id("b").unwrap();
        assert!(key.is_same_public_key(&otherwise), "{key:?}");
        assert!(!key.is_same_public_key(&key_of(&testing::ed25519())), "{key:?}");
    }
    let secret = VerifyingKey::from(Secret::new("s", Algorithm::Hs256, [0x41; 32]).unwrap());
    assert!(!secret.is_same_public_key(&secret.clone()));
}

#[test]
fn an_id_has_1_to_512_bytes() {
    let key = key_of(&testing::ed25519());
    assert_eq!(key.id(), Some("a"));
    for good in ["b".to_owned(), "é".repeat(256)] {
        let named = key.clone().with_id(good.clone()).unwrap();
        assert_eq!(named.id_shared().as_deref(), Some(&*good));
    }
    for bad in [String::new(), "x".repeat(513), "é".repeat(257)] {
        assert_eq!(key.clone().with_id(bad).unwrap_err().kind(), KeyErrorKind::BadId);
    }
}

#[test]
fn debug_shows_the_id_kind_and_algorithms_only() {
    let secret = Secret::new("s", Algorithm::Hs256, [0x41; 32]).unwrap();
    let shown = format!("{secret:?} {:?}", VerifyingKey::from(secret.clone()));
    assert_eq!(
        shown,
        r#"Secret { id: "s", algorithm: Hs256, bytes: REDACTED } "#.to_owned()
            + r#"VerifyingKey { id: Some("s"), kind: Secret, algorithms: {Hs256}, .. }"#
    );
}

#[test]
fn keys_go_to_other_threads() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    fn assert_sent<T: Send>() {}

    assert_shared::<VerifyingKey>();
    assert_shared::<Secret>();
    assert_shared::<crate::KeySet>();
    assert_shared::<crate::keys::KeyMatch>();
    assert_shared::<crate::KeyRing>();
    assert_shared::<KeyError>();
    assert_shared::<crate::keys::KeySetError>();
    assert_shared::<crate::keys::KeySourceError>();
    assert_sent::<crate::keys::Resolved>();
}
