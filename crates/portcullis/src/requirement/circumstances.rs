//! [`Circumstances`]: what a requirement is checked against.

use portcullis_core::{UnixTime, verified::AnyVerified};

use super::PathParams;

/// The caller, the resource and the time: what a [`Requirement`](super::Requirement) is checked against.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Circumstances<'a> {
    /// The verified token of the caller.
    pub verified: &'a AnyVerified,
    /// The parameters in the request's path.
    pub params: &'a PathParams,
    /// The current time.
    pub now: UnixTime,
}

impl<'a> Circumstances<'a> {
    /// Returns the circumstances of these parts.
    pub const fn new(verified: &'a AnyVerified, params: &'a PathParams, now: UnixTime) -> Self {
        Self { verified, params, now }
    }

    pub(super) fn to_owned(self) -> OwnedCircumstances {
        OwnedCircumstances { verified: self.verified.clone(), params: self.params.clone(), now: self.now }
    }
}

/// Owned circumstances, for a decision that outlives the call.
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
