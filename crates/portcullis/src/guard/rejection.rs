//! How a guard answers.

use std::{fmt, sync::Arc};

use http::Response;
use portcullis_core::AuthError;

use crate::{AuthContext, BearerChallenge, MakeRejection};

/// Answers a request that a guard refuses: [`InheritedRejection`], or [`OwnRejection`] with any [`MakeRejection`].
#[diagnostic::on_unimplemented(
    message = "this guard cannot answer refusals with a body of the type `{B}`",
    note = "the default needs `{B}: From<String>`; call `.rejection(..)` with `GrpcStatus` or a closure otherwise"
)]
pub trait Reject<B> {
    /// The answer to `error`. `context` is what the layer in front has left, if there is one.
    fn reject(&self, context: Option<&AuthContext>, error: &AuthError) -> Response<B>;
}

/// Answers as the [`AuthLayer`](crate::AuthLayer) in front is configured to, by its [`BearerChallenge`]. The default.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct InheritedRejection;

impl<B: From<String>> Reject<B> for InheritedRejection {
    fn reject(&self, context: Option<&AuthContext>, error: &AuthError) -> Response<B> {
        match context {
            Some(context) => context.challenge().make_rejection(error),
            None => BearerChallenge::new().make_rejection(error),
        }
    }
}

/// Answers in its own way: made by [`RequireLayer::rejection`](crate::RequireLayer::rejection).
pub struct OwnRejection<R>(Arc<R>);

impl<R> OwnRejection<R> {
    pub(crate) fn new(rejection: R) -> Self {
        Self(Arc::new(rejection))
    }
}

impl<B, R: MakeRejection<B>> Reject<B> for OwnRejection<R> {
    fn reject(&self, _: Option<&AuthContext>, error: &AuthError) -> Response<B> {
        self.0.make_rejection(error)
    }
}

impl<R> Clone for OwnRejection<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R> fmt::Debug for OwnRejection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnRejection")
    }
}
