//! What happens to CORS preflights.

/// What happens to CORS preflights: requests by `OPTIONS` with `Origin` and `Access-Control-Request-Method`, and without
/// a credential (Fetch standard, section 4.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preflights {
    /// They go on to the inner service, without a verified token. Guards and extractors refuse them all the same.
    ///
    /// The default: a browser sends them without credentials, and a `CorsLayer` further in has to see them. Anybody can
    /// send such a request, with any body, so every service behind has to look at the method, as axum's method routers
    /// do.
    #[default]
    Pass,
    /// They are refused like any other request without a credential. For services that do not look at the method, such
    /// as gRPC, and wherever a `CorsLayer` is outside of this layer.
    Refuse,
}
