//! A secret that both sides share.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind,
    material::{Check, KeyKind, Material, Prepared},
    verifying_key::key_id,
};

/// A shared secret for HS256, HS384 or HS512, with its id. Whoever has it can sign, not only verify.
///
/// At least as long as the hash (RFC 7518 section 3.2): 32, 48 or 64 bytes. Only the length is checked, as randomness
/// cannot be seen; so make it by machine: `openssl rand -base64 48`. The bytes are erased from memory on drop and never
/// shown.
///
/// ```
/// use portcullis_core::{Algorithm, KeyErrorKind, KeySet, Secret};
///
/// # let random = [7; 32];
/// let keys = KeySet::from(Secret::new("2026-11", Algorithm::Hs256, random)?);
///
/// let refused = Secret::new("2026-11", Algorithm::Hs256, "changeme").unwrap_err();
/// assert_eq!(refused.kind(), KeyErrorKind::Weak);
/// # Ok::<(), portcullis_core::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Secret {
    id: Arc<str>,
    algorithm: Algorithm,
    bytes: Zeroizing<Vec<u8>>,
}

impl Secret {
    /// Takes the key id (1 to 512 bytes), the one algorithm it is for, and the bytes as they are.
    ///
    /// Text is taken by its bytes: a secret written in base64 is not decoded. See [`Secret::from_base64url`].
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Weak`] if it is shorter than the algorithm's hash, [`KeyErrorKind::Mismatch`] if the algorithm
    /// does not use a secret, [`KeyErrorKind::BadId`].
    pub fn new(id: impl Into<Arc<str>>, algorithm: Algorithm, bytes: impl Into<Vec<u8>>) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(bytes.into());
        let id = key_id(id)?;
        fitting(&bytes, algorithm.into())?;
        Ok(Self { id, algorithm, bytes })
    }

    /// The same from base64url text without padding, as in a JWK's `k`.
    ///
    /// # Errors
    ///
    /// [`KeyErrorKind::Malformed`] if it is not base64url, and those of [`Secret::new`].
    pub fn from_base64url(id: impl Into<Arc<str>>, algorithm: Algorithm, text: &str) -> Result<Self, KeyError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| {
            // The decoder's own message would show a byte of the secret.
            KeyError::new(
                KeyErrorKind::Malformed,
                "the secret is not base64url without padding (letters, digits, - and _)",
            )
        })?;
        Self::new(id, algorithm, bytes)
    }

    /// The key id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The algorithm it is for.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
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

/// A secret of a JWK, for those of the `wanted` algorithms that it is long enough for.
pub(super) fn prepare(bytes: &[u8], wanted: AlgorithmSet) -> Result<Material, KeyError> {
    fitting(bytes, wanted).map(|algorithms| material(bytes, algorithms))
}

/// The algorithms of `wanted` that these bytes are long enough for.
fn fitting(bytes: &[u8], wanted: AlgorithmSet) -> Result<AlgorithmSet, KeyError> {
    let wanted = KeyKind::Secret.narrow(wanted)?;
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
    use crate::VerifyingKey;

    const ALGORITHMS: [(Algorithm, usize); 3] =
        [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)];

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
    fn base64url_is_strict_and_the_error_shows_nothing() {
        let text = URL_SAFE_NO_PAD.encode([0xfb; 32]);
        let decoded = Secret::from_base64url("a", Algorithm::Hs256, &text).unwrap();
        assert_eq!(*decoded.bytes, [0xfb; 32]);

        // 32 bytes leave two bits in the last letter, which must be zero.
        let trailing_bits = format!("{}t", &text[..text.len() - 1]);
        for bad in [format!("{text}="), format!(" {text}"), text.replace('-', "+"), trailing_bits] {
            let error = Secret::from_base64url("a", Algorithm::Hs256, &bad).unwrap_err();
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
