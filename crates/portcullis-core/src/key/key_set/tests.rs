use super::*;
use crate::{
    Algorithm,
    key::testing::{self, Pair, base64url},
    keys::KeyErrorKind,
};

const NOW: UnixTime = UnixTime::from_secs(1_795_323_002);

fn named(pair: &Pair, id: &str) -> VerifyingKey {
    VerifyingKey::from_jwk(&pair.jwk("")).unwrap().with_id(id).unwrap()
}

/// Returns the ids found, or the other answer in Debug form.
fn found(keys: &KeySet, algorithm: Algorithm, id: Option<&str>) -> String {
    match keys.resolve(KeyHint::new(algorithm, id), NOW) {
        Resolved::Keys(keys) => keys.iter().map(|key| key.id().unwrap_or("-")).collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

fn set(keys: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn oct(id: &str, algorithm: &str, len: usize) -> String {
    format!(r#"{{"kty":"oct","kid":"{id}","alg":"{algorithm}","k":"{}"}}"#, base64url(vec![7; len]))
}

#[test]
fn a_key_id_meets_only_keys_of_exactly_that_id() {
    let keys = KeySet::new([
        named(&testing::p256(), "b"),
        named(&testing::p256(), "a"),
        VerifyingKey::from_jwk(&testing::p256().jwk("")).unwrap(),
    ]);
    assert_eq!(found(&keys, Algorithm::Es256, Some("a")), "a");
    assert_eq!(found(&keys, Algorithm::Es256, Some("b")), "b");
    for id in ["A", "a ", "a\0", "", "c", "aa", "0", &"x".repeat(100_000)] {
        assert_eq!(found(&keys, Algorithm::Es256, Some(id)), "Unknown", "{id:.20}");
    }
}

#[test]
fn a_key_of_another_kind_falls_back_to_nothing() {
    let keys = KeySet::new([named(&testing::p256(), "ec"), named(&testing::ed25519(), "ed")]);
    assert_eq!(found(&keys, Algorithm::EdDsa, Some("ed")), "ed");
    assert_eq!(found(&keys, Algorithm::EdDsa, Some("ec")), "Unknown");
    assert_eq!(found(&keys, Algorithm::Hs256, Some("ec")), "Unknown");
}

#[test]
fn keys_that_share_an_id_are_told_apart_by_algorithm() {
    let keys = KeySet::new([
        named(&testing::p256(), "shared"),
        named(&testing::ed25519(), "shared"),
        named(&testing::p256(), "shared"),
        named(&testing::p256(), "other"),
    ]);
    assert_eq!(found(&keys, Algorithm::EdDsa, Some("shared")), "shared");
    assert_eq!(found(&keys, Algorithm::Es256, Some("shared")), "shared shared");
}

#[test]
fn without_a_key_id_up_to_four_keys_are_tried() {
    let key = named(&testing::p256(), "k");
    let four = vec![key.clone(); 4];
    let five = vec![key; 5];
    assert_eq!(found(&KeySet::new(four.clone()), Algorithm::Es256, None), "k k k k");
    assert_eq!(found(&KeySet::new(five.clone()), Algorithm::Es256, None), "Ambiguous");
    assert_eq!(found(&KeySet::new(five), Algorithm::Es256, Some("k")), "Ambiguous");

    let mixed = four.into_iter().chain([named(&testing::ed25519(), "ed")]);
    let mixed: KeySet = mixed.collect();
    assert_eq!(found(&mixed, Algorithm::Es256, None), "k k k k");
    assert_eq!(found(&mixed, Algorithm::Ed25519, None), "ed");
    assert_eq!(found(&mixed, Algorithm::Rs256, None), "Unknown");
    assert_eq!(found(&KeySet::new(Vec::<VerifyingKey>::new()), Algorithm::Es256, None), "Unknown");
}

#[test]
fn secrets_meet_hmac_only() {
    let secret = crate::Secret::new("s", Algorithm::Hs256, [1; 32]).unwrap();
    let keys = KeySet::new([secret.into(), named(&testing::p256(), "p")]);
    assert_eq!(found(&keys, Algorithm::Hs256, None), "s");
    assert_eq!(found(&keys, Algorithm::Hs512, Some("s")), "Unknown");
    assert_eq!(found(&keys, Algorithm::Es256, Some("s")), "Unknown");
    assert_eq!(found(&keys, Algorithm::Hs256, Some("p")), "Unknown");
}

#[test]
fn a_set_from_elsewhere_loses_its_odd_keys_only() {
    let text = set(&[
        testing::p256().jwk(r#""kid":"good","x-vendor":{"n":1}"#),
        r#"{"kty":"XYZ","kid":"odd"}"#.to_owned(),
        testing::p256().jwk(r#""kid":"private","d":"AQAB""#),
        oct("secret", "HS256", 32),
        "7".to_owned(),
        r#"["EC"]"#.to_owned(),
        testing::p256().jwk(r#""kid":5"#),
        testing::ed25519().jwk(r#""kid":"good2""#),
    ]);
    let (keys, skipped) = KeySet::from_jwks(&text).unwrap();
    assert_eq!(keys.iter().map(|key| key.id().unwrap()).collect::<Vec<_>>(), ["good", "good2"]);
    let skipped: Vec<_> = skipped.iter().map(|key| (key.index(), key.id(), key.reason().kind())).collect();
    assert_eq!(
        skipped,
        [
            (1, Some("odd"), KeyErrorKind::Unsupported),
            (2, Some("private"), KeyErrorKind::PrivateKey),
            (3, Some("secret"), KeyErrorKind::Secret),
            (4, None, KeyErrorKind::Malformed),
            (5, None, KeyErrorKind::Malformed),
            (6, None, KeyErrorKind::Malformed),
        ]
    );
}

#[test]
fn what_is_no_set_is_refused_as_a_whole() {
    let jwk = testing::p256().jwk("");
    for text in [
        String::new(),
        "[]".to_owned(),
        "{}".to_owned(),
        jwk.clone(),
        format!("[{jwk}]"),
        r#"{"keys":{}}"#.to_owned(),
        r#"{"keys":null}"#.to_owned(),
        r#"{"keys":[],"keys":[]}"#.to_owned(),
        format!("{}x", set(&[jwk])),
    ] {
        for read in [|text: &str| KeySet::from_jwks(text).map(|(keys, _)| keys), KeySet::from_jwks_strict] {
            assert_eq!(read(&text).unwrap_err().kind(), KeySetErrorKind::NotAKeySet, "{text}");
        }
    }
    assert!(KeySet::from_jwks(r#"{"keys":[],"x":1}"#).unwrap().0.is_empty());
}

#[test]
fn a_set_has_at_most_100_keys_and_512_kib() {
    let pair = testing::ed25519();
    let many = |count: usize| set(&(0..count).map(|n| pair.jwk(&format!(r#""kid":"{n}""#))).collect::<Vec<_>>());
    assert_eq!(KeySet::from_jwks_strict(&many(100)).unwrap().len(), 100);
    assert_eq!(KeySet::from_jwks(&many(101)).unwrap_err().kind(), KeySetErrorKind::TooLarge);

    let padded = |len: usize| many(1) + &" ".repeat(len - many(1).len());
    assert!(KeySet::from_jwks(&padded(512 * 1024)).is_ok());
    assert_eq!(KeySet::from_jwks(&padded(512 * 1024 + 1)).unwrap_err().kind(), KeySetErrorKind::TooLarge);
}

#[test]
fn a_strict_set_lists_all_problems_at_once() {
    let pair = testing::p256();
    let text = set(&[
        pair.jwk(r#""kid":"a""#),
        pair.jwk(r#""kid":"a""#),
        testing::ed25519().jwk(r#""kid":"a""#),
        oct("s", "HS256", 32),
        pair.jwk(r#""kid":"e\nvil","use":"enc""#),
    ]);
    let error = KeySet::from_jwks_strict(&text).unwrap_err();
    assert_eq!(error.kind(), KeySetErrorKind::BadKeys);
    let kinds: Vec<_> = error.problems().iter().map(|key| (key.index(), key.reason().kind())).collect();
    assert_eq!(kinds, [(1, KeyErrorKind::DuplicateId), (3, KeyErrorKind::Secret), (4, KeyErrorKind::WrongUse)]);
    let told = error.to_string();
    assert!(told.starts_with("not every key of the set can be used: key 1 (\"a\"): "), "{told}");
    assert!(told.contains(r#"; key 4 ("e\nvil"): the key's use is "enc""#), "{told}");
}

#[test]
fn a_strict_set_holds_at_least_one_key() {
    assert_eq!(KeySet::from_jwks_strict(r#"{"keys":[]}"#).unwrap_err().kind(), KeySetErrorKind::Empty);
    assert_eq!(KeySet::from_jwks_strict(&set(&[testing::p256().jwk("")])).unwrap().len(), 1);
}

#[test]
fn secrets_are_read_where_they_are_asked_for() {
    let keys = KeySet::from_jwks_with_secrets(&set(&[oct("a", "HS256", 32), oct("b", "HS512", 64)])).unwrap();
    assert_eq!(found(&keys, Algorithm::Hs512, None), "b");
    assert_eq!(found(&keys, Algorithm::Hs384, None), "Unknown");
    let public = set(&[testing::p256().jwk("")]);
    assert_eq!(KeySet::from_jwks_with_secrets(&public).unwrap().len(), 1);
    for (bad, kind) in [
        (oct("a", "HS256", 31), KeyErrorKind::Weak),
        (oct("a", "HS384", 47), KeyErrorKind::Weak),
        (oct("a", "HS256", 0), KeyErrorKind::Weak),
        (oct("a", "A256GCM", 32), KeyErrorKind::Unsupported),
        (oct("a", "ES256", 32), KeyErrorKind::Mismatch),
        (testing::p256().jwk(r#""d":"AQAB""#), KeyErrorKind::PrivateKey),
    ] {
        let error = KeySet::from_jwks_with_secrets(&set(&[bad])).unwrap_err();
        assert_eq!(error.problems()[0].reason().kind(), kind);
    }
}

#[test]
fn a_secret_without_alg_has_the_algorithms_that_it_is_long_enough_for() {
    for (len, algorithms) in [(32, "HS256"), (47, "HS256"), (48, "HS256, HS384"), (64, "HS256, HS384, HS512")] {
        let text = set(&[oct("a", "", len).replace(r#""alg":"","#, "")]);
        let keys = KeySet::from_jwks_with_secrets(&text).unwrap();
        assert_eq!(keys.iter().next().unwrap().algorithms().to_string(), algorithms, "{len}");
    }
}

#[test]
fn a_set_that_mixes_secrets_and_public_keys_is_refused() {
    // Wycheproof json_web_key_test tcId 1, marked Ambiguous: we refuse it.
    let mixed = set(&[oct("s", "HS256", 32), testing::p256().jwk(r#""kid":"p""#)]);
    let error = KeySet::from_jwks_with_secrets(&mixed).unwrap_err();
    assert_eq!(error.problems()[0].reason().kind(), KeyErrorKind::Secret);
}
