//! [`TrustChain`]: lets users of NATS into a service over HTTP.

mod authenticator;
mod builder;
mod explain;
mod facts;
mod seen;

use std::{fmt, marker::PhantomData, sync::Arc};

use portcullis_core::{
    AuthError, Clock, UnixTime,
    authenticator::Edition,
    floors::FloorError,
    metrics::{Measured, Snapshot},
    verified::NoCustom,
};

pub use self::builder::{Isolated, NotIsolated, TrustChainBuilder};
use self::{builder::Isolation, seen::SeenUsers};
use crate::{
    accounts::{AccountResolver, Desk, InsertError, NoResolver},
    chain::Chain,
    nkey::AccountKey,
    proof::ProofVerifier,
};

/// Authenticates users of NATS: an account has signed the user's token, and a trusted operator the account's. An [`Authenticator`] for the layer and everything
/// behind it. Cheap to clone; clones share everything.
///
/// A request presents the user's token in `Authorization: NatsUser …`, and proves with [`Nats-Proof`](crate::proof) that it holds the user's
/// key. Users whose tokens need no proof present them in `Authorization: Bearer …`, if the [policy](crate::chain::Policy::danger_bearer_tokens) accepts that.
///
/// The steps, in order: size and form of the token, its signature, its times, whether its account is one of those let in; then the proof, with
/// nonce, time and signature; then the account, from the cache, from the caller ([`stapled`](TrustChainBuilder::stapled)) or from the
/// [resolver](AccountResolver); then whether that account admits the user, here and now; and last, whether the proof is new.
///
/// The claims are those that the rest of Portcullis knows: `iss` is `nats:` and the account's id, whichever key has signed; `sub` is the user's key;
/// `jti` is the user's key with `iat`, because NATS does not verify a token's `jti`; `exp` is when the user is no longer let in. `/nats/permissions` has what
/// the user may publish and subscribe to, in the end, for the requirements `publish` and `subscribe`; `name`, `/nats/id`, `/nats/account`,
/// `/nats/account_name`, `/nats/signer`, `/nats/scope_role`, `/nats/tags`, `/nats/payload` (bytes) and `/nats/subscriptions` have the rest. Names and ids are absent if
/// they are empty, `/nats/scope_role` without a scope, and the last two if they are unlimited. `BodyLimitLayer` of `portcullis` enforces `/nats/payload`; set its own
/// limit, too, or users without one may send no body.
///
/// **A user's permissions are valid only within the user's account.** Every account of an operator can make users who may publish everything. So
/// a builder can only be finished once it says what keeps accounts apart: see [`TrustChainBuilder`].
///
/// What ends a user is the account's own list of revocations, which is as new as the account. A view of revocations at the admission adds
/// two levels: the token (by `jti`), and the subject.
///
/// ```
/// use portcullis_core::Admission;
/// use portcullis_nats::{TrustChain, proof::ProofVerifier};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chain = TrustChain::builder()
///     .operator_key("OCZ632XJQLA5TWEYQM74XVOITDHEROIZUZMDWXACE2AFLBBCZTKTSEAS".parse()?)
///     .stapled(std::time::Duration::from_secs(3600)) // callers bring their account's token along
///     .proofs(ProofVerifier::new("https://api.example.com")?)
///     .tenant_per_account() // handlers keep the accounts' data apart
///     .build()?;
/// let admission = Admission::new(chain);
/// # Ok(())
/// # }
/// ```
///
/// [`Authenticator`]: portcullis_core::Authenticator
pub struct TrustChain<R = NoResolver, C = NoCustom> {
    inner: Arc<Inner<R>>,
    custom: PhantomData<fn() -> C>,
}

struct Inner<R> {
    chain: Arc<Chain>,
    isolation: Isolation,
    desk: Arc<Desk<R>>,
    proofs: Option<ProofVerifier>,
    seen: SeenUsers,
}

impl TrustChain {
    /// Returns a builder without any operator.
    pub fn builder() -> TrustChainBuilder {
        TrustChainBuilder::new()
    }
}

impl<R: AccountResolver, C> TrustChain<R, C> {
    /// Reads the claims as your own type, as [`JwtAuthenticator::claims`](portcullis_core::JwtAuthenticator::claims) does: all branches of a dispatch
    /// need the same.
    #[must_use]
    pub fn claims<D>(self) -> TrustChain<R, D> {
        TrustChain { inner: self.inner, custom: PhantomData }
    }

    /// Takes over an account's token that came from elsewhere, at once: users whom it revokes are refused with their next request.
    ///
    /// # Errors
    ///
    /// If no trusted operator has signed it, or it is older than one that was seen.
    pub async fn insert(&self, account_token: &str, now: UnixTime) -> Result<AccountKey, InsertError> {
        self.inner.desk.insert(account_token, now).await
    }

    /// Loads the floors, the time of each account's newest token, from their store. Call it at start to detect a store that cannot be read. Otherwise the first
    /// look-up loads them, and its request is answered with 503 if that fails.
    ///
    /// # Errors
    ///
    /// The store's own.
    pub async fn load_floors(&self) -> Result<(), FloorError> {
        self.inner.desk.load().await
    }

    /// Forgets the newest token of an account that was seen, so that an older one is accepted. Use it only after a deliberate restore; other
    /// running instances keep the floor until they are restarted. Returns when the newest one was issued.
    ///
    /// # Errors
    ///
    /// The store's own.
    pub async fn danger_reset_floor(&self, account: &AccountKey) -> Result<Option<UnixTime>, FloorError> {
        self.inner.desk.reset_floor(account).await
    }

    /// Looks an account up now, although it is known: after a push said that it has changed.
    ///
    /// # Errors
    ///
    /// As for a request of one of its users, and if the look-up fails or finds an older token: users are then let in by the account that is held, for as long as
    /// [`AccountCache::stale_for`](crate::accounts::AccountCache::stale_for) says, so do not count on the change.
    pub async fn refresh(&self, account: &AccountKey, clock: &Arc<dyn Clock>) -> Result<(), AuthError> {
        self.inner.desk.refresh(account, clock).await.map(drop)
    }

    /// Returns the verifier of proofs, if one is set.
    pub fn proofs(&self) -> Option<&ProofVerifier> {
        self.inner.proofs.as_ref()
    }

    /// Returns the chain, which decides about users.
    pub fn chain(&self) -> &Chain {
        &self.inner.chain
    }
}

impl<R: AccountResolver> Inner<R> {
    /// Whether what was decided in that edition still holds.
    fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        match &self.isolation {
            Isolation::ServiceOf(exporter) => exporter.is_current(&self.desk, edition, now),
            Isolation::Accounts | Isolation::TenantPerAccount => self.desk.is_current(edition, now),
        }
    }
}

impl<R: AccountResolver, C: Send + Sync + 'static> Measured for TrustChain<R, C> {
    fn measure(&self, source: &str, snapshot: &mut Snapshot) {
        self.inner.desk.measure(source, snapshot);
    }
}

impl<R, C> Clone for TrustChain<R, C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), custom: PhantomData }
    }
}

impl<R: AccountResolver, C> fmt::Debug for TrustChain<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustChain")
            .field("operators", &self.inner.chain.operators().keys().collect::<Vec<_>>())
            .field("isolation", &self.inner.isolation)
            .field("policy", self.inner.chain.policy())
            .field("accounts", &self.inner.desk)
            .field("proofs", &self.inner.proofs)
            .finish_non_exhaustive()
    }
}

/// A decision about a request.
type Decided<T> = Result<T, AuthError>;
