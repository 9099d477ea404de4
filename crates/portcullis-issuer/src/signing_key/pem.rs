//! Private keys in PEM form (RFC 7468).

use base64::{Engine, engine::general_purpose::STANDARD};
use portcullis_core::Algorithm;
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use zeroize::Zeroizing;

use super::{SigningKeyError, material::Material};

pub(super) fn read(text: &str, algorithm: Algorithm) -> Result<Material, SigningKeyError> {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(SigningKeyError::malformed(
            "the private key is encrypted with a password: decrypt it (`openssl pkey -in KEY -out KEY.pem`), and protect the file instead",
        ));
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text.as_bytes());
    let malformed =
        |_| SigningKeyError::malformed("the PEM text is malformed: is it cut off, or are its line ends changed?");
    let key = keys.next().transpose().map_err(malformed)?.ok_or_else(|| {
        SigningKeyError::malformed(
            "there is no private key in PEM form: `-----BEGIN PRIVATE KEY-----`, as `openssl genpkey` writes it, is expected",
        )
    })?;
    if keys.next().is_some() {
        return Err(SigningKeyError::malformed("there is more than one private key: leave only the one to sign with"));
    }
    match &key {
        PrivateKeyDer::Pkcs8(key) => Material::from_pkcs8(key.secret_pkcs8_der(), algorithm),
        PrivateKeyDer::Pkcs1(key) => Material::from_pkcs1(key.secret_pkcs1_der(), algorithm),
        PrivateKeyDer::Sec1(key) => Material::from_sec1(key.secret_sec1_der(), algorithm),
        _ => {
            Err(SigningKeyError::malformed("the private key has a PEM form that is not supported: write it as PKCS #8"))
        }
    }
}

/// Writes a PKCS #8 key, with lines of 64 characters.
pub(super) fn write(pkcs8: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut text = Zeroizing::new(String::with_capacity(encoded.len() + encoded.len() / 64 + 80));
    text.push_str("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}
