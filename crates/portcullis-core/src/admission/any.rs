//! [`AnyAdmission`]: an admission with an unknown type of claims.

use std::{fmt, sync::Arc};

use crate::{
    Admission, Authenticator, UnixTime,
    authenticator::{Attempt, Presented, Scheme},
    verified::{AnyVerified, Conventions},
};

/// An [`Admission`] with any type of claims, as used by a layer. Cheap to clone.
#[derive(Clone)]
pub struct AnyAdmission(Arc<dyn Erased>);

/// An admitted identity, and when it was admitted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// The identity.
    pub verified: AnyVerified,
    /// The time for which the admission has decided. Guards use the same time.
    pub now: UnixTime,
}

impl Admitted {
    /// Creates an identity that was admitted at `now`, for servers that do not use an admission. **The caller is responsible**
    /// for its being true.
    pub const fn assertion(verified: AnyVerified, now: UnixTime) -> Self {
        Self { verified, now }
    }
}

trait Erased: fmt::Debug + Send + Sync {
    fn admit(&self, presented: Presented<'_>, on_unseen: &dyn Fn()) -> Attempt<Admitted>;

    fn admit_cached(&self, presented: Presented<'_>) -> Option<Admitted>;

    fn issuers(&self) -> Vec<Arc<Conventions>>;

    fn schemes(&self) -> Vec<Scheme>;
}

impl AnyAdmission {
    /// Decides about the credentials of a request. The outcome is available at once unless something has to be fetched.
    pub fn admit(&self, presented: Presented<'_>) -> Attempt<Admitted> {
        self.0.admit(presented, &|| ())
    }

    /// Like [`admit`](Self::admit), and calls `on_unseen` if the credential is not cached, just before it is verified. Use it to
    /// measure how long verification takes.
    pub fn admit_watched(&self, presented: Presented<'_>, on_unseen: &dyn Fn()) -> Attempt<Admitted> {
        self.0.admit(presented, on_unseen)
    }

    /// Admits the credential if it is cached and needs nothing from its request. `None` decides nothing: call [`admit`](Self::admit) then.
    ///
    /// For a caller that can show the bytes before the request.
    pub fn admit_cached(&self, presented: Presented<'_>) -> Option<Admitted> {
        self.0.admit_cached(presented)
    }

    /// Returns the schemes under which credentials are accepted: see [`Authenticator::schemes`].
    pub fn schemes(&self) -> Vec<Scheme> {
        self.0.schemes()
    }

    /// Returns the issuers that are currently configured: see [`Authenticator::issuers`].
    pub fn issuers(&self) -> Vec<Arc<Conventions>> {
        self.0.issuers()
    }
}

impl<C: Send + Sync + 'static> Erased for Admission<C> {
    fn admit(&self, presented: Presented<'_>, on_unseen: &dyn Fn()) -> Attempt<Admitted> {
        self.decide(presented, on_unseen, |verified, now| Admitted { verified: verified.into(), now })
    }

    fn admit_cached(&self, presented: Presented<'_>) -> Option<Admitted> {
        let (verified, now) = self.decide_cached(presented)?;
        Some(Admitted { verified: verified.into(), now })
    }

    fn issuers(&self) -> Vec<Arc<Conventions>> {
        self.inner.authenticator.issuers()
    }

    fn schemes(&self) -> Vec<Scheme> {
        self.inner.schemes.to_vec()
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

/// A type that a layer can be created from: an [`Admission`], or an [`Authenticator`], which gets an admission with the defaults.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an admission nor an authenticator",
    note = "make a `JwtAuthenticator` of one or several `TrustedIssuer`s"
)]
pub trait IntoAdmission {
    /// Returns the admission.
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
