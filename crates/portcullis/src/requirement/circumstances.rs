//! What a requirement is held against.

use portcullis_core::{UnixTime, verified::AnyVerified};

use super::PathParams;

/// Who wants in, to what, and when: what a [`Requirement`](super::Requirement) is held against.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Circumstances<'a> {
    /// The verified token of the caller.
    pub verified: &'a AnyVerified,
    /// What the request's path says about the resource.
    pub params: &'a PathParams,
    /// The present instant.
    pub now: UnixTime,
}

impl<'a> Circumstances<'a> {
    /// All of it.
    pub const fn new(verified: &'a AnyVerified, params: &'a PathParams, now: UnixTime) -> Self {
        Self { verified, params, now }
    }

    pub(super) fn to_owned(self) -> OwnedCircumstances {
        OwnedCircumstances { verified: self.verified.clone(), params: self.params.clone(), now: self.now }
    }
}

/// The same for a decision that outlives the call.
pub(super) struct OwnedCircumstances {
    pub(super) verified: AnyVerified,
    pub(super) params: PathParams,
    now: UnixTime,
}

impl OwnedCircumstances {
    pub(super) const fn borrow(&self) -> Circumstances<'_> {
        Circumstances::new(&self.verified, &self.params, self.now)
    }
}
