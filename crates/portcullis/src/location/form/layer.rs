//! [`FormBodyLayer`]: the settings of the layer that reads forms.

use std::borrow::Cow;

use portcullis_core::ConfigError;
use tower_layer::Layer;

use super::FormBodyService;
use crate::location::urlencoded;

/// Takes the token out of forms, for [`FormBody`](super::FormBody). Put it outside the layer that authenticates.
///
/// See the [module docs](super) for which requests it reads.
#[derive(Clone, Debug)]
pub struct FormBodyLayer {
    pub(super) name: Cow<'static, str>,
    pub(super) limit: usize,
}

impl FormBodyLayer {
    /// Reads the parameter `access_token` in forms of up to 64 KiB.
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

    /// Sets the maximum size of a form in bytes; longer ones are refused with 413. Defaults to 64 KiB.
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

/// Four times the longest token: every client can make the service buffer this much before it is authenticated.
const LIMIT_DEFAULT: usize = 64 * 1024;
