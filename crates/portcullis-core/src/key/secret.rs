//! [`Secret`]: a secret that both sides share.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use super::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind,
    material::{Check, KeyKind, Material, Prepared},
    not_secret,
    verifying_key::key_id,
};

/// A shared secret for HS256, HS384 or HS512, with its id. Everyone who has it can sign as well as verify.
///
/// It is at least as long as the hash (RFC 7518 section 3.2): 32, 48 or 64 bytes. Randomness cannot be checked, so generate it: `openssl
/// rand -base64 48`. The bytes are erased from memory on drop and never shown.
///
/// A public key or a certificate (PEM, DER, JWK, SSH; also in base64) is refused: its bytes may be public, so everyone could sign. (A raw
/// Ed25519 key, 32 bytes, looks like a secret and is not recognised.)
///
/// ```
/// use portcullis_core::{Algorithm, KeySet, Secret};
/// use portcullis_core::keys::KeyErrorKind;
///
/// # let random = [7; 32];
/// let keys = KeySet::from(Secret::new("2026-11", Algorithm::Hs256, random)?);
///
/// let refused = Secret::new("2026-11", Algorithm::Hs256, "changeme").unwrap_err();
/// assert_eq!(refused.kind(), KeyErrorKind::Weak);
/// # Ok::<(), portcullis_core::keys::KeyError>(())
/// ```
#[doc(alias = "DecodingKey")]
#[doc(alias = "shared_secret")]
#[doc(alias = "hmac")]
#[derive(Clone)]
pub struct Secret {
    id: Arc<str>,
    algorithm: Algorithm,
    bytes: Zeroizing<Vec<u8>>,
}

impl Secret {
    /// Returns a secret with this key id (1 to 512 bytes), for this one algorithm, from raw bytes.
    ///
    /// Text is used as its bytes: a secret written in base64 is not decoded. See [`Secret::from_base64`].
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Weak`] if it is shorter than the algorithm's hash, [`KeyErrorKind::Mismatch`] if the algorithm
    /// does not use a secret, [`KeyErrorKind::NotASecret`] if it is a key or a certificate of another kind, [`KeyErrorKind::BadId`].
    pub fn new(id: impl Into<Arc<str>>, algorithm: Algorithm, bytes: impl Into<Vec<u8>>) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes.into());
        let id = key_id(id)?;
        fitting(&bytes, algorithm.into())?;
        Ok(Self { id, algorithm, bytes })
    }

    /// Returns a secret from base64 text, as printed by `openssl rand -base64 48` or written in a JWK's `k`.
    ///
    /// Both alphabets are accepted, with or without padding, and with surrounding white space: it is your own configuration, and its
    /// meaning is unambiguous. Text from elsewhere (a JWK) is parsed strictly.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Malformed`] if it is not base64, and the errors of [`Secret::new`].
    pub fn from_base64(id: impl Into<Arc<str>>, algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        not_secret::check(text.as_bytes())?;
        let text = text.trim_start_matches('\u{feff}').trim().trim_end_matches('=');
        let decoded = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text));
        // The decoder's own message would show a byte of the secret.
        let malformed = |_| {
            KeyError::new(
                KeyErrorKind::Malformed,
                "the secret is not base64: make one with `openssl rand -base64 48`, or take its bytes by `Secret::new`",
            )
        };
        Self::new(id, algorithm, decoded.map_err(malformed)?)
    }

    /// Returns the key id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the bytes, for another use than tokens.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn prepare(self) -> (Arc<str>, Material) {
        (self.id, material(&self.bytes, self.algorithm.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .field("bytes", &format_args!("REDACTED"))
            .finish()
    }
}

/// Prepares a secret of a JWK for those of the `wanted` algorithms that it is long enough for.
pub(super) fn prepare(bytes: &[u8], wanted: AlgorithmSet) -> Result<Material, KeyError> {
    fitting(bytes, wanted).map(|algorithms| material(bytes, algorithms))
}

/// Returns the algorithms of `wanted` that these bytes are long enough for.
fn fitting(bytes: &[u8], wanted: AlgorithmSet) -> Result<AlgorithmSet, KeyError> {
    let wanted = KeyKind::Secret.narrow(wanted)?;
    not_secret::check(bytes)?;
    let fitting: AlgorithmSet =
        hashes(wanted).filter(|(_, hash)| bytes.len() >= hash.tag_len()).map(|(algorithm, _)| algorithm).collect();
    if let (true, Some((algorithm, hash))) = (fitting.is_empty(), hashes(wanted).next()) {
        let needed = hash.tag_len();
        return Err(KeyError::new(
            KeyErrorKind::Weak,
            format!(
                "the secret has {} bytes, {algorithm} needs at least {needed} (RFC 7518 section 3.2): \
                 make one with `openssl rand -base64 {}`",
                bytes.len(),
                needed + needed / 2,
            ),
        ));
    }
    Ok(fitting)
}

fn material(bytes: &[u8], algorithms: AlgorithmSet) -> Material {
    let checks: Vec<Check> = hashes(algorithms)
        .map(|(algorithm, hash)| Check {
            algorithms: algorithm.into(),
            prepared: Prepared::Secret(Box::new(hmac::Key::new(hash, bytes))),
        })
        .collect();
    Material::new(KeyKind::Secret, checks)
}

/// The shortest hash first.
fn hashes(algorithms: AlgorithmSet) -> impl Iterator<Item = (Algorithm, hmac::Algorithm)> {
    [
        (Algorithm::Hs256, hmac::HMAC_SHA256),
        (Algorithm::Hs384, hmac::HMAC_SHA384),
        (Algorithm::Hs512, hmac::HMAC_SHA512),
    ]
    .into_iter()
    .filter(move |(algorithm, _)| algorithms.contains(*algorithm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::VerifyingKey;

    const ALGORITHMS: [(Algorithm, usize); 3] =
        [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)];

    #[test]
    fn a_secret_is_wiped_from_memory() {
        // Checked by its type, because freed memory cannot be read without unsafe code.
        let _: fn(&Secret) -> &Zeroizing<Vec<u8>> = |secret| &secret.bytes;
    }

    #[test]
    fn a_secret_is_at_least_as_long_as_the_hash() {
        for (algorithm, needed) in ALGORITHMS {
            assert!(Secret::new("a", algorithm, vec![1; needed]).is_ok());
            let error = Secret::new("a", algorithm, vec![1; needed - 1]).unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::Weak);
            let told = error.to_string();
            assert!(told.contains(&format!("at least {needed}")) && told.contains("openssl rand"), "{told}");
            assert_eq!(Secret::new("a", algorithm, "").unwrap_err().kind(), KeyErrorKind::Weak);
        }
    }

    #[test]
    fn a_secret_is_for_one_hmac_algorithm() {
        for (algorithm, needed) in ALGORITHMS {
            let key = VerifyingKey::from(Secret::new("a", algorithm, vec![1; needed]).unwrap());
            assert_eq!(key.algorithms(), algorithm.into());
            assert!(key.is_secret());
        }
        for algorithm in AlgorithmSet::ASYMMETRIC.iter() {
            assert_eq!(Secret::new("a", algorithm, [1; 64]).unwrap_err().kind(), KeyErrorKind::Mismatch);
        }
    }

    #[test]
    fn base64_is_read_as_people_have_it_and_the_error_shows_nothing() {
        let text = URL_SAFE_NO_PAD.encode([0xfb; 32]);
        for good in [text.clone(), format!("{text}="), format!(" {text}\n"), text.replace('-', "+").replace('_', "/")] {
            assert_eq!(*Secret::from_base64("a", Algorithm::Hs256, &good).unwrap().bytes, [0xfb; 32], "{good}");
        }

        // 32 bytes leave two bits in the last letter, which must be zero.
        let trailing_bits = format!("{}t", &text[..text.len() - 1]);
        for bad in [format!("{text}?"), text.replacen('-', "+", 1), format!("{text} {text}"), trailing_bits] {
            let error = Secret::from_base64("a", Algorithm::Hs256, &bad).unwrap_err();
            assert_eq!(error.kind(), KeyErrorKind::Malformed, "{bad}");
            assert!(!error.to_string().contains(&text[..4]));
        }
    }

    #[test]
    fn a_secret_checks_what_it_signed() {
        let key = VerifyingKey::from(Secret::new("a", Algorithm::Hs256, [7; 32]).unwrap());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]), b"message");
        assert!(key.check_signature(Algorithm::Hs256, b"message", tag.as_ref()));
        assert!(!key.check_signature(Algorithm::Hs256, b"massage", tag.as_ref()));
        assert!(!key.check_signature(Algorithm::Hs256, b"message", &tag.as_ref()[..16]));
        assert!(!key.check_signature(Algorithm::Hs384, b"message", tag.as_ref()));
    }

    #[test]
    fn an_id_is_needed() {
        assert_eq!(Secret::new("", Algorithm::Hs256, [7; 32]).unwrap_err().kind(), KeyErrorKind::BadId);
    }
}
