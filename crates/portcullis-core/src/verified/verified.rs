//! [`Verified`]: a verified token, with the application's own claims.

use std::{any::Any, any::type_name, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use super::Facts;
use crate::AuthError;

/// A verified token. It dereferences to its [`Contents`]: the [`Facts`], such as `token.subject()`, and the application's own claims `C`,
/// such as `token.custom.tenant`.
///
/// Only verification creates it, so having one is proof. The claims are parsed once. Cloning is cheap.
#[doc(alias = "TokenData")]
pub struct Verified<C = NoCustom>(Arc<Contents<C>>);

/// What a [`Verified`] token says. It dereferences to its [`Facts`].
pub struct Contents<C> {
    facts: Facts,
    /// The application's own claims.
    #[doc(alias = "claims")]
    pub custom: C,
}

impl<C> Verified<C> {
    /// Creates a proof for which **the caller is responsible**.
    ///
    /// This is one of the ways around verification. All of them are named `assertion`, so one search finds their uses. They are
    /// meant for authenticators of another kind, and for tests.
    pub fn assertion(facts: Facts, custom: C) -> Self {
        make_verified(facts, custom)
    }

    /// Creates the same proof, and reads the application's own claims from the facts.
    ///
    /// # Errors
    ///
    /// [`Code::CustomClaimsMalformed`](crate::Code::CustomClaimsMalformed) if they do not have the form of `C`.
    pub fn assertion_of(facts: Facts) -> Result<Self, AuthError>
    where
        C: DeserializeOwned,
    {
        let custom = facts.read_custom()?;
        Ok(Self::assertion(facts, custom))
    }
}

/// Creates a proof after this crate has verified it. It is not an associated function, because the compiler would suggest that to
/// a developer who writes `Verified(..)`.
pub(crate) fn make_verified<C>(facts: Facts, custom: C) -> Verified<C> {
    Verified(Arc::new(Contents { facts, custom }))
}

impl<C> Deref for Verified<C> {
    type Target = Contents<C>;

    fn deref(&self) -> &Contents<C> {
        &self.0
    }
}

impl<C> Deref for Contents<C> {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        &self.facts
    }
}

impl<C> Clone for Verified<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Shows issuer and expiry; claims are personal data and are left out.
impl<C> fmt::Debug for Verified<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.facts).finish()
    }
}

/// Shows issuer and expiry; claims are personal data and are left out.
impl<C> fmt::Debug for Contents<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contents").field("facts", &self.facts).finish_non_exhaustive()
    }
}

/// No custom claims: the default of [`Verified`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct NoCustom;

impl<'de> Deserialize<'de> for NoCustom {
    /// Reads nothing, so programs without custom claims do not pay for reading the claims a second time.
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

impl Serialize for NoCustom {
    /// Writes nothing, so that an issuer without custom claims need not name a type of its own.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

/// A [`Verified`] with any custom type: stored in a request, and used by guards.
#[derive(Clone)]
pub struct AnyVerified(Arc<dyn ErasedContents>);

trait ErasedContents: Any + Send + Sync {
    fn facts(&self) -> &Facts;
    fn custom_type(&self) -> &'static str;
}

impl<C: Send + Sync + 'static> ErasedContents for Contents<C> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn custom_type(&self) -> &'static str {
        type_name::<C>()
    }
}

impl AnyVerified {
    /// Returns the proof with its custom claims; `None` if they have another type.
    pub fn downcast<C: Send + Sync + 'static>(&self) -> Option<Verified<C>> {
        self.clone().into_typed()
    }

    /// Converts into the proof with its custom claims; `None` if they have another type.
    pub fn into_typed<C: Send + Sync + 'static>(self) -> Option<Verified<C>> {
        let contents: Arc<dyn Any + Send + Sync> = self.0;
        contents.downcast::<Contents<C>>().ok().map(Verified)
    }

    /// Returns the name of the custom claims' type, for a developer's error message.
    pub fn custom_type(&self) -> &'static str {
        self.0.custom_type()
    }
}

impl Deref for AnyVerified {
    type Target = Facts;

    fn deref(&self) -> &Facts {
        self.0.facts()
    }
}

impl fmt::Debug for AnyVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyVerified").field(self.0.facts()).finish()
    }
}

impl<C: Send + Sync + 'static> From<Verified<C>> for AnyVerified {
    fn from(verified: Verified<C>) -> Self {
        Self(verified.0)
    }
}
