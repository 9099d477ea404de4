use super::*;
use crate::key::testing::{self, Pair, base64url};

fn refusal(text: &str) -> KeyErrorKind {
    let error = VerifyingKey::from_jwk(text).expect_err(text);
    error.kind()
}

fn algorithms(text: &str) -> AlgorithmSet {
    VerifyingKey::from_jwk(text).unwrap().algorithms()
}

/// Returns the JWK of `pair` with one member's value replaced.
fn with(pair: &Pair, name: &str, value: &str) -> String {
    let jwk = pair.jwk("");
    let start = jwk.find(&format!(r#""{name}":"#)).unwrap() + name.len() + 3;
    let end = start + jwk[start + 1..].find('"').unwrap() + 2;
    format!("{}{value}{}", &jwk[..start], &jwk[end..])
}

#[test]
fn a_key_without_alg_fits_its_kind() {
    assert_eq!(algorithms(&testing::rsa().jwk("")).to_string(), "RS256, RS384, RS512, PS256, PS384, PS512");
    assert_eq!(algorithms(&testing::p256().jwk("")).to_string(), "ES256");
    assert_eq!(algorithms(&testing::p384().jwk("")).to_string(), "ES384");
    assert_eq!(algorithms(&testing::ed25519().jwk("")).to_string(), "EdDSA, Ed25519");
}

#[test]
fn alg_binds_the_key() {
    assert_eq!(algorithms(&testing::rsa().jwk(r#""alg":"PS384""#)), Algorithm::Ps384.into());
    for name in ["EdDSA", "Ed25519"] {
        let both = algorithms(&testing::ed25519().jwk(&format!(r#""alg":"{name}""#)));
        assert_eq!(both.to_string(), "EdDSA, Ed25519");
    }
}

#[test]
fn an_alg_we_do_not_have_makes_the_key_unusable() {
    for name in ["RSA-OAEP", "RS1", "none", "ES512", "ES521", "A256GCM", "rs256", ""] {
        assert_eq!(refusal(&testing::rsa().jwk(&format!(r#""alg":"{name}""#))), KeyErrorKind::Unsupported, "{name}");
    }
}

#[test]
fn an_alg_of_another_kind_or_curve_is_refused() {
    for (jwk, name) in [
        (testing::rsa().jwk(r#""alg":"ES256""#), "RSA"),
        (testing::rsa().jwk(r#""alg":"HS256""#), "RSA as a secret"),
        (testing::p256().jwk(r#""alg":"ES384""#), "P-256"),
        (testing::p384().jwk(r#""alg":"ES256""#), "P-384"),
        (testing::ed25519().jwk(r#""alg":"ES256""#), "Ed25519"),
    ] {
        assert_eq!(refusal(&jwk), KeyErrorKind::Mismatch, "{name}");
    }
}

#[test]
fn use_and_key_ops_must_allow_verifying() {
    let pair = testing::p256();
    for good in [
        r#""use":"sig""#,
        r#""key_ops":["verify"]"#,
        r#""key_ops":["sign","verify","verify"]"#,
        r#""use":"sig","key_ops":["verify"]"#,
    ] {
        assert!(VerifyingKey::from_jwk(&pair.jwk(good)).is_ok(), "{good}");
    }
    for bad in [
        r#""use":"enc""#,
        r#""use":"SIG""#,
        r#""use":"""#,
        r#""key_ops":["encrypt","wrapKey"]"#,
        r#""key_ops":["sign"]"#,
        r#""key_ops":[]"#,
        r#""use":"enc","key_ops":["verify"]"#,
        r#""use":"sig","key_ops":["encrypt"]"#,
    ] {
        assert_eq!(refusal(&pair.jwk(bad)), KeyErrorKind::WrongUse, "{bad}");
    }
}

#[test]
fn members_of_the_wrong_type_are_refused() {
    let pair = testing::p256();
    for bad in [
        r#""kid":7"#,
        r#""kid":null"#,
        r#""alg":["ES256"]"#,
        r#""alg":null"#,
        r#""use":true"#,
        r#""key_ops":"verify""#,
        r#""key_ops":["verify",1]"#,
        r#""key_ops":{"verify":1}"#,
    ] {
        assert_eq!(refusal(&pair.jwk(bad)), KeyErrorKind::Malformed, "{bad}");
    }
    for name in ["kty", "crv", "x", "y"] {
        assert_eq!(refusal(&with(&pair, name, "1")), KeyErrorKind::Malformed, "{name}");
    }
}

#[test]
fn unknown_members_of_any_kind_are_ignored() {
    let more = r#""x-vendor":{"n":[1,{"n":1}],"d":2},"iat":1700000000,"x5c":[null],"exp":"never""#;
    assert!(VerifyingKey::from_jwk(&testing::p256().jwk(more)).is_ok());
}

#[test]
fn a_member_twice_is_refused() {
    for more in [r#""kty":"EC""#, r#""kid":"a","kid":"a""#, r#""x-vendor":1,"x-vendor":2"#] {
        assert_eq!(refusal(&testing::p256().jwk(more)), KeyErrorKind::Malformed, "{more}");
    }
}

#[test]
fn a_missing_member_is_named() {
    for (jwk, name) in [
        ("{}", "kty"),
        (r#"{"kty":"RSA","e":"AQAB"}"#, "n"),
        (r#"{"kty":"RSA","n":"AQAB"}"#, "e"),
        (r#"{"kty":"EC","x":"","y":""}"#, "crv"),
        (r#"{"kty":"EC","crv":"P-256","x":""}"#, "y"),
        (r#"{"kty":"OKP","crv":"Ed25519"}"#, "x"),
        (r#"{"kty":"oct"}"#, "k"),
    ] {
        let error = VerifyingKey::from_jwk(jwk).unwrap_err();
        assert_eq!(error.to_string(), format!("{name} is missing"));
    }
}

#[test]
fn other_kinds_of_key_are_unsupported() {
    for jwk in [
        r#"{"kty":"AKP","alg":"ML-DSA-44","pub":""}"#,
        r#"{"kty":"rsa","n":"","e":""}"#,
        r#"{"kty":"EC","crv":"P-521","x":"","y":""}"#,
        r#"{"kty":"EC","crv":"secp256k1","x":"","y":""}"#,
        r#"{"kty":"EC","crv":"Ed25519","x":"","y":""}"#,
        r#"{"kty":"OKP","crv":"X25519","x":""}"#,
        r#"{"kty":"OKP","crv":"Ed448","x":""}"#,
        r#"{"kty":"OKP","crv":"P-256","x":""}"#,
    ] {
        assert_eq!(refusal(jwk), KeyErrorKind::Unsupported, "{jwk}");
    }
}

#[test]
fn a_private_or_secret_key_is_refused_where_public_ones_belong() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth"] {
        for value in ["\"AQAB\"", "null", "[]"] {
            let jwk = testing::rsa().jwk(&format!(r#""{name}":{value}"#));
            assert_eq!(refusal(&jwk), KeyErrorKind::PrivateKey, "{name}");
        }
    }
    let secret = format!(r#"{{"kty":"oct","k":"{}"}}"#, base64url([1; 64]));
    assert_eq!(refusal(&secret), KeyErrorKind::Secret);
}

#[test]
fn base64url_is_strict() {
    let pair = testing::ed25519();
    let x = base64url(pair.raw());
    assert!(VerifyingKey::from_jwk(&with(&pair, "x", &format!("{x:?}"))).is_ok());
    // 32 bytes leave two bits in the last of 43 letters, which must be zero: the next letter sets one.
    let last = x.as_bytes()[42] + 1;
    let trailing_bits = format!("{}{}", &x[..42], char::from(last));
    for bad in [format!("{x}="), format!("{x} "), format!("\\n{x}"), x.replacen(&x[..1], "+", 1), trailing_bits] {
        assert_eq!(refusal(&with(&pair, "x", &format!("\"{bad}\""))), KeyErrorKind::Malformed, "{bad}");
    }
}

#[test]
fn coordinates_have_exactly_the_length_of_the_curve() {
    let pair = testing::p256();
    let (x, y) = pair.raw()[1..].split_at(32);
    let jwk =
        |x: &[u8], y: &[u8]| format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, base64url(x), base64url(y));
    assert!(VerifyingKey::from_jwk(&jwk(x, y)).is_ok());
    let mis_split = pair.raw()[1..].split_at(31);
    assert_eq!(refusal(&jwk(mis_split.0, mis_split.1)), KeyErrorKind::Invalid);
    assert_eq!(refusal(&jwk(&[&[0], x].concat(), y)), KeyErrorKind::Invalid);
    assert_eq!(refusal(&jwk(b"", b"")), KeyErrorKind::Invalid);
}

#[test]
fn a_point_off_the_curve_is_refused() {
    let pair = testing::p256();
    let (x, y) = pair.raw()[1..].split_at(32);
    let mut off = y.to_vec();
    off[31] ^= 1;
    for (x, y) in [(x, &*off), (&[0; 32], &[0; 32]), (y, x), (&[0xff; 32], y)] {
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, base64url(x), base64url(y));
        assert_eq!(refusal(&jwk), KeyErrorKind::Invalid);
    }
}

#[test]
fn a_key_of_another_curve_is_refused() {
    let jwk = testing::p256().jwk("").replace("P-256", "P-384");
    assert_eq!(refusal(&jwk), KeyErrorKind::Invalid);
}

#[test]
fn an_ed25519_key_has_exactly_32_bytes() {
    let pair = testing::ed25519();
    let x = pair.raw();
    for bad in [&x[..31], &[x, &[0]].concat(), b""] {
        assert_eq!(refusal(&with(&pair, "x", &format!("{:?}", base64url(bad)))), KeyErrorKind::Invalid);
    }
}

#[test]
fn an_ed25519_point_of_small_order_is_refused() {
    let pair = testing::ed25519();
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut negative = identity;
    negative[31] = 0x80;
    for point in [[0; 32], identity, negative] {
        assert_eq!(refusal(&with(&pair, "x", &format!("{:?}", base64url(point)))), KeyErrorKind::Weak);
    }
}

#[test]
fn what_a_set_says_is_escaped_in_messages() {
    let error = VerifyingKey::from_jwk(r#"{"kty":"a\r\nb"}"#).unwrap_err();
    assert_eq!(error.to_string(), r#"kty "a\r\nb" is not supported"#);
}
