//! [`IssuerKeys`]: the keys with which an issuer's own tokens are verified.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::{
    KeySet, UnixTime,
    keys::{KeyHint, KeySource, Resolved},
};

use crate::{
    SigningKey, StoreError, TokenIssuer,
    documents::{PublishedDocument, PublishedKey},
    key_ring::KeyRing,
};

/// The keys with which an issuer's own tokens are verified: a [`KeyRing`], or one [`SigningKey`] that is never replaced.
pub trait IssuerKeys: fmt::Debug + Send + Sync + 'static {
    /// Returns the keys, for the server itself.
    fn verifying(&self) -> impl KeySource;

    /// Returns the published key set; `None` for secrets, which are not published.
    ///
    /// # Errors
    ///
    /// If it is not known at the moment: the route then answers 503, and services go on with the one that they have.
    fn published(&self) -> Result<Option<Arc<PublishedDocument>>, StoreError>;
}

impl IssuerKeys for KeyRing {
    fn verifying(&self) -> impl KeySource {
        self.clone()
    }

    fn published(&self) -> Result<Option<Arc<PublishedDocument>>, StoreError> {
        let unavailable = |error| StoreError::new("the key ring has no key set at the moment").with_source(error);
        Self::published(self).map_err(unavailable)
    }
}

/// How long the key set of a key that is never replaced may be cached.
const MAX_AGE: Duration = Duration::from_secs(3600);

impl IssuerKeys for SigningKey {
    fn verifying(&self) -> impl KeySource {
        KeySet::from(self.verifying_key())
    }

    fn published(&self) -> Result<Option<Arc<PublishedDocument>>, StoreError> {
        if self.public_jwk().is_none() {
            return Ok(None);
        }
        let document = PublishedKey::of(self).and_then(|key| PublishedDocument::key_set([key], MAX_AGE));
        let document = document.map_err(|error| StoreError::new(error.to_string()))?;
        Ok(Some(Arc::new(document)))
    }
}

/// The [`IssuerKeys`] of a server, whatever their type is, so that a server is one type.
pub(super) trait AnyKeys: fmt::Debug + Send + Sync {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved;

    fn published(&self) -> Result<Option<Arc<PublishedDocument>>, StoreError>;
}

impl<T: IssuerKeys> AnyKeys for T {
    fn resolve(&self, hint: KeyHint<'_>, now: UnixTime) -> Resolved {
        self.verifying().resolve(hint, now)
    }

    fn published(&self) -> Result<Option<Arc<PublishedDocument>>, StoreError> {
        IssuerKeys::published(self)
    }
}

/// Returns what is wrong if the keys do not have the one with which the issuer signs: then no service accepts a token. `None` also if it is not known
/// at the moment.
pub(super) fn keys_problem(issuer: &TokenIssuer, keys: &dyn AnyKeys) -> Option<String> {
    let signer = issuer.signer_at_hand()?;
    let hint = KeyHint::new(signer.algorithm(), Some(signer.key_id()));
    let is_unknown = matches!(keys.resolve(hint, issuer.now()), Resolved::Unknown);
    is_unknown.then(|| {
        format!(
            "the issuer signs with the key {:?}, which the server's keys do not have: give the server the key, or the key ring, of the issuer",
            signer.key_id()
        )
    })
}
