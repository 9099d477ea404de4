//! A requirement that a handler's signature shows.

use std::{fmt, marker::PhantomData, ops::Deref};

use portcullis_core::AnyVerified;

/// The verified token of a caller who meets `G`'s requirement.
pub struct Require<G>(AnyVerified, PhantomData<fn() -> G>);

impl<G> Deref for Require<G> {
    type Target = AnyVerified;

    fn deref(&self) -> &AnyVerified {
        &self.0
    }
}

impl<G> fmt::Debug for Require<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Require").field(&self.0).finish()
    }
}
