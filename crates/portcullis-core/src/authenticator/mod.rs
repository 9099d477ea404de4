//! The whole question, "who presents this?", and its answer for JSON Web Tokens.

mod attempt;
mod jwt;

pub use attempt::{Attempt, Waiting};
pub use jwt::JwtAuthenticator;

use std::{fmt, sync::Arc};

use crate::AnyVerified;

/// Decides whom a credential proves.
///
/// Implement it for another kind of credential (an opaque token looked up in a store, a trust chain). The rules:
///
/// - Answer [`Attempt::Done`] whenever everything needed is at hand; a future is for what takes time.
/// - A bad credential is refused, never skipped: there is no "somebody else may know it".
/// - "We could not find out" is an error of kind [`Unavailable`](crate::AuthErrorKind::Unavailable), never of kind
///   [`InvalidToken`](crate::AuthErrorKind::InvalidToken), and never an identity.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authenticate credentials",
    note = "make a `JwtAuthenticator` of one or several `TrustedIssuer`s"
)]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Authenticates the credential.
    fn authenticate(&self, credential: Credential<'_>) -> Attempt;

    /// Returns the identity for a credential authenticated earlier, recognised by its exact bytes; `None` if it is not remembered, or
    /// would not be accepted again now.
    ///
    /// Called before anything about the bytes is checked. [`authenticate`](Self::authenticate) is called if this returns `None`, and for
    /// credentials that have to be decoded first. Must not wait.
    ///
    /// Defaults to `None`: an authenticator that remembers nothing authenticates every credential again. An authenticator around another
    /// one passes this on only if what it adds holds for a recalled credential, too: it is not asked again.
    fn recall(&self, credential: &[u8]) -> Option<AnyVerified> {
        let _ = credential;
        None
    }
}

impl<T: Authenticator + ?Sized> Authenticator for Arc<T> {
    fn authenticate(&self, credential: Credential<'_>) -> Attempt {
        (**self).authenticate(credential)
    }

    fn recall(&self, credential: &[u8]) -> Option<AnyVerified> {
        (**self).recall(credential)
    }
}

/// What a request presents. `Debug` shows nothing of it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Credential<'a> {
    /// The text of the token.
    pub token: &'a str,
}

impl<'a> Credential<'a> {
    /// A bearer token.
    pub const fn bearer(token: &'a str) -> Self {
        Self { token }
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(redacted)")
    }
}
