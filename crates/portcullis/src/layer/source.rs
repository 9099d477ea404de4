//! [`Source`]: a location with its admission.

use std::sync::Arc;

use portcullis_core::{
    admission::{AnyAdmission, IntoAdmission},
    authenticator::Scheme,
};

use crate::{
    grammar::check_token,
    location::{BearerMethod, ResponseCaching, TokenLocation},
};

/// A location for credentials, and the admission that decides about them.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) location: Arc<dyn TokenLocation>,
    pub(super) admission: AnyAdmission,
    pub(super) caching: ResponseCaching,
    /// The location's type and settings: two sources with equal identities are the same location.
    pub(super) identity: String,
    /// Those that the admission accepts.
    pub(super) schemes: Vec<Scheme>,
    /// Whether the location is the `Authorization` HTTP header, where credentials have a scheme.
    pub(super) is_authorization: bool,
}

impl Source {
    pub(super) fn new<L: TokenLocation>(mut location: L, admission: impl IntoAdmission) -> Self {
        let (info, admission) = (location.info(), admission.into_admission());
        // Before the schemes are known, so that one place stays one place.
        let identity = format!("{} {location:?}", std::any::type_name::<L>());
        let schemes = admission.schemes();
        location.take_schemes(&schemes);
        Self {
            caching: info.caching(),
            identity,
            is_authorization: info.bearer_method() == Some(BearerMethod::Header),
            schemes,
            location: Arc::new(location),
            admission,
        }
    }

    /// Whether extractors have to remember the credential that they found: it may be removed from the request, which is assumed for every
    /// location except `Authorization`, to be safe; or it may have come with a proof, which can be used only once.
    pub(super) fn is_remembered(&self) -> bool {
        !self.is_authorization || self.schemes.iter().any(|scheme| *scheme != Scheme::Bearer)
    }

    /// Returns why the schemes cannot be used. Credentials would be overlooked, and an optional layer would let their requests pass.
    pub(super) fn problem(&self) -> Option<String> {
        if self.schemes.is_empty() {
            return Some("an authenticator accepts no scheme: `Authenticator::schemes` returned none".to_owned());
        }
        let named = |scheme: &Scheme| check_token("a scheme of an authenticator", scheme.as_str()).err();
        self.schemes.iter().find_map(named).map(|problem| problem.to_string())
    }
}
