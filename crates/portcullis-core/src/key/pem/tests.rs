use super::*;
use crate::key::{
    Algorithm, VerifyingKey,
    testing::{self, pem},
};

fn refusal(text: &str) -> KeyError {
    VerifyingKey::from_pem(text).expect_err(text)
}

#[test]
fn public_keys_of_every_kind_are_read_and_work() {
    for (pair, algorithm) in [
        (testing::rsa(), Algorithm::Ps512),
        (&testing::p256(), Algorithm::Es256),
        (&testing::p384(), Algorithm::Es384),
        (&testing::ed25519(), Algorithm::Ed25519),
    ] {
        let key = VerifyingKey::from_pem(&pem("PUBLIC KEY", &pair.spki())).unwrap();
        assert!(key.check_signature(algorithm, b"message", &pair.sign(algorithm, b"message")), "{algorithm}");
        assert_eq!(key.id(), None);
    }
}

#[test]
fn pkcs1_is_read() {
    let key = VerifyingKey::from_pem(&pem("RSA PUBLIC KEY", testing::rsa().raw())).unwrap();
    let signature = testing::rsa().sign(Algorithm::Rs256, b"message");
    assert!(key.check_signature(Algorithm::Rs256, b"message", &signature));
}

#[test]
fn indentation_line_ends_and_line_widths_do_not_matter() {
    let text = pem("PUBLIC KEY", &testing::rsa().spki());
    let joined = {
        let lines: Vec<_> = text.lines().collect();
        format!("{}\n{}\n{}", lines[0], lines[1..lines.len() - 1].concat(), lines[lines.len() - 1])
    };
    for text in [
        text.replace('\n', "\r\n"),
        text.replace('\n', "\n    "),
        format!("\n\n{text}\n\n"),
        text.trim_end().to_owned(),
        format!("a comment\n{text}"),
        joined,
    ] {
        assert!(VerifyingKey::from_pem(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_private_key_is_refused_with_the_way_out() {
    for label in ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "OPENSSH PRIVATE KEY"] {
        let error = refusal(&pem(label, b"whatever it is"));
        assert_eq!(error.kind(), KeyErrorKind::PrivateKey);
        assert!(error.to_string().contains("openssl pkey"), "{error}");
    }
}

#[test]
fn a_certificate_is_refused_with_the_way_out() {
    let error = refusal(&pem("CERTIFICATE", b"whatever it is"));
    assert_eq!(error.kind(), KeyErrorKind::Unsupported);
    assert!(error.to_string().contains("openssl x509"), "{error}");
}

#[test]
fn a_file_that_is_cut_off_is_malformed() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n";
    assert!(VerifyingKey::from_pem(&format!("{pem}-----END PUBLIC KEY-----\n")).is_ok());
    let error = VerifyingKey::from_pem(pem).unwrap_err();
    assert!(error.to_string().contains("END"), "{error}");
}

#[test]
fn what_is_not_one_pem_block_is_malformed() {
    let good = pem("PUBLIC KEY", &testing::ed25519().spki());
    for text in [
        String::new(),
        r#"{"kty":"RSA"}"#.to_owned(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@here".to_owned(),
        format!("{good}{good}"),
        good.replace("-----END", ""),
        good.replace("END PUBLIC", "END RSA PUBLIC"),
        good.replacen("MC", "M*", 1),
        pem("PUBLIC KEY", b"not DER"),
        pem("RSA PUBLIC KEY", &testing::rsa().spki()),
        pem("PUBLIC KEY", testing::rsa().raw()),
        pem("PUBLIC KEY", &[&*testing::ed25519().spki(), b"x"].concat()),
    ] {
        assert_eq!(refusal(&text).kind(), KeyErrorKind::Malformed, "{text}");
    }
    assert!(VerifyingKey::from_pem(&good).is_ok());
}

#[test]
fn other_key_types_and_curves_are_unsupported() {
    let mut x25519 = testing::ed25519().spki();
    *x25519.iter_mut().find(|byte| **byte == 0x70).unwrap() = 0x6e;
    let p521 = aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING);
    let p521 = testing::Pair::P384(p521.unwrap()).spki();
    for der in [x25519, p521] {
        assert_eq!(refusal(&pem("PUBLIC KEY", &der)).kind(), KeyErrorKind::Unsupported);
    }
    let error = refusal(&pem("PGP PUBLIC KEY BLOCK", b"x"));
    assert_eq!(error.kind(), KeyErrorKind::Unsupported);
}

#[test]
fn the_rules_for_rsa_and_points_hold_here_too() {
    // The last bytes are the end of the point, or the exponent.
    let mut off_curve = testing::p256().spki();
    *off_curve.last_mut().unwrap() ^= 1;
    assert_eq!(refusal(&pem("PUBLIC KEY", &off_curve)).kind(), KeyErrorKind::Invalid);

    let mut even = testing::rsa().raw().to_vec();
    *even.last_mut().unwrap() = 0;
    assert_eq!(refusal(&pem("RSA PUBLIC KEY", &even)).kind(), KeyErrorKind::Invalid);
}
