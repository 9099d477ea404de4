//! [`IssuerResolver`]: finds issuers that are not on the list.

use std::{error::Error, future::Future, pin::Pin, sync::Arc};

use crate::TrustedIssuer;

/// Finds issuers that are not on the list: see [`Issuers::on_unknown`](crate::Issuers::on_unknown).
///
/// Closures that take the issuer's name and return a future implement it.
pub trait IssuerResolver: Send + Sync + 'static {
    /// Returns the configuration of the issuer with this name. Called for one request at a time for each name, and only for names that
    /// the rule allows.
    ///
    /// Return an issuer with exactly this name, or `Ok(None)` if there is none: its tokens are then refused (HTTP 401), and the resolver
    /// is not asked about it again for a minute. The name comes from a token that is not verified: look it up, and do not trust it
    /// because it was requested.
    ///
    /// Called again for a learned issuer after 10 minutes, to notice changes. The new answer replaces the previous one. See
    /// [`on_unknown`](crate::Issuers::on_unknown) for how long an answer is used.
    ///
    /// **Return the same key source for the same issuer each time**, a clone of a shared one, if it fetches keys: with `TenantKeys` of the
    /// crate `portcullis-jwks`, that is so. A new source has no keys, so the next token waits for a fetch, or gets HTTP 503 if the issuer
    /// cannot be reached at that moment, although its previous keys were good. A new source has also forgotten which keys it looked for in
    /// vain, so forged tokens can make it fetch again. The source that is replaced ends when the last request that uses it does.
    ///
    /// Set a time limit. There is no runtime here: the requests that wait for the answer drive the future, and if all of their clients
    /// hang up, it is dropped.
    ///
    /// # Errors
    ///
    /// If it could not find out. The requests get HTTP 503, unless a previous answer can still be used, and the resolver is not asked about
    /// this name again for some seconds. The error is for the log.
    fn resolve(&self, issuer: &str) -> impl Future<Output = Result<Option<TrustedIssuer>, ResolveError>> + Send;
}

/// Why a resolver could not find out whether there is such an issuer.
pub type ResolveError = Box<dyn Error + Send + Sync>;

impl<F, T> IssuerResolver for F
where
    F: Fn(String) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Option<TrustedIssuer>, ResolveError>> + Send,
{
    fn resolve(&self, issuer: &str) -> impl Future<Output = Result<Option<TrustedIssuer>, ResolveError>> + Send {
        self(issuer.to_owned())
    }
}

/// The future of a resolver's answer.
pub(super) type Resolving = Pin<Box<dyn Future<Output = Result<Option<TrustedIssuer>, ResolveError>> + Send>>;

/// A resolver with its type erased.
pub(super) type SharedResolver = Box<dyn Fn(Arc<str>) -> Resolving + Send + Sync>;

pub(super) fn shared(resolver: impl IssuerResolver) -> SharedResolver {
    let resolver = Arc::new(resolver);
    Box::new(move |name| {
        let resolver = Arc::clone(&resolver);
        Box::pin(async move { resolver.resolve(&name).await })
    })
}
