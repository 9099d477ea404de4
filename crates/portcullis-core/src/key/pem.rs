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
    let block = Block::find(text)?;
    check_label(block.label)?;
    let der = block.der()?;
    match block.label {
        "RSA PUBLIC KEY" => pkcs1_key(&der),
        _ => spki_key(&der),
    }
}

/// Returns the bytes of a certificate, which is not checked.
pub(super) fn certificate(text: &str) -> Result<Vec<u8>, KeyError> {
    let block = Block::find(text)?;
    if !CERTIFICATE.contains(&block.label) {
        return Err(malformed(format!("PEM label {} is not that of a certificate", quoted(block.label))));
    }
    block.der()
}

/// The only PEM block of a text. Comments before it, indentation, line ends, line widths and surrounding quotation marks are ignored,
/// because configuration files and environment variables add them (RFC 7468 section 2 asks parsers to be lenient there). It may be on one
/// line, with spaces or with the two characters `\n` in place of line ends.
struct Block<'a> {
    label: &'a str,
    body: &'a str,
}

impl<'a> Block<'a> {
    fn find(text: &'a str) -> Result<Self, KeyError> {
        let (_, rest) = text.split_once(BEGIN).ok_or_else(|| no_pem(text))?;
        let is_label = |label: &str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
        let (label, rest) = rest
            .split_once(DASHES)
            .filter(|(label, _)| is_label(label))
            .ok_or_else(|| malformed("broken PEM: the BEGIN line does not end in five dashes"))?;
        let (body, rest) = rest
            .split_once(END)
            .ok_or_else(|| malformed("broken PEM: there is no -----END line, the file may be cut off"))?;
        let rest = rest.strip_prefix(label).and_then(|rest| rest.strip_prefix(DASHES));
        let rest = rest.ok_or_else(|| malformed("broken PEM: the END line is not that of the BEGIN line"))?;
        if body.contains(BEGIN) || rest.contains(BEGIN) {
            return Err(malformed("several PEM blocks: give one key at a time"));
        }
        Ok(Self { label, body })
    }

    fn der(&self) -> Result<Vec<u8>, KeyError> {
        let body = self.body.replace("\\r", "").replace("\\n", "").replace('\\', "");
        let body: String = body.chars().filter(|character| !character.is_ascii_whitespace()).collect();
        let is_base64 = |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=');
        if let Some(odd) = body.chars().find(|character| !is_base64(*character)) {
            return Err(malformed(format!(
                "broken PEM: not base64 between the dashes, there is a character U+{:04X}",
                u32::from(odd)
            )));
        }
        STANDARD.decode(body).map_err(|_| malformed("broken PEM: not base64 between the dashes"))
    }
}

fn no_pem(text: &str) -> KeyError {
    // `-----BEGIN` in base64.
    if text.trim_start_matches('\u{feff}').trim_start().starts_with("LS0tLS1CRUdJTi") {
        return malformed("this is PEM in base64 once more: decode it first (`base64 -d`)");
    }
    malformed(
        "not PEM: it starts with -----BEGIN PUBLIC KEY-----; use from_jwk for a JWK, and for an ssh key \
         `ssh-keygen -e -m pkcs8 -f key.pub`",
    )
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The labels of certificates.
const CERTIFICATE: [&str; 3] = ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"];

/// Before anything is decoded, so that a private key leaves no copy.
fn check_label(label: &str) -> Result<(), KeyError> {
    match label {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(()),
        certificate if CERTIFICATE.contains(&certificate) => Err(KeyError::new(
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

/// Returns the named curve (RFC 5480 section 2.1.1); explicit parameters are refused.
fn curve_of(info: &SubjectPublicKeyInfoRef<'_>) -> Result<ObjectIdentifier, KeyError> {
    info.algorithm.parameters_oid().map_err(|_: spki::Error| malformed("the curve is not named"))
}

fn unsupported(what: &str, identifier: ObjectIdentifier) -> KeyError {
    KeyError::new(KeyErrorKind::Unsupported, format!("{what} {identifier} is not supported"))
}

#[cfg(test)]
mod tests;
