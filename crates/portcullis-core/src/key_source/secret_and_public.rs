//! [`SecretAndPublic`]: the keys of an issuer that signs with a shared secret and with a private key.

use super::{KeyHint, KeySource, Resolved};
use crate::{
    UnixTime,
    keys::{AlgorithmSet, KeyMatch},
};

/// A [`KeySource`] of two sources, for secrets and for public keys: for an issuer that moves from HS256 to a key pair, and meanwhile
/// signs with either.
///
/// Only the algorithm decides which source is asked: an HMAC algorithm uses only the secrets, every other algorithm only the public keys.
/// If one source does not know a key, the other is not asked.
///
/// ```
/// use portcullis_core::{Algorithm, KeySet, Secret, TrustedIssuer};
/// use portcullis_core::keys::{SecretAndPublic, VerifyingKey};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = KeySet::from(Secret::new("2026-10", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?);
/// // Usually fetched: `RemoteKeys`.
/// let published = KeySet::from(VerifyingKey::from_jwk(
///     r#"{ "kty": "OKP", "crv": "Ed25519", "kid": "2026-11", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }"#,
/// )?);
/// let keys = SecretAndPublic::new(secret, published);
/// let issuer = TrustedIssuer::new("https://login.example.com", keys).audience("orders");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SecretAndPublic<S, P> {
    secrets: S,
    public: P,
}

impl<S: KeySource, P: KeySource> SecretAndPublic<S, P> {
    /// Makes one source from two: the source of the secrets (a [`KeySet`](crate::KeySet), a [`KeyRing`](crate::KeyRing), a file), and the
    /// source of the public keys.
    pub fn new(secrets: S, public: P) -> Self {
        Self { secrets, public }
    }

    fn of(&self, hint: KeyHint<'_>) -> &dyn KeySource {
        if hint.algorithm.is_symmetric() { &self.secrets } else { &self.public }
    }
}

impl<S: KeySource, P: KeySource> KeySource for SecretAndPublic<S, P> {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.of(hint).resolve(hint, now)
    }

    fn reconsider(&self, hint: KeyHint<'_>, tried: &KeyMatch) -> Resolved {
        self.of(hint).reconsider(hint, tried)
    }

    /// Which of the two has verified it is not said, and both are of one issuer.
    fn note_verified(&self) {
        self.secrets.note_verified();
        self.public.note_verified();
    }

    /// Returns a number that changes whenever the edition of either source changes, so that no cached token outlives a change of its keys.
    /// `None` while one of them has no edition.
    fn edition(&self, now: UnixTime) -> Option<u64> {
        Some(mixed(self.secrets.edition(now)?).wrapping_add(mixed(self.public.edition(now)?).rotate_left(32)))
    }

    fn problem(&self) -> Option<String> {
        let problems = [self.secrets.problem(), self.public.problem()];
        let halves = [
            (self.secrets.algorithms(), AlgorithmSet::SYMMETRIC, "the source of secrets holds no secret"),
            (self.public.algorithms(), AlgorithmSet::ASYMMETRIC, "the source of public keys holds no public key"),
        ];
        let misplaced = halves.into_iter().filter(|(has, needed, _)| has.intersection(*needed).is_empty());
        let misplaced = misplaced.map(|(.., problem)| problem.to_owned());
        let problems: Vec<_> = problems.into_iter().flatten().chain(misplaced).collect();
        (!problems.is_empty()).then(|| problems.join("; "))
    }

    fn algorithms(&self) -> AlgorithmSet {
        let secrets = self.secrets.algorithms().intersection(AlgorithmSet::SYMMETRIC);
        secrets.union(self.public.algorithms().intersection(AlgorithmSet::ASYMMETRIC))
    }

    fn describe(&self, hint: KeyHint<'_>) -> Option<String> {
        self.of(hint).describe(hint)
    }
}

/// Maps a number to another one that is spread over all bits, without collisions (the finalizer of `SplitMix64`). Editions are small
/// numbers; after this, their sum changes whenever one of them does, and almost certainly when both do.
fn mixed(edition: u64) -> u64 {
    let mixed = (edition ^ (edition >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
