//! RSA public keys (RFC 8017, RFC 7518 section 6.3).

mod roca;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents,
};

use super::{
    Algorithm, AlgorithmSet, KeyError, KeyErrorKind,
    material::{Check, KeyKind, Material, Prepared},
};

/// Shorter ones can be broken (NIST SP 800-131A); RFC 7518 section 3.3 requires this length.
const MIN_MODULUS_BITS: usize = 2048;

/// Longer ones make every check slow without being safer.
const MAX_MODULUS_BITS: usize = 8192;

/// The limit of aws-lc. The usual exponent has 17 bits; a longer one only makes checks slow.
const MAX_EXPONENT_BITS: usize = 33;

/// Makes a key from its modulus and public exponent, big-endian.
///
/// Leading zero bytes are dropped: RFC 7518 section 6.3.1.1 forbids them, but some issuers write them, and they are harmless.
pub(crate) fn prepare(n: &[u8], e: &[u8], wanted: AlgorithmSet) -> Result<Material, KeyError> {
    let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
    let wanted = KeyKind::Rsa.narrow(wanted)?;
    check_modulus(n)?;
    check_exponent(e)?;
    let key = RsaPublicKeyComponents { n, e };
    let checks = parameters()
        .into_iter()
        .filter(|(algorithm, _)| wanted.contains(*algorithm))
        .map(|(algorithm, parameters)| {
            let prepared = key.to_parsed_public_key(parameters).map(Prepared::Public);
            prepared.map(|prepared| Check { algorithms: algorithm.into(), prepared })
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| refuse(KeyErrorKind::Invalid, "not an RSA key"))?;
    Ok(Material::new(KeyKind::Rsa, checks))
}

fn check_modulus(n: &[u8]) -> Result<(), KeyError> {
    let bits = bits(n);
    if bits < MIN_MODULUS_BITS {
        return Err(refuse(
            KeyErrorKind::Weak,
            format!("the RSA modulus has {bits} bits, at least {MIN_MODULUS_BITS} are needed: make a new key"),
        ));
    }
    if bits > MAX_MODULUS_BITS {
        return Err(refuse(
            KeyErrorKind::Unsupported,
            format!("the RSA modulus has {bits} bits, at most {MAX_MODULUS_BITS} are taken"),
        ));
    }
    if !is_odd(n) {
        return Err(refuse(KeyErrorKind::Invalid, "the RSA modulus is even"));
    }
    if roca::is_suspect(n) {
        return Err(refuse(
            KeyErrorKind::Weak,
            "the RSA modulus bears the mark of a broken key generator (ROCA, CVE-2017-15361): make a new key elsewhere",
        ));
    }
    Ok(())
}

/// RFC 8017 section 3.1: odd and at least 3. With exponent 1, every message is its own signature.
fn check_exponent(e: &[u8]) -> Result<(), KeyError> {
    if e.len() <= 1 && e.first().is_none_or(|&e| e < 3) {
        return Err(refuse(KeyErrorKind::Weak, "the RSA exponent is less than 3"));
    }
    if !is_odd(e) {
        return Err(refuse(KeyErrorKind::Invalid, "the RSA exponent is even"));
    }
    let bits = bits(e);
    if bits > MAX_EXPONENT_BITS {
        return Err(refuse(
            KeyErrorKind::Unsupported,
            format!("the RSA exponent has {bits} bits, at most {MAX_EXPONENT_BITS} are taken: 65537 is the usual one"),
        ));
    }
    Ok(())
}

fn parameters() -> [(Algorithm, &'static RsaParameters); 6] {
    [
        (Algorithm::Rs256, &RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::Rs384, &RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::Rs512, &RSA_PKCS1_2048_8192_SHA512),
        (Algorithm::Ps256, &RSA_PSS_2048_8192_SHA256),
        (Algorithm::Ps384, &RSA_PSS_2048_8192_SHA384),
        (Algorithm::Ps512, &RSA_PSS_2048_8192_SHA512),
    ]
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    &number[zeros..]
}

/// Returns the number of bits, without leading zero bytes.
fn bits(number: &[u8]) -> usize {
    let unused = number.first().map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - unused
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

fn refuse(kind: KeyErrorKind, message: impl Into<std::borrow::Cow<'static, str>>) -> KeyError {
    KeyError::new(kind, message)
}

#[cfg(test)]
mod tests;
