//! [`MemoryAccounts`]: accounts that the application puts in.

use std::{
    collections::HashMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{AccountResolver, ResolverError};
use crate::nkey::AccountKey;

/// Accounts in memory. Clones share them.
///
/// A change counts at the next look-up of the account. To let it count at once, give the same token to the authenticator, too.
#[derive(Clone, Default)]
pub struct MemoryAccounts(Arc<Mutex<HashMap<AccountKey, Arc<str>>>>);

impl MemoryAccounts {
    /// Returns an empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the token of an account in, in place of an earlier one. It is checked when it is looked up.
    pub fn insert(&self, id: AccountKey, token: impl Into<Arc<str>>) {
        self.accounts().insert(id, token.into());
    }

    /// Takes an account out. Returns whether it was there.
    pub fn remove(&self, id: &AccountKey) -> bool {
        self.accounts().remove(id).is_some()
    }

    /// A map is consistent between its method calls, so a panic does not damage it.
    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountKey, Arc<str>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AccountResolver for MemoryAccounts {
    fn fetch(&self, id: &AccountKey) -> impl Future<Output = Result<Option<String>, ResolverError>> + Send {
        std::future::ready(Ok(self.accounts().get(id).map(ToString::to_string)))
    }
}

impl fmt::Debug for MemoryAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryAccounts").field("accounts", &self.accounts().len()).finish_non_exhaustive()
    }
}
