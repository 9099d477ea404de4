//! [`ContentDigestLayer`]: the settings of the layer that checks bodies.

use tower_layer::Layer;

use super::ContentDigestService;

/// Checks the body of a request against its `Content-Digest`, before anything behind it sees the body.
///
/// See the [module docs](super) for the rules, and for the order of layers.
#[derive(Clone, Copy, Debug)]
#[must_use = "a layer checks nothing until it is part of a service"]
pub struct ContentDigestLayer {
    pub(super) demand: Demand,
    pub(super) limit: usize,
}

/// Which requests need the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Required,
    IfPresent,
}

impl ContentDigestLayer {
    /// Refuses requests that have a body, or a method that is used with one (`POST`, `PUT`, `PATCH`), and no `Content-Digest`.
    ///
    /// For services that rely on signed requests: every body that a handler sees is then the one that was signed.
    pub const fn required() -> Self {
        Self { demand: Demand::Required, limit: LIMIT_DEFAULT }
    }

    /// Checks `Content-Digest` if there is one, and passes other requests on as they are.
    ///
    /// Anyone who can change the body of a request can also remove the field, so a signature has to cover the fact that there is none.
    pub const fn if_present() -> Self {
        Self { demand: Demand::IfPresent, limit: LIMIT_DEFAULT }
    }

    /// Sets the maximum size of a body that is checked, in bytes; longer ones are refused with 413. Defaults to 1 MiB.
    pub const fn limit(self, bytes: usize) -> Self {
        Self { limit: bytes, ..self }
    }
}

impl<S> Layer<S> for ContentDigestLayer {
    type Service = ContentDigestService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ContentDigestService { inner, layer: *self }
    }
}

/// What each authenticated caller can make the service buffer for a request: half of what axum's extractors read by default.
const LIMIT_DEFAULT: usize = 1024 * 1024;
