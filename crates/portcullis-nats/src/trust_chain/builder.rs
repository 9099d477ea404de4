//! [`TrustChainBuilder`]: configures a [`TrustChain`].

use std::{
    collections::BTreeSet,
    fmt,
    marker::PhantomData,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use portcullis_core::{ConfigError, UnixTime, authenticator::Edition};

use super::{Inner, SeenUsers, TrustChain};
use crate::{
    accounts::{AccountCache, AccountResolver, Desk, NoResolver},
    chain::{Chain, Operators, Policy},
    nkey::{AccountKey, OperatorKey},
    proof::ProofVerifier,
};

/// Nothing keeps the accounts apart yet.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a mark in a type")]
pub struct NotIsolated;

/// It was said what keeps the accounts apart.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a mark in a type")]
pub struct Isolated;

/// Configures a [`TrustChain`]. It can be built once it says what keeps accounts apart:
///
/// - [`accounts`](TrustChainBuilder::accounts): only these accounts, which you trust to speak about the same things.
/// - [`tenant_per_account`](TrustChainBuilder::tenant_per_account): every account is a tenant of its own, and handlers keep their data apart.
/// - [`service_of`](TrustChainBuilder::service_of): the service belongs to one account, and others reach what it exports and they import.
///
/// ```compile_fail
/// # use portcullis_nats::TrustChain;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let operator = "OCZ632XJQLA5TWEYQM74XVOITDHEROIZUZMDWXACE2AFLBBCZTKTSEAS".parse()?;
/// let chain = TrustChain::builder().operator_key(operator).build()?; // which accounts?
/// # Ok(())
/// # }
/// ```
///
/// It says so once:
///
/// ```compile_fail
/// # use portcullis_nats::TrustChain;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let account = "AAOA2WD4HQ2GIZEUIJNG6AGJ4YZHS6DRNCKHZSTUGCX7GHVRF7M6B5Q7".parse()?;
/// let chain = TrustChain::builder().service_of(account).tenant_per_account();
/// # Ok(())
/// # }
/// ```
#[must_use = "a builder does nothing until it is built"]
pub struct TrustChainBuilder<R = NoResolver, I = NotIsolated> {
    operators: Operators,
    policy: Policy,
    resolver: R,
    cache: AccountCache,
    proofs: Option<ProofVerifier>,
    pinned: Option<BTreeSet<AccountKey>>,
    isolation: Isolation,
    state: PhantomData<I>,
}

/// What keeps accounts apart.
#[derive(Debug)]
pub(super) enum Isolation {
    Accounts,
    TenantPerAccount,
    ServiceOf(Exporter),
}

/// The account whose service it is.
#[derive(Debug)]
pub(super) struct Exporter {
    pub(super) id: AccountKey,
    /// The part of its last edition. It changes if the account was let go and came back.
    part: AtomicU64,
}

impl TrustChainBuilder {
    pub(super) fn new() -> Self {
        Self {
            operators: Operators::new(),
            policy: Policy::new(),
            resolver: NoResolver,
            cache: AccountCache::new(),
            proofs: None,
            pinned: None,
            isolation: Isolation::Accounts,
            state: PhantomData,
        }
    }
}

impl<R, I> TrustChainBuilder<R, I> {
    /// Trusts an operator as its token describes it: its own key, unless it says that only signing keys sign, and its signing keys. May be
    /// called several times: an account's id is unique among all operators, its name is not.
    ///
    /// # Errors
    ///
    /// If it is not the token of an operator, signed by its own key.
    #[doc(alias = "operator_jwt")]
    pub fn operator_token(self, token: &str) -> Result<Self, ConfigError> {
        Ok(Self { operators: self.operators.token(token)?, ..self })
    }

    /// Trusts exactly this key of an operator: its own, or a signing key. May be called several times.
    pub fn operator_key(self, key: OperatorKey) -> Self {
        Self { operators: self.operators.key(key), ..self }
    }

    /// Sets what is accepted where NATS leaves it open. Defaults to [`Policy::new`].
    pub fn policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    /// Sets where the tokens of accounts come from. Defaults to nowhere: callers then have to bring them along
    /// ([`stapled`](Self::stapled)).
    pub fn resolver<S: AccountResolver>(self, resolver: S) -> TrustChainBuilder<S, I> {
        TrustChainBuilder {
            operators: self.operators,
            policy: self.policy,
            resolver,
            cache: self.cache,
            proofs: self.proofs,
            pinned: self.pinned,
            isolation: self.isolation,
            state: PhantomData,
        }
    }

    /// Sets for how long accounts are kept, and how many. Defaults to [`AccountCache::new`]. Whether staples are accepted is not changed by a value
    /// that says nothing about it.
    pub fn cache(self, cache: AccountCache) -> Self {
        Self { cache: cache.or_stapled_as(&self.cache), ..self }
    }

    /// Lets callers bring their account's token along, in the HTTP header `Nats-Account`, if it was signed at most this long ago. A service then
    /// needs no resolver, and a revocation by the account takes effect after this time at the latest. Defaults to not accepting them.
    pub fn stapled(self, max_age: Duration) -> Self {
        Self { cache: self.cache.stapled(max_age), ..self }
    }

    /// Sets what checks proofs of possession. Without one, only users are let in whose tokens need no proof, and only if the
    /// [policy](Policy::danger_bearer_tokens) accepts that.
    pub fn proofs(self, proofs: ProofVerifier) -> Self {
        Self { proofs: Some(proofs), ..self }
    }

    fn isolated(self, isolation: Isolation) -> TrustChainBuilder<R, Isolated> {
        TrustChainBuilder {
            operators: self.operators,
            policy: self.policy,
            resolver: self.resolver,
            cache: self.cache,
            proofs: self.proofs,
            pinned: self.pinned,
            isolation,
            state: PhantomData,
        }
    }
}

impl<R> TrustChainBuilder<R, NotIsolated> {
    /// Lets in users of these accounts only. Other accounts are not even looked up.
    pub fn accounts(self, accounts: impl IntoIterator<Item = AccountKey>) -> TrustChainBuilder<R, Isolated> {
        let pinned = Some(accounts.into_iter().collect());
        Self { pinned, ..self }.isolated(Isolation::Accounts)
    }

    /// Lets in users of every account of the operators. **Handlers must keep the accounts' data apart**, by the issuer of the caller's
    /// [`Identity`](portcullis_core::verified::Identity): a permission for `orders.1.read` of one account says nothing about the orders of
    /// another.
    pub fn tenant_per_account(self) -> TrustChainBuilder<R, Isolated> {
        self.isolated(Isolation::TenantPerAccount)
    }

    /// Declares that the service is one of this account. Its own users have their permissions. Users of other accounts may do what their account
    /// imports from it and it exports: a service is asked by publishing, a stream is subscribed to. Subjects in requirements are those of this
    /// account.
    pub fn service_of(self, account: AccountKey) -> TrustChainBuilder<R, Isolated> {
        self.isolated(Isolation::ServiceOf(Exporter { id: account, part: AtomicU64::new(u64::MAX) }))
    }
}

impl<R: AccountResolver> TrustChainBuilder<R, Isolated> {
    /// Builds it.
    ///
    /// # Errors
    ///
    /// If no operator is trusted, if no user could prove anything, or if no account could ever be found.
    pub fn build(self) -> Result<TrustChain<R>, ConfigError> {
        if self.operators.is_empty() {
            return Err(ConfigError::new("no operator is trusted: add an operator_token or an operator_key"));
        }
        if self.proofs.is_none() && !self.policy.accepts_bearer_tokens() {
            return Err(ConfigError::new(
                "no user could be let in: add proofs, or a policy that accepts tokens that need no proof",
            ));
        }
        if !self.resolver.has_accounts() && !self.cache.accepts_staples() {
            return Err(ConfigError::new(
                "no account could be found: add a resolver, or let callers staple their account",
            ));
        }
        if self.pinned.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(ConfigError::new("no account is let in: name at least one in accounts"));
        }
        let chain = Chain::new(self.operators, self.policy);
        let chain = Arc::new(match self.pinned {
            Some(pinned) => chain.accounts(pinned),
            None => chain,
        });
        let desk = Arc::new(Desk::new(Arc::clone(&chain), self.resolver, &self.cache));
        let inner = Inner { chain, isolation: self.isolation, desk, proofs: self.proofs, seen: SeenUsers::new() };
        Ok(TrustChain { inner: Arc::new(inner), custom: PhantomData })
    }
}

impl Exporter {
    /// Returns the edition of a decision for which both accounts mattered.
    pub(super) fn edition(&self, of_user: Edition, of_exporter: Edition) -> Edition {
        self.part.store(of_exporter.part(), Ordering::Relaxed);
        Edition::of_part(of_user.part(), (of_user.number() & LOW) | of_exporter.number() << HALF)
    }

    /// Whether both are as they were. If a number does not fit into its half, they are not, and the user is decided about again.
    pub(super) fn is_current<R: AccountResolver>(&self, desk: &Desk<R>, edition: Edition, now: UnixTime) -> bool {
        let part = self.part.load(Ordering::Relaxed);
        let of_user = Edition::of_part(edition.part(), edition.number() & LOW);
        let of_exporter = Edition::of_part(part, edition.number() >> HALF);
        desk.is_current(of_user, now) && desk.is_current(of_exporter, now)
    }
}

const HALF: u32 = u64::BITS / 2;
const LOW: u64 = (1 << HALF) - 1;

impl<R: fmt::Debug, I> fmt::Debug for TrustChainBuilder<R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustChainBuilder")
            .field("operators", &self.operators.keys().collect::<Vec<_>>())
            .field("policy", &self.policy)
            .field("resolver", &self.resolver)
            .field("isolation", &self.isolation)
            .finish_non_exhaustive()
    }
}
