//! An admission whose claims' type is not known here.

use std::{fmt, sync::Arc};

use crate::{
    Admission, Authenticator, UnixTime,
    authenticator::{Attempt, Presented, Scheme},
    verified::{AnyVerified, Conventions},
};

/// An [`Admission`] whose type of claims is not known here: what a layer holds. Cheap to clone.
#[derive(Clone)]
pub struct AnyAdmission(Arc<dyn Erased>);

/// Who is let in, and when that was decided.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// Who.
    pub verified: AnyVerified,
    /// The instant by which the admission has decided. Guards decide by the same one.
    pub now: UnixTime,
}

impl Admitted {
    /// An identity that was let in at `now`, for servers that do not ask an admission. **The caller vouches** for it.
    pub const fn assertion(verified: AnyVerified, now: UnixTime) -> Self {
        Self { verified, now }
    }
}

trait Erased: fmt::Debug + Send + Sync {
    fn admit(&self, presented: Presented<'_>, on_unseen: &dyn Fn()) -> Attempt<Admitted>;

    fn issuers(&self) -> Vec<Arc<Conventions>>;

    fn schemes(&self) -> Vec<Scheme>;
}

impl AnyAdmission {
    /// Decides about what a request presents. The outcome is there at once unless something has to be fetched.
    pub fn admit(&self, presented: Presented<'_>) -> Attempt<Admitted> {
        self.0.admit(presented, &|| ())
    }

    /// The same, and calls `on_unseen` if the credential is not remembered, just before it is verified: the moment from which to measure how long
    /// that takes.
    pub fn admit_watched(&self, presented: Presented<'_>, on_unseen: &dyn Fn()) -> Attempt<Admitted> {
        self.0.admit(presented, on_unseen)
    }

    /// The schemes under which credentials are taken: see [`Authenticator::schemes`].
    pub fn schemes(&self) -> Vec<Scheme> {
        self.0.schemes()
    }

    /// The issuers that are configured now: see [`Authenticator::issuers`].
    pub fn issuers(&self) -> Vec<Arc<Conventions>> {
        self.0.issuers()
    }
}

impl<C: Send + Sync + 'static> Erased for Admission<C> {
    fn admit(&self, presented: Presented<'_>, on_unseen: &dyn Fn()) -> Attempt<Admitted> {
        self.decide(presented, on_unseen, |verified, now| Admitted { verified: verified.into(), now })
    }

    fn issuers(&self) -> Vec<Arc<Conventions>> {
        self.inner.authenticator.issuers()
    }

    fn schemes(&self) -> Vec<Scheme> {
        self.inner.authenticator.schemes()
    }
}

impl<C: Send + Sync + 'static> From<Admission<C>> for AnyAdmission {
    fn from(admission: Admission<C>) -> Self {
        Self(Arc::new(admission))
    }
}

impl<C: Send + Sync + 'static> From<&Admission<C>> for AnyAdmission {
    fn from(admission: &Admission<C>) -> Self {
        admission.clone().into()
    }
}

/// What a layer can be made of: an [`Admission`], or an [`Authenticator`], around which an admission with its defaults is put.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an admission nor an authenticator",
    note = "make a `JwtAuthenticator` of one or several `TrustedIssuer`s"
)]
pub trait IntoAdmission {
    /// The admission.
    fn into_admission(self) -> AnyAdmission;
}

impl<A: Authenticator> IntoAdmission for A {
    fn into_admission(self) -> AnyAdmission {
        Admission::new(self).into()
    }
}

impl<C: Send + Sync + 'static> IntoAdmission for Admission<C> {
    fn into_admission(self) -> AnyAdmission {
        self.into()
    }
}

impl<C: Send + Sync + 'static> IntoAdmission for &Admission<C> {
    fn into_admission(self) -> AnyAdmission {
        self.into()
    }
}

impl IntoAdmission for AnyAdmission {
    fn into_admission(self) -> AnyAdmission {
        self
    }
}

impl fmt::Debug for AnyAdmission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
