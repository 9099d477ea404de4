//! [`Authenticator`]: decides whose credential it is; and its implementation for JSON Web Tokens.

mod attempt;
mod credential;
mod dispatch;
mod dispatch_branch;
mod explain;
mod jwt;
mod nonce;
mod proven;
mod request_view;
mod token68;

pub use attempt::{Attempt, Waiting};
pub(crate) use credential::Time;
pub use credential::{Credential, Presented, Scheme};
pub use dispatch::{Dispatch, DispatchBuilder};
pub use dispatch_branch::{DispatchBranch, IntoBranch};
pub use explain::{Explain, Explainable, Explaining};
pub use jwt::JwtAuthenticator;
pub use nonce::Nonce;
pub(crate) use proven::Proof;
pub use proven::{Edition, Proven};
pub use request_view::{Channel, Header, RequestView};

use std::{fmt, sync::Arc};

use crate::{AuthError, Code, UnixTime, Verified, token::UnverifiedToken, verified::Conventions};

/// Finds out whose credential it is, and nothing else. The [`Admission`](crate::Admission) around it looks into the cache first;
/// afterwards it checks revocation, caches the credential and hands its [`Verified`] to the request.
///
/// Implement it for another kind of credential (an opaque token that is looked up in a store, a trust chain): see the example of
/// [`Proven`]. The rules:
///
/// - Return [`Attempt::Done`] whenever everything needed is available; return a future only if it takes time. The future has no
///   access to the request: check what the request has to prove beforehand, and say so ([`Proven::proof_shown`]).
///   A proof that is still owed after a wait cannot be checked, and is answered as a
///   [misconfiguration](Code::ServiceMisconfigured).
/// - A bad credential is refused, never skipped: no other authenticator is asked about it.
/// - If the outcome cannot be determined, return an error of kind [`Unavailable`](crate::error::AuthErrorKind::Unavailable),
///   never one of kind [`InvalidToken`](crate::error::AuthErrorKind::InvalidToken), and never an identity.
/// - A condition on the request, such as its peer's address, is a proof that is [owed](Proven::proof_owed) with each request: a
///   cached credential is found by its bytes and its scheme alone.
/// - Do not cache, and do not check revocation: the admission does both, and checks a [cached](Proven::cache_until) credential
///   for every request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authenticate credentials",
    note = "make a `JwtAuthenticator` of one or several `TrustedIssuer`s"
)]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// The application's own claims, for its handlers; [`NoCustom`](crate::verified::NoCustom) if there are none.
    type Custom: Send + Sync + 'static;

    /// Finds out whose credential it is.
    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<Self::Custom>>;

    /// Returns whether a result of that edition would be the same at `now`. Called for every cached credential, so answer from
    /// memory, without a lock.
    ///
    /// Defaults to `true` for [`Edition::default`] and `false` for any other.
    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        let _ = now;
        edition == Edition::default()
    }

    /// Checks that the request proves what this credential, verified just now or earlier, [owes](Proven::proof_owed). Must not
    /// wait.
    ///
    /// Defaults to refusing every request: [`Code::ProofMissing`].
    ///
    /// # Errors
    ///
    /// If the request does not prove it.
    fn check_proof(&self, credential: Credential<'_>, verified: &Verified<Self::Custom>) -> Result<(), AuthError> {
        let _ = (credential, verified);
        Err(AuthError::new(Code::ProofMissing))
    }

    /// Returns the length of the longest accepted credential, in bytes; the admission refuses longer ones without asking.
    /// Defaults to 16 KiB.
    fn max_len(&self) -> usize {
        UnverifiedToken::MAX_LEN
    }

    /// Returns how this issuer writes its tokens, if it is currently trusted here. Called by a view of revocations, which can
    /// then report a revocation that would have no effect
    /// ([`RevocationView::problem_with`](crate::revocation::RevocationView::problem_with)).
    ///
    /// Defaults to `None`: it is not known.
    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        let _ = issuer;
        None
    }

    /// Returns the schemes under which this accepts credentials. A layer looks for these in the `Authorization` HTTP header, and
    /// ignores credentials under any other scheme. The admission refuses other schemes
    /// ([`Code::CredentialKindUnknown`]), so that [`verify`](Self::verify) need not look at the scheme. Called once, when the admission
    /// is made.
    ///
    /// Defaults to [`Scheme::Bearer`] alone.
    fn schemes(&self) -> Vec<Scheme> {
        vec![Scheme::Bearer]
    }

    /// Returns the issuers that are currently configured, for metrics with a label for each
    /// ([`Facts::issuer`](crate::verified::Facts::issuer) is the name in the conventions). Called once, when a layer is built.
    ///
    /// Defaults to none: the credentials that this authenticator verifies are then counted under `dynamic`.
    fn issuers(&self) -> Vec<Arc<Conventions>> {
        Vec::new()
    }
}

impl<T: Authenticator + ?Sized> Authenticator for Arc<T> {
    type Custom = T::Custom;

    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<T::Custom>> {
        (**self).verify(credential)
    }

    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        (**self).is_current(edition, now)
    }

    fn check_proof(&self, credential: Credential<'_>, verified: &Verified<T::Custom>) -> Result<(), AuthError> {
        (**self).check_proof(credential, verified)
    }

    fn max_len(&self) -> usize {
        (**self).max_len()
    }

    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        (**self).conventions(issuer)
    }

    fn schemes(&self) -> Vec<Scheme> {
        (**self).schemes()
    }

    fn issuers(&self) -> Vec<Arc<Conventions>> {
        (**self).issuers()
    }
}
