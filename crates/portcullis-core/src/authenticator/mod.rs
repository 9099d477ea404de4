//! The whole question, "who presents this?", and its answer for JSON Web Tokens.

mod attempt;
mod credential;
mod dispatch;
mod dispatch_branch;
mod explain;
mod jwt;
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
pub(crate) use proven::Proof;
pub use proven::{Edition, Proven};
pub use request_view::{Channel, Header, RequestView};

use std::{fmt, sync::Arc};

use crate::{AuthError, Code, UnixTime, Verified, token::UnverifiedToken, verified::Conventions};

/// Finds out whom a credential proves, and nothing else: the [`Admission`](crate::Admission) around it looks into the cache first, and afterwards checks
/// revocation, remembers the credential and hands its [`Verified`] to the request.
///
/// Implement it for another kind of credential (an opaque token looked up in a store, a trust chain): see the example of [`Proven`]. The rules:
///
/// - Answer [`Attempt::Done`] whenever everything needed is at hand; a future is for what takes time. The request cannot be looked at in the future:
///   check what it has to prove before, and say so ([`Proven::proof_shown`]).
/// - A bad credential is refused, never skipped: no other authenticator is asked about it.
/// - "We could not find out" is an error of kind [`Unavailable`](crate::error::AuthErrorKind::Unavailable), never of kind
///   [`InvalidToken`](crate::error::AuthErrorKind::InvalidToken), and never an identity.
/// - What depends on the request, such as its peer's address, is a proof that is [owed](Proven::proof_owed) with each request: a credential that is remembered
///   is recognised by its octets and its scheme alone.
/// - Keep no cache and ask no revocation: what is [remembered](Proven::cache_until) is checked against both for every request.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not authenticate credentials",
    note = "make a `JwtAuthenticator` of one or several `TrustedIssuer`s"
)]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// The application's own claims, which a handler reads: [`NoCustom`](crate::verified::NoCustom) if there are none.
    type Custom: Send + Sync + 'static;

    /// Finds out whom the credential proves.
    fn verify(&self, credential: Credential<'_>) -> Attempt<Proven<Self::Custom>>;

    /// Whether what was found in that edition would be found again at `now`. Asked for every credential that is remembered, so answer from
    /// memory, without a lock.
    ///
    /// Defaults to yes for [`Edition::default`] and to no for any other.
    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        let _ = now;
        edition == Edition::default()
    }

    /// Checks that the request proves what this credential, which was verified just now or earlier, [owes](Proven::proof_owed). Must not wait.
    ///
    /// Defaults to refusing every request: [`Code::ProofMissing`].
    ///
    /// # Errors
    ///
    /// That of the request which does not prove it.
    fn check_proof(&self, credential: Credential<'_>, verified: &Verified<Self::Custom>) -> Result<(), AuthError> {
        let _ = (credential, verified);
        Err(AuthError::new(Code::ProofMissing))
    }

    /// The longest credential that is accepted, in bytes; the admission refuses longer ones without asking. Defaults to 16 KiB.
    fn max_len(&self) -> usize {
        UnverifiedToken::MAX_LEN
    }

    /// Returns how this issuer writes its tokens, if it is trusted here at the moment. Asked by a view of revocations, which can then say that a
    /// revocation would hit nothing ([`RevocationView::problem_with`](crate::revocation::RevocationView::problem_with)).
    ///
    /// Defaults to `None`: it is not known.
    fn conventions(&self, issuer: &str) -> Option<Arc<Conventions>> {
        let _ = issuer;
        None
    }

    /// The schemes under which it takes credentials. A layer looks for these in the `Authorization` HTTP header; a credential under any other scheme is
    /// none that is meant for it.
    ///
    /// Defaults to [`Scheme::Bearer`] alone.
    fn schemes(&self) -> Vec<Scheme> {
        vec![Scheme::Bearer]
    }

    /// The issuers that are configured here now, for figures with a label of their own ([`Facts::issuer`](crate::verified::Facts::issuer) is
    /// that of the conventions). Asked once, when a layer is made.
    ///
    /// Defaults to none: what this authenticator verifies is then counted under `dynamic`.
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
