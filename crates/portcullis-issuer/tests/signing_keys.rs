//! Tests reading, writing and refusing keys.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::Command;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use pkcs1::der::Decode;

use portcullis_core::Algorithm;
use portcullis_issuer::{Signer, SigningKey, SigningKeyErrorKind};
use serde_json::{Value, json};

const ASYMMETRIC: [Algorithm; 10] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::EdDsa,
    Algorithm::Ed25519,
];

async fn signs_like(one: &SigningKey, other: &SigningKey) -> bool {
    let signature = one.sign(b"input").outcome().await.unwrap();
    let _ = signature;
    one.id() == other.id() && one.verifying_key().is_same_public_key(&other.verifying_key())
}

#[tokio::test]
async fn a_key_is_the_same_after_it_was_written_and_read() {
    for algorithm in ASYMMETRIC {
        let key = SigningKey::generate(algorithm).unwrap();
        let pem = key.to_pem().unwrap();
        let read = SigningKey::from_pem(&format!("Comments\n{}", &*pem), algorithm).unwrap();
        assert!(signs_like(&key, &read).await, "{algorithm}");
        assert_eq!(read.public_jwk(), key.public_jwk());
    }
}

/// RFC 7638 section 3.1 has an example; the private key of RFC 7515 appendix A.2 has another modulus, so this one is checked by its public part.
#[test]
fn the_id_is_the_thumbprint() {
    // RFC 8037 appendices A.1 and A.3.
    let key = json!({
        "kty": "OKP", "crv": "Ed25519",
        "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let key = SigningKey::from_jwk(&key.to_string()).unwrap();
    assert_eq!(key.id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_eq!(key.algorithm(), Algorithm::EdDsa);
}

#[tokio::test]
async fn keys_of_openssl_are_read_in_all_its_forms() {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}");
        String::from_utf8(output.stdout).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    let path = file.to_str().unwrap();
    for (algorithm, make, other_form) in [
        (Algorithm::Rs256, "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", Some("rsa -traditional")),
        (Algorithm::Es256, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", Some("ec")),
        (Algorithm::Es384, "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", Some("ec")),
        (Algorithm::EdDsa, "genpkey -algorithm ed25519", None),
    ] {
        let pkcs8 = openssl(make);
        let key = SigningKey::from_pem(&pkcs8, algorithm).unwrap();
        std::fs::write(&file, &pkcs8).unwrap();
        if let Some(form) = other_form {
            let other = openssl(&format!("{form} -in {path}"));
            assert!(!other.contains("-----BEGIN PRIVATE KEY-----"), "{other}");
            assert!(signs_like(&key, &SigningKey::from_pem(&other, algorithm).unwrap()).await, "{algorithm}");
        }
    }
}

fn kind<T: std::fmt::Debug>(outcome: Result<T, portcullis_issuer::SigningKeyError>) -> SigningKeyErrorKind {
    outcome.unwrap_err().kind()
}

#[test]
fn a_key_for_another_algorithm_is_refused() {
    let pem = |algorithm| SigningKey::generate(algorithm).unwrap().to_pem().unwrap();
    let (rsa, p256, p384, ed) =
        (pem(Algorithm::Rs256), pem(Algorithm::Es256), pem(Algorithm::Es384), pem(Algorithm::EdDsa));
    for (pem, algorithm) in [
        (&rsa, Algorithm::Es256),
        (&p256, Algorithm::Es384),
        (&p384, Algorithm::Es256),
        (&ed, Algorithm::Rs256),
        (&p256, Algorithm::EdDsa),
        (&rsa, Algorithm::Hs256),
    ] {
        assert_eq!(kind(SigningKey::from_pem(pem, algorithm)), SigningKeyErrorKind::Mismatch, "{algorithm}");
    }
    assert_eq!(kind(SigningKey::generate(Algorithm::Hs256)), SigningKeyErrorKind::Mismatch);
    assert_eq!(kind(SigningKey::generate_secret("a", Algorithm::Es256)), SigningKeyErrorKind::Mismatch);
    assert_eq!(kind(SigningKey::secret("a", Algorithm::Hs512, &[7; 63])), SigningKeyErrorKind::Weak);
    assert!(SigningKey::secret("a", Algorithm::Hs512, &[7; 64]).is_ok());
}

#[test]
fn text_that_is_no_key_is_refused_with_what_was_expected() {
    let pem = SigningKey::generate(Algorithm::Es256).unwrap().to_pem().unwrap();
    let public = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (text, expected) in [
        ("", "no private key"),
        (public, "no private key"),
        (encrypted, "openssl pkey"),
        (&format!("{}{}", &*pem, &*pem), "more than one"),
        (&pem[..pem.len() - 30], "cut off"),
    ] {
        let error = SigningKey::from_pem(text, Algorithm::Es256).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

/// An RSA key, with its numbers as OpenSSL has written them.
fn rsa_jwk() -> Value {
    let pem = SigningKey::generate(Algorithm::Rs256).unwrap().to_pem().unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let pkcs8 = STANDARD.decode(base64).unwrap();
    // 26 bytes say that the rest is an RSA key (RFC 5958).
    let key = pkcs1::RsaPrivateKey::from_der(&pkcs8[26..]).unwrap();
    let text = |number: &pkcs1::UintRef<'_>| URL_SAFE_NO_PAD.encode(number.as_bytes());
    json!({
        "kty": "RSA", "alg": "RS256",
        "n": text(&key.modulus), "e": text(&key.public_exponent), "d": text(&key.private_exponent),
        "p": text(&key.prime1), "q": text(&key.prime2),
        "dp": text(&key.exponent1), "dq": text(&key.exponent2), "qi": text(&key.coefficient),
    })
}

/// A private key of each kind as a JSON Web Key, as another library writes it.
fn private_jwks() -> Vec<Value> {
    vec![
        // RFC 7515 appendix A.3, and RFC 8037 appendix A.1.
        json!({
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
            "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        }),
        json!({
            "kty": "OKP", "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }),
        rsa_jwk(),
    ]
}

#[test]
fn private_json_web_keys_are_read_and_each_member_is_needed() {
    for jwk in private_jwks() {
        let key = SigningKey::from_jwk(&jwk.to_string()).unwrap();
        assert!(!key.public_jwk().unwrap().contains("\"d\""));
        for member in jwk.as_object().unwrap().keys() {
            let mut without = jwk.clone();
            without.as_object_mut().unwrap().remove(member);
            let error = SigningKey::from_jwk(&without.to_string()).unwrap_err();
            assert!(!error.to_string().contains(jwk["d"].as_str().unwrap()), "{error}");
        }
        let mut named = jwk.clone();
        named["kid"] = json!("2019");
        assert_eq!(SigningKey::from_jwk(&named.to_string()).unwrap().id(), "2019", "a published id is kept");
        let mut other = jwk.clone();
        other["alg"] = json!("HS256");
        assert_eq!(kind(SigningKey::from_jwk(&other.to_string())), SigningKeyErrorKind::Mismatch);
    }
}

#[test]
fn a_private_key_whose_public_part_belongs_to_another_is_refused() {
    let mut keys = private_jwks();
    keys[0]["x"] = keys[0]["y"].clone();
    keys[1]["x"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    keys[2]["e"] = json!("Aw");
    for jwk in keys {
        assert!(SigningKey::from_jwk(&jwk.to_string()).is_err(), "{}", jwk["kty"]);
    }
}

#[test]
fn a_secret_is_never_published_and_needs_an_id() {
    let secret = json!({ "kty": "oct", "alg": "HS256", "k": "A".repeat(43), "kid": "2026-11" });
    let key = SigningKey::from_jwk(&secret.to_string()).unwrap();
    assert_eq!((key.id(), key.public_jwk(), key.to_pem().is_none()), ("2026-11", None, true));
    let mut nameless = secret;
    nameless.as_object_mut().unwrap().remove("kid");
    assert!(SigningKey::from_jwk(&nameless.to_string()).unwrap_err().to_string().contains("`kid`"));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_or_change_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.pem");
    std::fs::write(&path, SigningKey::generate(Algorithm::Es256).unwrap().to_pem().unwrap().as_bytes()).unwrap();
    let read = |mode: u32| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        SigningKey::read_file(&path, Algorithm::Es256)
    };
    for mode in [0o600, 0o400, 0o640, 0o440] {
        assert!(read(mode).is_ok(), "{mode:o}");
    }
    for mode in [0o644, 0o604, 0o660, 0o602, 0o666, 0o620, 0o601] {
        let error = read(mode).unwrap_err();
        assert_eq!(error.kind(), SigningKeyErrorKind::Permissions, "{mode:o}");
        assert!(error.to_string().contains("chmod 600") && error.to_string().contains("key.pem"), "{error}");
    }
}

#[test]
fn a_file_is_read_in_any_form_and_must_fit_the_algorithm() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let write = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    };
    let jwk = private_jwks().remove(0);
    write(format!("\u{feff}\n{jwk}").as_bytes());
    let key = SigningKey::read_file(&path, Algorithm::Es256).unwrap();
    assert_eq!(kind(SigningKey::read_file(&path, Algorithm::EdDsa)), SigningKeyErrorKind::Mismatch);
    write(key.to_pem().unwrap().as_bytes());
    assert_eq!(SigningKey::read_file(&path, Algorithm::Es256).unwrap().id(), key.id());
    let pem = key.to_pem().unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    write(&STANDARD.decode(base64).unwrap());
    assert_eq!(SigningKey::read_file(&path, Algorithm::Es256).unwrap().id(), key.id());
    write(&vec![b'x'; 70_000]);
    assert_eq!(kind(SigningKey::read_file(&path, Algorithm::Es256)), SigningKeyErrorKind::Unreadable);
    assert_eq!(
        kind(SigningKey::read_file(folder.path().join("absent"), Algorithm::Es256)),
        SigningKeyErrorKind::Unreadable
    );
}
