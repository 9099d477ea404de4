//! [`ApiTokens`]: makes tokens, lists them and ends them.

mod builder;
mod create;
mod import;
mod leaks;
mod limits;
mod list;
mod revoke;
mod room;
mod rotate;
mod warn;

use std::{fmt, sync::Arc, time::Duration};

use portcullis_core::revocation::Revoker;

pub use self::{
    builder::{ApiTokensBuilder, NotSet},
    import::ForeignDigest,
    list::{ApiTokenList, RevocationImpact},
    rotate::Rotation,
    warn::Warned,
};
use self::{limits::Limits, room::Turns};
use super::{
    ApiToken, ApiTokenAuthenticator, ApiTokenError, ApiTokenFormat, ApiTokenId, ApiTokenRow, ApiTokenStore,
    Memberships, Owner, Peppers, RecordingUses, checker::Checker,
};
use crate::{StoreError, tasks::Tasks};

/// Makes API tokens, lists them and ends them. Cheap to clone.
///
/// A token belongs to a user, an application or an organisation, and may do what it was granted, as far as its owner may do it at the time, and those from
/// which it was derived. Its text is told once, when it is made: the store has a digest of it.
///
/// ```
/// use std::time::Duration;
///
/// use portcullis_core::{Admission, revocation::{RevocationView, Revoker}};
/// use portcullis_issuer::api_tokens::{
///     ApiTokenFormat, ApiTokenKind, ApiTokenStore, ApiTokens, DangerUncheckedMemberships, Grant, NewApiToken, Owner, Peppers,
///     RevokedReason,
/// };
///
/// # async fn example(store: impl ApiTokenStore, revoker: impl Revoker, view: RevocationView) -> Result<(), Box<dyn std::error::Error>> {
/// let format = ApiTokenFormat::new("acme")?;
/// let peppers = Peppers::new('1', [7; 32])?; // in production: 32 random bytes, the same on every instance
/// let tokens = ApiTokens::builder("https://id.example.com", format, peppers, store)
///     .memberships(DangerUncheckedMemberships) // in production: your own
///     .revoker(revoker) // writes to the log of revocations: `Revocations` of portcullis-store
///     .build()?;
///
/// let ci = NewApiToken::new(ApiTokenKind::ServiceAccount, Owner::organisation("acme"), "CI");
/// let created = tokens.create(ci.grant(Grant::scope("orders:read")).created_by("alice")).await?;
/// println!("Copy it now: {}", created.secret().expose());
///
/// // Reads the same log. Without this line, a revoked token that is in the cache is accepted for up to a minute longer.
/// let admission = Admission::explainable(tokens.authenticator()).revocations(view);
/// let verified = admission.verify(created.secret().expose()).outcome().await?;
/// assert!(verified.has_scope("orders:read"));
///
/// tokens.revoke(created.token().id(), RevokedReason::Asked).await?;
/// # Ok(())
/// # }
/// ```
#[doc(alias = "api key")]
#[doc(alias = "personal access token")]
pub struct ApiTokens<S, M, R>(Arc<Inner<S, M, R>>);

struct Inner<S, M, R> {
    checker: Arc<Checker<S, M>>,
    revoker: R,
    limits: Limits,
    tasks: Tasks,
    turns: Turns,
}

impl<S: ApiTokenStore> ApiTokens<S, NotSet, NotSet> {
    /// Returns a builder for the tokens of an issuer: the `iss` of its access tokens.
    pub fn builder(
        issuer: impl Into<String>,
        format: ApiTokenFormat,
        peppers: Peppers,
        store: S,
    ) -> ApiTokensBuilder<S, NotSet, NotSet> {
        ApiTokensBuilder::new(issuer.into(), format, peppers, store)
    }
}

impl<S: ApiTokenStore, M: Memberships, R: Revoker> ApiTokens<S, M, R> {
    /// Returns an authenticator for these tokens, for an [`Admission`](portcullis_core::Admission), or for a branch of a
    /// [`Dispatch`](portcullis_core::authenticator::Dispatch) with the [beginning](ApiTokenFormat::beginning) of the tokens as its prefix.
    pub fn authenticator(&self) -> ApiTokenAuthenticator<S, M> {
        ApiTokenAuthenticator::new(Arc::clone(&self.0.checker))
    }

    /// Says that an owner has got or lost rights, or has gone: this instance asks again at the next request. Others do within a minute.
    pub fn memberships_changed(&self, owner: &Owner) {
        self.0.checker.changed(owner);
    }

    /// Records in the store when tokens were used, all in one statement. Returns how many tokens were.
    ///
    /// **Call it about every 15 minutes, and when the program ends**, or let [a task](Self::keep_recording_uses) do so: until then, uses are known to this instance
    /// alone. No request waits for it, and after a crash the uses since the last call are lost.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached. Nothing is lost then: the next call records them.
    pub async fn record_uses(&self) -> Result<usize, StoreError> {
        self.0.checker.record_uses().await
    }

    /// Starts a task that records uses every 15 minutes. Close it when the program ends. Needs a runtime of tokio.
    pub fn keep_recording_uses(&self) -> RecordingUses<S, M> {
        RecordingUses::start(&self.0.checker)
    }

    /// Makes the store forget tokens that ended or were revoked longer ago than this, such as 30 days. Returns how many were forgotten. Call it about once a day: the
    /// store grows until then.
    ///
    /// Nothing is forgotten that is still needed: a token stays for at least ten minutes, in which the request that has [rotated](Self::rotate) it is answered again,
    /// and for the longest [grace](ApiTokensBuilder::grace_after_expiry) of this service.
    ///
    /// A token that was derived from one that is forgotten is no longer accepted; it had ended with that one anyway. A forgotten token is refused as
    /// unknown, and no longer as expired or revoked.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached. Nothing is lost: the next call forgets more.
    pub async fn forget_ended(&self, older_than: Duration) -> Result<usize, StoreError> {
        let needed = self.0.limits.longest_grace().max(rotate::TOLD_AGAIN);
        let before = list::before(self.0.checker.now(), older_than.max(needed));
        self.0.checker.store.forget_before(before).await
    }

    #[cfg(feature = "axum")]
    pub(crate) fn uptime(&self) -> Duration {
        self.0.checker.clock.uptime()
    }

    fn token(&self, row: ApiTokenRow) -> ApiToken {
        let checker = &self.0.checker;
        ApiToken::of(row, &checker.format, checker.now())
    }

    async fn row(&self, id: ApiTokenId) -> Result<ApiTokenRow, ApiTokenError> {
        self.0.checker.store.find_by_id(id).await?.ok_or(ApiTokenError::Unknown)
    }

    /// Returns the row of a token of which another is to be made. Here, there are none of another environment.
    async fn row_of_here(&self, id: ApiTokenId) -> Result<ApiTokenRow, ApiTokenError> {
        let row = self.row(id).await?;
        if row.environment == self.0.checker.environment { Ok(row) } else { Err(ApiTokenError::Unknown) }
    }
}

impl<S, M, R> Clone for ApiTokens<S, M, R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: fmt::Debug, M: fmt::Debug, R: fmt::Debug> fmt::Debug for ApiTokens<S, M, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiTokens")
            .field("checker", &self.0.checker)
            .field("revoker", &self.0.revoker)
            .field("limits", &self.0.limits)
            .finish()
    }
}
