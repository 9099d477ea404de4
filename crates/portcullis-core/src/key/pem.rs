//! Public keys in PEM (RFC 7468): `SubjectPublicKeyInfo` and PKCS #1.

use pkcs1::RsaPublicKeyRef;
use spki::{Document, ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::{
    AlgorithmSet, KeyError, KeyErrorKind, ed25519, elliptic,
    elliptic::{P256, P384},
    error::quoted,
    material::Material,
    members::malformed,
    rsa,
};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const EC_P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const EC_P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

pub(crate) fn prepare(text: &str) -> Result<Material, KeyError> {
    // Indented or surrounded by blank lines: so it comes out of configuration files.
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let label = label(&lines)?;
    check_label(label)?;
    let (_, document) = Document::from_pem(&lines.join("\n")).map_err(|_| malformed("broken PEM"))?;
    match label {
        "RSA PUBLIC KEY" => pkcs1_key(document.as_bytes()),
        _ => spki_key(document.as_bytes()),
    }
}

/// What stands between `-----BEGIN ` and the dashes.
fn label<'a>(lines: &[&'a str]) -> Result<&'a str, KeyError> {
    let mut labels = lines
        .iter()
        .filter_map(|line| line.strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
    match (labels.next(), labels.next()) {
        (Some(label), None) => Ok(label),
        (Some(_), Some(_)) => Err(malformed("several PEM blocks: give one key at a time")),
        (None, _) => Err(malformed(
            "not PEM: it starts with -----BEGIN PUBLIC KEY-----; use from_jwk for a JWK, and for an ssh key \
             `ssh-keygen -e -m pkcs8 -f key.pub`",
        )),
    }
}

/// Before anything is decoded, so that a private key leaves no copy.
fn check_label(label: &str) -> Result<(), KeyError> {
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(()),
        "CERTIFICATE" | "TRUSTED CERTIFICATE" | "X509 CERTIFICATE" => Err(KeyError::new(
            KeyErrorKind::Unsupported,
            "this is a certificate, and nothing here would check it: take its key with \
             `openssl x509 -in certificate.pem -noout -pubkey`",
        )),
        private if private.ends_with("PRIVATE KEY") => Err(KeyError::new(
            KeyErrorKind::PrivateKey,
            "this is a private key where a public one belongs: extract that with \
             `openssl pkey -in private.pem -pubout`",
        )),
        other => Err(KeyError::new(
            KeyErrorKind::Unsupported,
            format!(
                "PEM label {} is not supported: use PUBLIC KEY or RSA PUBLIC KEY",
                quoted(other)
            ),
        )),
    }
}

fn pkcs1_key(der: &[u8]) -> Result<Material, KeyError> {
    let key = RsaPublicKeyRef::try_from(der).map_err(|_| malformed("not a PKCS #1 RSA public key"))?;
    rsa::prepare(
        key.modulus.as_bytes(),
        key.public_exponent.as_bytes(),
        AlgorithmSet::ALL,
    )
}

fn spki_key(der: &[u8]) -> Result<Material, KeyError> {
    let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| malformed("not a SubjectPublicKeyInfo"))?;
    let key = info
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| malformed("the key ends within a byte"))?;
    match info.algorithm.oid {
        RSA => pkcs1_key(key),
        ED25519 => ed25519::prepare(key, AlgorithmSet::ALL),
        EC => {
            let curve = match curve_of(&info)? {
                EC_P256 => &P256,
                EC_P384 => &P384,
                other => return Err(unsupported("curve", other)),
            };
            elliptic::from_point(curve, key, AlgorithmSet::ALL)
        }
        other => Err(unsupported("key type", other)),
    }
}

/// The named curve (RFC 5480 section 2.1.1); parameters of one's own are refused.
fn curve_of(info: &SubjectPublicKeyInfoRef<'_>) -> Result<ObjectIdentifier, KeyError> {
    info.algorithm
        .parameters_oid()
        .map_err(|_: spki::Error| malformed("the curve is not named"))
}

fn unsupported(what: &str, identifier: ObjectIdentifier) -> KeyError {
    KeyError::new(
        KeyErrorKind::Unsupported,
        format!("{what} {identifier} is not supported"),
    )
}

#[cfg(test)]
mod tests;
