//! Ed25519 public keys (RFC 8032, RFC 8037).

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};

use super::{
    AlgorithmSet, KeyError, KeyErrorKind,
    material::{Check, KeyKind, Material, Prepared},
};

/// The length of a public key (RFC 8032 section 5.1.5).
const LENGTH: usize = 32;

pub(crate) fn prepare(octets: &[u8], wanted: AlgorithmSet) -> Result<Material, KeyError> {
    let algorithms = KeyKind::Ed25519.narrow(wanted)?;
    let invalid = |message| Err(KeyError::new(KeyErrorKind::Invalid, message));
    let Ok(point) = <[u8; LENGTH]>::try_from(octets) else {
        return invalid(format!("an Ed25519 key has {LENGTH} bytes, this one {}", octets.len()));
    };
    if is_of_small_order(point) {
        let message = "the Ed25519 point is of small order: anyone can sign for it";
        return Err(KeyError::new(KeyErrorKind::Weak, message));
    }
    let Ok(key) = ParsedPublicKey::new(&ED25519, point) else {
        return invalid("not an Ed25519 key".to_owned());
    };
    let check = Check { algorithms, prepared: Prepared::Public(key) };
    Ok(Material::new(KeyKind::Ed25519, [check]))
}

/// Whether the point has at most eight multiples, so that signatures for it can be made without a private key.
fn is_of_small_order(mut point: [u8; LENGTH]) -> bool {
    // The sign of x is the highest bit (RFC 8032 section 5.1.2); the points come in pairs.
    point[LENGTH - 1] &= 0x7f;
    SMALL_ORDER.contains(&point)
}

/// The y coordinates of all points of order 1, 2, 4 and 8, including those that an encoding beyond the prime can reach.
const SMALL_ORDER: [[u8; LENGTH]; 7] = [
    y(0x00, 0x00, 0x00),
    y(0x01, 0x00, 0x00),
    y(0xec, 0xff, 0x7f),
    y(0xed, 0xff, 0x7f),
    y(0xee, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Returns a little-endian number whose bytes are all equal, except for the first and the last.
const fn y(first: u8, middle: u8, last: u8) -> [u8; LENGTH] {
    let mut bytes = [middle; LENGTH];
    bytes[0] = first;
    bytes[LENGTH - 1] = last;
    bytes
}
