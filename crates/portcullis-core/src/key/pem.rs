//! Public keys in PEM (RFC 7468): `SubjectPublicKeyInfo` and PKCS #1.

use base64::{Engine, engine::general_purpose::STANDARD};
use pkcs1::RsaPublicKeyRef;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

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
    let Block { label, body } = Block::find(text)?;
    check_label(label)?;
    let der = STANDARD.decode(body).map_err(|_| malformed("broken PEM: not base64 between the dashes"))?;
    match label {
        "RSA PUBLIC KEY" => pkcs1_key(&der),
        _ => spki_key(&der),
    }
}

/// The one PEM block of a text. Comments before it, indentation, line ends and line widths do not matter, as it comes
/// out of configuration files and environment variables (RFC 7468 section 2 asks parsers to be lenient there).
struct Block<'a> {
    label: &'a str,
    /// All lines in between as one.
    body: String,
}

impl<'a> Block<'a> {
    fn find(text: &'a str) -> Result<Self, KeyError> {
        let mut lines = text.lines().map(str::trim).skip_while(|line| !line.starts_with(BEGIN));
        let begin = lines.next().ok_or_else(|| {
            malformed(
                "not PEM: it starts with -----BEGIN PUBLIC KEY-----; use from_jwk for a JWK, and for an ssh key \
                 `ssh-keygen -e -m pkcs8 -f key.pub`",
            )
        })?;
        let label = begin.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(DASHES));
        let label = label.ok_or_else(|| malformed("broken PEM: the first line does not end in dashes"))?;
        let mut body = String::new();
        loop {
            match lines.next() {
                Some(line) if is_end(line, label) => break,
                Some(line) => body.push_str(line),
                None => return Err(malformed("broken PEM: there is no -----END line, the file may be cut off")),
            }
        }
        if lines.any(|line| line.starts_with(BEGIN)) {
            return Err(malformed("several PEM blocks: give one key at a time"));
        }
        Ok(Self { label, body })
    }
}

fn is_end(line: &str, label: &str) -> bool {
    line.strip_prefix("-----END ").and_then(|rest| rest.strip_suffix(DASHES)) == Some(label)
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

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
            format!("PEM label {} is not supported: use PUBLIC KEY or RSA PUBLIC KEY", quoted(other)),
        )),
    }
}

fn pkcs1_key(der: &[u8]) -> Result<Material, KeyError> {
    let key = RsaPublicKeyRef::try_from(der).map_err(|_| malformed("not a PKCS #1 RSA public key"))?;
    rsa::prepare(key.modulus.as_bytes(), key.public_exponent.as_bytes(), AlgorithmSet::ALL)
}

fn spki_key(der: &[u8]) -> Result<Material, KeyError> {
    let info = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| malformed("not a SubjectPublicKeyInfo"))?;
    let key = info.subject_public_key.as_bytes().ok_or_else(|| malformed("the key ends within a byte"))?;
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
    info.algorithm.parameters_oid().map_err(|_: spki::Error| malformed("the curve is not named"))
}

fn unsupported(what: &str, identifier: ObjectIdentifier) -> KeyError {
    KeyError::new(KeyErrorKind::Unsupported, format!("{what} {identifier} is not supported"))
}

#[cfg(test)]
mod tests;
