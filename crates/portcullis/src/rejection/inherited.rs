//! [`InheritedRejection`]: the default answer of layers and guards.

use http::Response;
use portcullis_core::AuthError;

use super::{BearerChallenge, MakeRejection};

/// Answers with the [`challenge`](crate::AuthLayer::challenge) of the [`AuthLayer`](crate::AuthLayer). The default for layers and guards.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InheritedRejection;

impl<B: From<String>> MakeRejection<B> for InheritedRejection {
    fn make_rejection(&self, error: &AuthError) -> Response<B> {
        BearerChallenge::new().make_rejection(error)
    }

    fn make_inherited_rejection(&self, layer: &BearerChallenge, error: &AuthError) -> Response<B> {
        layer.make_rejection(error)
    }
}
