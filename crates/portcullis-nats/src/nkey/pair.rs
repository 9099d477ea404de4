//! [`KeyPair`]: a key that signs.

use std::{fmt, sync::Arc};

use aws_lc_rs::{
    rand,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use portcullis_core::{
    Algorithm,
    signing::{Signature, Signer, Signing},
};
use zeroize::Zeroizing;

use super::{
    NkeyError, NkeyErrorKind, PublicKey, Role, decorated,
    text::{KEY_LEN, read_seed, write_seed},
};

/// The text of a seed. It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(Zeroizing<String>);

impl Seed {
    /// Returns the text. Anyone who has it can sign.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(REDACTED)")
    }
}

/// A key that signs, with its public half. Cheap to clone; the private half is wiped with the last clone, and `Debug` does not show it.
///
/// It is a [`Signer`], so that tokens can also be minted with a key that lives elsewhere.
///
/// ```
/// use portcullis_nats::nkey::{KeyPair, Role};
///
/// let key = KeyPair::generate(Role::Account)?;
/// let same = KeyPair::from_seed(key.seed().reveal())?;
/// assert_eq!(key.public_key(), same.public_key());
/// # Ok::<(), portcullis_nats::nkey::NkeyError>(())
/// ```
#[derive(Clone)]
pub struct KeyPair(Arc<Pair>);

struct Pair {
    public: PublicKey,
    private: Zeroizing<[u8; KEY_LEN]>,
    signing: Ed25519KeyPair,
}

impl KeyPair {
    /// Makes a new key.
    ///
    /// # Errors
    ///
    /// [`NkeyErrorKind::Weak`] for [`Role::Curve`], whose keys cannot sign, and if the system has no random numbers.
    pub fn generate(role: Role) -> Result<Self, NkeyError> {
        let mut private = Zeroizing::new([0; KEY_LEN]);
        rand::fill(&mut *private).map_err(|_| NkeyErrorKind::Weak)?;
        Self::new(role, private)
    }

    /// Reads a seed, which begins with `S`.
    ///
    /// # Errors
    ///
    /// If it is no seed, or that of a [`Role::Curve`] key, which cannot sign. A seed that comes from a file may have a line end behind it, or other
    /// text around it: use [`from_decorated`](Self::from_decorated).
    pub fn from_seed(seed: &str) -> Result<Self, NkeyError> {
        let (role, private) = read_seed(seed)?;
        Self::new(role, private)
    }

    /// Reads the seed in the text of a file: a credentials file, a seed between two lines of dashes, or a line that begins with `SO`, `SA` or
    /// `SU`. Text around is ignored.
    ///
    /// This is what `ParseDecoratedNKey` of the library in Go reads: of a file with two blocks the second one counts, and otherwise the first
    /// such line. For a user's key, also [`require`](Self::require) the role. A credentials file of which the token is needed, too, is read by
    /// [`Creds::parse`](crate::creds::Creds::parse), which checks that both belong together.
    ///
    /// ```
    /// use portcullis_nats::nkey::{KeyPair, Role};
    ///
    /// let file = "\
    ///     -----BEGIN ACCOUNT NKEY SEED-----\n\
    ///     SAAB7AZPIIJGM2JJJM3F6D6RNNW43OKV2UKCUSLQVIHVBNA5ZD3HGVNPSY\n\
    ///     ------END ACCOUNT NKEY SEED------\n";
    /// assert_eq!(KeyPair::from_decorated(file)?.role(), Role::Account);
    /// # Ok::<(), portcullis_nats::nkey::NkeyError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`NkeyErrorKind::NotFound`] if there is no such line, and as [`from_seed`](Self::from_seed) if it is no seed.
    #[doc(alias = "ParseDecoratedNKey")]
    #[doc(alias = "ParseDecoratedUserNKey")]
    pub fn from_decorated(text: &str) -> Result<Self, NkeyError> {
        Self::from_seed(decorated::seed(text)?)
    }

    fn new(role: Role, private: Zeroizing<[u8; KEY_LEN]>) -> Result<Self, NkeyError> {
        if role == Role::Curve {
            return Err(NkeyErrorKind::Weak.into());
        }
        let signing = Ed25519KeyPair::from_seed_unchecked(&*private).map_err(|_| NkeyErrorKind::Weak)?;
        let public = <[u8; KEY_LEN]>::try_from(signing.public_key().as_ref()).map_err(|_| NkeyErrorKind::Weak)?;
        let public = PublicKey::new(role, public)?;
        Ok(Self(Arc::new(Pair { public, private, signing })))
    }

    /// Returns the public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public
    }

    /// Returns the role.
    pub fn role(&self) -> Role {
        self.0.public.role()
    }

    /// Returns the seed.
    pub fn seed(&self) -> Seed {
        Seed(write_seed(self.role(), &self.0.private))
    }

    /// Signs these bytes (RFC 8032).
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        // An Ed25519 signature has 64 bytes.
        bytes.copy_from_slice(self.0.signing.sign(message).as_ref());
        bytes
    }

    /// Refuses a key of another role.
    ///
    /// # Errors
    ///
    /// [`NkeyErrorKind::WrongRole`].
    pub fn require(&self, expected: Role) -> Result<(), NkeyError> {
        let found = self.role();
        if found == expected { Ok(()) } else { Err(NkeyErrorKind::WrongRole { expected, found }.into()) }
    }
}

impl Signer for KeyPair {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDsa
    }

    /// Returns the text of the public key.
    fn key_id(&self) -> &str {
        self.0.public.as_str()
    }

    fn sign(&self, input: &[u8]) -> Signing {
        Signing::Done(Ok(Signature::new(Self::sign(self, input))))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").field("public", &self.0.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_halves_are_wiped() {
        fn is_wiped(_: &impl zeroize::ZeroizeOnDrop) {}
        let key = KeyPair::generate(Role::User).unwrap();
        is_wiped(&key.0.private);
        is_wiped(&key.seed().0);
    }
}
