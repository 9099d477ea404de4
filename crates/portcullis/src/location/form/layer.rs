//! What the layer is told.

use std::borrow::Cow;

use portcullis_core::ConfigError;
use tower_layer::Layer;

use super::FormBodyService;
use crate::location::urlencoded;

/// Takes the token out of forms, for [`FormBody`](super::FormBody). Put it outside of the layer that authenticates.
///
/// See the [module docs](super) for which requests it reads.
#[derive(Clone, Debug)]
pub struct FormBodyLayer {
    pub(super) name: Cow<'static, str>,
    pub(super) limit: usize,
}

impl FormBodyLayer {
    /// The parameter `access_token` in forms of up to 64 KiB.
    pub const fn new() -> Self {
        Self { name: Cow::Borrowed("access_token"), limit: LIMIT_DEFAULT }
    }

    /// Sets the parameter's name. Defaults to `access_token` (RFC 6750 section 2.2).
    ///
    /// # Errors
    ///
    /// If `name` is empty.
    pub fn parameter(mut self, name: impl Into<Cow<'static, str>>) -> Result<Self, ConfigError> {
        self.name = name.into();
        urlencoded::check_name("the name of a form parameter", &self.name)?;
        Ok(self)
    }

    /// Sets how many bytes a form may have; longer ones are refused with 413. Defaults to 64 KiB.
    #[must_use]
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }
}

impl Default for FormBodyLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> Layer<S> for FormBodyLayer {
    type Service = FormBodyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FormBodyService { inner, layer: self.clone() }
    }
}

/// Four times the longest token: anyone may make us hold this much, before we know who it is.
const LIMIT_DEFAULT: usize = 64 * 1024;
