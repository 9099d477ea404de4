//! [`AccountResolver`]: finds the token of an account by its id.

use std::{error::Error, fmt, future::Future, sync::Arc};

use tokio::sync::mpsc;

use crate::nkey::AccountKey;

/// Finds the token of an account by its id.
///
/// Implement it for another place, and run the contract tests of `portcullis-test` on it; [`from_fn`] makes one of a closure. The rules:
///
/// - Return the token as it is, by any signer: it is checked here. Give the newest one that is known.
/// - `None` means that there is no such account: its users are refused. What cannot be found out is an error, never `None`.
/// - The id is a valid key of an account, so it can be part of a path or a URL. Nothing else says that there is such an account: anyone can make
///   up a key.
/// - The future may be dropped at any await: after 1.9 s, and when the application ends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` finds no accounts",
    note = "use `NoResolver`, `MemoryAccounts` or `AccountDirectory`, or `portcullis_nats::accounts::from_fn` with a closure"
)]
pub trait AccountResolver: fmt::Debug + Send + Sync + 'static {
    /// Returns the token of this account; `None` if there is no such account.
    ///
    /// # Errors
    ///
    /// If it could not find out. The error is for the operator's log.
    fn fetch(&self, id: &AccountKey) -> impl Future<Output = Result<Option<String>, ResolverError>> + Send;

    /// Sends accounts that have changed to `updates`, until the future is dropped: then a revocation counts at once, and not only at the next
    /// look-up. It must not return because of a fault, but try again. Called once, in a task that ends with the application.
    ///
    /// Defaults to sending none.
    fn follow(&self, updates: AccountUpdates) -> impl Future<Output = ()> + Send {
        drop(updates);
        std::future::ready(())
    }

    /// Returns whether [`fetch`](Self::fetch) can find anything. Called once.
    ///
    /// Defaults to `true`. [`NoResolver`] says `false`.
    fn has_accounts(&self) -> bool {
        true
    }
}

impl<R: AccountResolver> AccountResolver for Arc<R> {
    fn fetch(&self, id: &AccountKey) -> impl Future<Output = Result<Option<String>, ResolverError>> + Send {
        (**self).fetch(id)
    }

    fn follow(&self, updates: AccountUpdates) -> impl Future<Output = ()> + Send {
        (**self).follow(updates)
    }

    fn has_accounts(&self) -> bool {
        (**self).has_accounts()
    }
}

/// Where a resolver sends accounts that have changed.
#[derive(Clone, Debug)]
pub struct AccountUpdates(mpsc::Sender<String>);

/// Where the accounts arrive that a resolver sends. Made by [`AccountUpdates::channel`].
#[derive(Debug)]
pub struct ArrivedUpdates(mpsc::Receiver<String>);

impl AccountUpdates {
    /// Returns a sender, and where its tokens arrive: to test a resolver of your own. If 64 tokens wait, senders wait, too.
    pub fn channel() -> (Self, ArrivedUpdates) {
        const WAITING: usize = 64;
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), ArrivedUpdates(receiver))
    }

    /// Sends the token of an account. It is checked like one that was fetched, and used if the account is in use here.
    pub async fn send(&self, token: impl Into<String>) {
        // An error would mean that no one is interested any more.
        let _ = self.0.send(token.into()).await;
    }
}

impl ArrivedUpdates {
    /// Returns the next token; `None` once there is no sender any more.
    pub async fn next(&mut self) -> Option<String> {
        self.0.recv().await
    }
}

/// A resolver could not find out whether there is such an account. For the operator; never shown to a client.
#[derive(Clone, Debug)]
pub struct ResolverError {
    detail: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ResolverError {
    /// Returns an error that says what happened, and what to do about it. It must not contain secrets.
    pub fn new(detail: impl Into<Arc<str>>) -> Self {
        Self { detail: detail.into(), source: None }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(self, source: impl Error + Send + Sync + 'static) -> Self {
        Self { source: Some(Arc::new(source)), ..self }
    }
}

impl fmt::Display for ResolverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for ResolverError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Finds no account: callers have to bring the account's token with them, which has to be allowed by
/// [`AccountCache::stapled`](super::AccountCache::stapled).
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a unit that is written down by name")]
pub struct NoResolver;

impl AccountResolver for NoResolver {
    fn fetch(&self, _: &AccountKey) -> impl Future<Output = Result<Option<String>, ResolverError>> + Send {
        std::future::ready(Ok(None))
    }

    fn has_accounts(&self) -> bool {
        false
    }
}

/// A resolver that asks a closure. Made by [`from_fn`].
#[derive(Clone)]
pub struct ResolverFn<F>(F);

/// Returns a resolver that asks this closure.
///
/// ```
/// use portcullis_nats::accounts::{ResolverError, from_fn};
/// use portcullis_nats::nkey::AccountKey;
///
/// let resolver = from_fn(|id: AccountKey| async move {
///     let _ = id; // look it up
///     Ok::<Option<String>, ResolverError>(None)
/// });
/// # let _: &dyn std::fmt::Debug = &resolver;
/// ```
pub fn from_fn<F, T>(fetch: F) -> ResolverFn<F>
where
    F: Fn(AccountKey) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Option<String>, ResolverError>> + Send,
{
    ResolverFn(fetch)
}

impl<F, T> AccountResolver for ResolverFn<F>
where
    F: Fn(AccountKey) -> T + Send + Sync + 'static,
    T: Future<Output = Result<Option<String>, ResolverError>> + Send,
{
    fn fetch(&self, id: &AccountKey) -> impl Future<Output = Result<Option<String>, ResolverError>> + Send {
        (self.0)(*id)
    }
}

impl<F> fmt::Debug for ResolverFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResolverFn(..)")
    }
}
