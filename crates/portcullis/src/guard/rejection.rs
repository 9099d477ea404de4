//! [`InheritedRejection`]: a guard's default answer.

use http::Response;
use portcullis_core::AuthError;

use crate::rejection::{BearerChallenge, MakeRejection};

/// Answers with the [`BearerChallenge`] of the [`AuthLayer`](crate::AuthLayer) in front. The default for guards.
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
