//! [`Source`]: a location with its admission.

use std::sync::Arc;

use portcullis_core::admission::{AnyAdmission, IntoAdmission};

use crate::location::{Caching, TokenLocation};

/// A location for credentials, and the admission that decides about them.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) location: Arc<dyn TokenLocation>,
    pub(super) admission: AnyAdmission,
    pub(super) caching: Caching,
    /// The location's type and settings: two sources with equal identities are the same location.
    pub(super) identity: String,
    /// Whether the credential may be removed from the request. Assumed for every location except `Authorization`, to be safe.
    #[cfg(feature = "axum")]
    pub(super) strips: bool,
}

impl Source {
    pub(super) fn new<L: TokenLocation>(mut location: L, admission: impl IntoAdmission) -> Self {
        let (info, admission) = (location.info(), admission.into_admission());
        // Before the schemes are known, so that one place stays one place.
        let identity = format!("{} {location:?}", std::any::type_name::<L>());
        location.take_schemes(&admission.schemes());
        Self {
            caching: info.caching(),
            identity,
            #[cfg(feature = "axum")]
            strips: info.bearer_method() != Some(crate::location::BearerMethod::Header),
            location: Arc::new(location),
            admission,
        }
    }
}
