//! [`NkeyError`]: why a text is no nkey.

use std::fmt;

use super::Role;

/// Why a text is no nkey, or not one of the wanted role. It never contains the text, which may be a seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NkeyError {
    kind: NkeyErrorKind,
}

/// The reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NkeyErrorKind {
    /// It has another length than 56 characters (a public key) or 58 (a seed).
    Length,
    /// It is not upper case base32 without padding, or unused bits are set.
    Encoding,
    /// The checksum is wrong: a typing error, or a part of another key.
    Checksum,
    /// The first bytes name no role of NATS.
    UnknownRole,
    /// It is a key of another role than wanted.
    WrongRole {
        /// The role that was wanted.
        expected: Role,
        /// The role that it has.
        found: Role,
    },
    /// It is a seed where a public key belongs.
    Seed,
    /// It is a public key where a seed belongs.
    NoSeed,
    /// There is no seed of an operator, an account or a user in the text of a file.
    NotFound,
    /// The key is of small order, so anyone can sign for it; or it is no Ed25519 key.
    Weak,
    /// The seed belongs to another public key.
    Mismatch,
}

impl NkeyError {
    pub(crate) const fn new(kind: NkeyErrorKind) -> Self {
        Self { kind }
    }

    /// Returns the reason.
    pub const fn kind(&self) -> NkeyErrorKind {
        self.kind
    }
}

impl fmt::Display for NkeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            NkeyErrorKind::Length => f.write_str("an nkey has 56 characters, and a seed has 58"),
            NkeyErrorKind::Encoding => {
                f.write_str("an nkey consists of A to Z and 2 to 7, with no other characters around it")
            }
            NkeyErrorKind::Checksum => f.write_str("the checksum of the nkey is wrong: copy the whole text again"),
            NkeyErrorKind::UnknownRole => {
                f.write_str("an nkey begins with O, A, U, N, C or X, and a seed with S and one of these letters")
            }
            NkeyErrorKind::WrongRole { expected, found } => {
                write!(f, "a key of {expected} is needed here, and this is a key of {found}")
            }
            NkeyErrorKind::Seed => f.write_str("this is a seed, which is secret, and a public key is needed here"),
            NkeyErrorKind::NoSeed => f.write_str("this is a public key, and a seed is needed here"),
            NkeyErrorKind::NotFound => {
                f.write_str("there is no seed in the file: a line, or a second block, that begins with SO, SA or SU")
            }
            NkeyErrorKind::Weak => f.write_str("the nkey is no usable Ed25519 key: anyone could sign for it"),
            NkeyErrorKind::Mismatch => f.write_str("the seed belongs to another public key"),
        }
    }
}

impl std::error::Error for NkeyError {}

impl From<NkeyErrorKind> for NkeyError {
    fn from(kind: NkeyErrorKind) -> Self {
        Self::new(kind)
    }
}
