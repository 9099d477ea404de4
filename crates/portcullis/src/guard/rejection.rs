//! How a guard answers unless it is told otherwise.

use http::Response;
use portcullis_core::AuthError;

use crate::rejection::{BearerChallenge, MakeRejection};

/// Answers as the [`AuthLayer`](crate::AuthLayer) in front is configured to, by its [`BearerChallenge`]. The guards'
/// default.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InheritedRejection;

impl<B: From<String>> MakeRejection<B> for InheritedRejection {
    fn make_rejection(&self, error: &AuthError) -> Response<B> {
        BearerChallenge::new().make_rejection(error)
    }

    fn make_guard_rejection(&self, layer: &BearerChallenge, error: &AuthError) -> Response<B> {
        layer.make_rejection(error)
    }
}
