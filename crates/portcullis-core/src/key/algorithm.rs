//! [`Algorithm`] and [`AlgorithmSet`]: the supported signature algorithms.

use std::{fmt, str::FromStr};

/// A signature algorithm (RFC 7518 section 3, RFC 8037, RFC 9864).
///
/// All others are not supported: `none` in any spelling, SHA-1, ES512, ES256K.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256, a shared secret of at least 32 bytes.
    Hs256,
    /// HMAC with SHA-384, a shared secret of at least 48 bytes.
    Hs384,
    /// HMAC with SHA-512, a shared secret of at least 64 bytes.
    Hs512,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS #1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS #1 v1.5 with SHA-512.
    Rs512,
    /// RSA PSS with SHA-256 and a salt as long as the hash.
    Ps256,
    /// RSA PSS with SHA-384 and a salt as long as the hash.
    Ps384,
    /// RSA PSS with SHA-512 and a salt as long as the hash.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519 under its older, polymorphic name `EdDSA` (RFC 8037). This does not include Ed448.
    EdDsa,
    /// Ed25519 under its fully specified name (RFC 9864).
    ///
    /// The same signature as [`Algorithm::EdDsa`], but a separate value, because an allow-list contains names.
    Ed25519,
}

impl Algorithm {
    /// Every algorithm, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// Returns the registered name, as written in a header's `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Returns the algorithm with this registered name, compared exactly (RFC 7515 section 4.1.1: case-sensitive).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|algorithm| algorithm.name() == name)
    }

    /// Whether the key is a secret that both sides share, so that everyone who can verify can also sign.
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::from_name(name).ok_or(UnknownAlgorithm(()))
    }
}

/// The name is not that of an [`Algorithm`].
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "unknown algorithm: use HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA or Ed25519"
)]
pub struct UnknownAlgorithm(());

/// A set of [`Algorithm`]s: those that a key supports, or that a policy allows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// No algorithm: nothing is accepted.
    pub const EMPTY: Self = Self(0);

    /// Every algorithm with a public and a private key.
    pub const ASYMMETRIC: Self = Self(Self::ALL.0 & !Self::SYMMETRIC.0);

    /// Every algorithm with a shared secret.
    pub const SYMMETRIC: Self = Self::of(&[Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512]);

    /// Every algorithm.
    pub const ALL: Self = Self::of(Algorithm::ALL);

    /// Returns the set of these algorithms.
    pub const fn of(algorithms: &[Algorithm]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < algorithms.len() {
            bits |= 1 << algorithms[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// Whether the set contains `algorithm`.
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u16) != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the algorithms that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the algorithms that are in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the algorithms in the set, in the order of [`Algorithm::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.iter().copied().filter(move |algorithm| self.contains(*algorithm))
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl fmt::Display for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, algorithm) in self.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{algorithm}")?;
        }
        Ok(())
    }
}

impl From<Algorithm> for AlgorithmSet {
    fn from(algorithm: Algorithm) -> Self {
        Self::of(&[algorithm])
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        algorithms.into_iter().fold(Self::EMPTY, |set, algorithm| set.union(algorithm.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_algorithm() {
        for &algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse::<Algorithm>().unwrap(), algorithm);
        }
    }

    #[test]
    fn other_spellings_and_unlisted_names_do_not_exist() {
        for name in ["none", "None", "NONE", "", "rs256", "HS256 ", "RS1", "ES512", "ES256K", "Ed448", "none\0"] {
            assert!(Algorithm::from_name(name).is_none(), "{name}");
        }
    }

    #[test]
    fn symmetric_and_asymmetric_share_nothing_and_are_everything() {
        assert!(AlgorithmSet::SYMMETRIC.intersection(AlgorithmSet::ASYMMETRIC).is_empty());
        assert_eq!(AlgorithmSet::SYMMETRIC.union(AlgorithmSet::ASYMMETRIC), AlgorithmSet::ALL);
        assert!(Algorithm::ALL.iter().copied().all(|a| a.is_symmetric() == AlgorithmSet::SYMMETRIC.contains(a)));
    }
}
