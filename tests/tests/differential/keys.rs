//! A key of each kind, and who signs with it.

use jsonwebtoken::{DecodingKey, jwk::JwkSet};
use portcullis_test::MockIssuer;

/// One of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Hs256,
    Es256,
    EdDsa,
}

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signer {
    Issuer,
    /// With a key of the same kind and id, which is not trusted.
    Stranger,
}

impl Key {
    pub(crate) const ALL: [Self; 3] = [Self::Hs256, Self::Es256, Self::EdDsa];

    pub(crate) fn algorithm(self) -> portcullis::Algorithm {
        match self {
            Self::Hs256 => portcullis::Algorithm::Hs256,
            Self::Es256 => portcullis::Algorithm::Es256,
            Self::EdDsa => portcullis::Algorithm::EdDsa,
        }
    }

    /// The same in jsonwebtoken's words.
    pub(crate) fn their_algorithm(self) -> jsonwebtoken::Algorithm {
        self.algorithm().name().parse().unwrap()
    }

    /// The id that the key has.
    pub(crate) fn id(self) -> String {
        format!("{}-1", self.algorithm().name().to_ascii_lowercase())
    }

    /// Returns an issuer that signs with such a key; a different one at every call.
    pub(crate) fn issuer(self, signer: Signer) -> MockIssuer {
        let issuer = match self {
            Self::Hs256 => MockIssuer::with_secret(self.id(), self.algorithm(), [signer as u8; 32]),
            Self::Es256 | Self::EdDsa => MockIssuer::with_algorithm(self.algorithm()),
        };
        assert_eq!(issuer.key_id(), self.id());
        issuer
    }
}

/// The issuer's key as jsonwebtoken takes it.
pub(crate) fn decoding_key(issuer: &MockIssuer) -> DecodingKey {
    let set: JwkSet = serde_json::from_str(&issuer.jwks_with_secrets()).unwrap();
    DecodingKey::from_jwk(&set.keys[0]).unwrap()
}
