//! Public keys on the NIST curves (RFC 7518 section 6.2).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
};

use super::{
    AlgorithmSet, KeyError, KeyErrorKind,
    material::{Check, KeyKind, Material, Prepared},
};

/// A curve, with its only JOSE algorithm.
pub(crate) struct Curve {
    kind: KeyKind,
    /// The length of a coordinate in bytes.
    coordinate: usize,
    verification: &'static EcdsaVerificationAlgorithm,
}

pub(crate) static P256: Curve = Curve { kind: KeyKind::P256, coordinate: 32, verification: &ECDSA_P256_SHA256_FIXED };

pub(crate) static P384: Curve = Curve { kind: KeyKind::P384, coordinate: 48, verification: &ECDSA_P384_SHA384_FIXED };

/// Makes a key from a JWK's coordinates. Each has exactly the curve's length (RFC 7518 section 6.2.1.2): a correct total with a different
/// split is wrong.
pub(crate) fn from_coordinates(curve: &Curve, x: &[u8], y: &[u8], wanted: AlgorithmSet) -> Result<Material, KeyError> {
    if x.len() != curve.coordinate || y.len() != curve.coordinate {
        return Err(invalid(format!(
            "coordinates on {} have {} bytes, these {} and {}: leading zero bytes must be kept",
            curve.kind,
            curve.coordinate,
            x.len(),
            y.len(),
        )));
    }
    from_point(curve, &[&[UNCOMPRESSED], x, y].concat(), wanted)
}

/// Makes a key from a point in its uncompressed form (SEC 1 section 2.3.3).
pub(crate) fn from_point(curve: &Curve, point: &[u8], wanted: AlgorithmSet) -> Result<Material, KeyError> {
    let algorithms = curve.kind.narrow(wanted)?;
    if point.first() != Some(&UNCOMPRESSED) || point.len() != 1 + 2 * curve.coordinate {
        return Err(invalid(format!(
            "not an uncompressed point on {}: `openssl ec -pubin -conv_form uncompressed` rewrites it",
            curve.kind
        )));
    }
    // The library refuses points off the curve; the point at infinity has no uncompressed form.
    let Ok(key) = ParsedPublicKey::new(curve.verification, point) else {
        return Err(invalid(format!("the point is not on {}", curve.kind)));
    };
    let check = Check { algorithms, prepared: Prepared::Public(key) };
    Ok(Material::new(curve.kind, [check]))
}

fn invalid(message: String) -> KeyError {
    KeyError::new(KeyErrorKind::Invalid, message)
}

/// The first byte of a point that is written with both coordinates.
const UNCOMPRESSED: u8 = 4;
