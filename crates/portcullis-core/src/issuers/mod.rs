//! The trusted issuers: a fixed list, or one that changes while the service runs.

mod row;
mod table;

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

pub(crate) use self::{
    row::{Part, Row},
    table::Table,
};
use crate::{ConfigError, TrustedIssuer};

/// Trusted issuers that come and go while the service runs: a handle, for services with tenants. Clones share the list.
///
/// A change holds from the next request on, and ends at once what was remembered of an issuer that was removed or replaced: its tokens are refused,
/// or verified again by the new configuration. So is a token that was waiting for its issuer's keys at that moment.
///
/// Finding an issuer takes the same time however many there are. A change copies the list, so give many issuers at once to [`new`](Self::new).
///
/// ```
/// use portcullis_core::{Admission, Algorithm, Issuers, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuers = Issuers::new([])?;
/// let admission = Admission::new(JwtAuthenticator::issuers(issuers.clone()));
///
/// # let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
/// let acme = TrustedIssuer::new("https://acme.example.com", "orders", KeySet::from(secret));
/// issuers.insert(acme)?; // from now on its tokens are verified
/// assert_eq!(issuers.names(), ["https://acme.example.com"]);
/// issuers.remove("https://acme.example.com"); // and from now on they are refused, also those that were accepted before
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[doc(alias = "tenants")]
#[doc(alias = "multi-tenant")]
pub struct Issuers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    configured: ArcSwap<Table>,
    /// One change at a time. Requests do without.
    change: Mutex<()>,
}

impl Issuers {
    /// Trusts these issuers. There may be none yet: every token is refused then.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used (two entries have one name, …): all problems at once.
    pub fn new(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, ConfigError> {
        let configured = ArcSwap::from_pointee(Table::of(issuers)?);
        Ok(Self(Arc::new(Shared { configured, change: Mutex::new(()) })))
    }

    /// Trusts one more issuer. An issuer of the same name is replaced in one step: each request is decided by the one or by the other, and none is
    /// refused because there is no issuer for a moment.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used: all problems at once. The list is then as it was.
    pub fn insert(&self, issuer: TrustedIssuer) -> Result<(), ConfigError> {
        self.change(|table| table.insert(issuer))
    }

    /// Trusts the issuer of this name no longer. Returns whether it was on the list.
    pub fn remove(&self, name: &str) -> bool {
        self.change(|table| table.remove(name))
    }

    /// Trusts only those issuers any longer whose name `keep` says yes to.
    ///
    /// An issuer that is inserted or replaced while `keep` runs, stays.
    pub fn retain(&self, mut keep: impl FnMut(&str) -> bool) {
        // Asked outside of the change, since the closure is the application's and may come back here.
        let seen = self.configured();
        let ended: Vec<Part> = seen.rows().filter(|row| !keep(row.name())).map(Row::part).collect();
        if ended.is_empty() {
            return;
        }
        self.change(|table| {
            for part in ended {
                let Some(name) = table.row_of(part).map(|row| row.name().to_owned()) else { continue };
                table.remove(&name);
            }
        });
    }

    /// The names of the issuers, in no particular order.
    pub fn names(&self) -> Vec<String> {
        self.configured().rows().map(|row| row.name().to_owned()).collect()
    }

    /// How many issuers are on the list.
    pub fn len(&self) -> usize {
        self.configured().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn configured(&self) -> Arc<Table> {
        self.0.configured.load_full()
    }

    /// Changes a copy of the table, and makes it the current one.
    fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        // Poison means that an earlier change panicked, and so changed nothing.
        let one_at_a_time = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&self.0.configured.load());
        let outcome = change(&mut table);
        let replaced = self.0.configured.swap(Arc::new(table));
        // Key sources and rules are the application's, and so is what happens when they are dropped.
        drop(one_at_a_time);
        drop(replaced);
        outcome
    }
}

impl fmt::Debug for Issuers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuers").field("names", &self.names()).finish_non_exhaustive()
    }
}

/// Whom an authenticator trusts.
#[derive(Clone)]
pub(crate) enum Trusted {
    /// A list that never changes, and so needs no snapshot of it.
    Fixed(Arc<Table>),
    Live(Issuers),
}

impl Trusted {
    /// The issuer of exactly this name.
    pub(crate) fn find(&self, name: &str) -> Option<Found<'_>> {
        match self {
            Self::Fixed(table) => table.find(name).map(|row| Found::Fixed(row)),
            Self::Live(issuers) => issuers.0.configured.load().find(name).map(|row| Found::Live(Arc::clone(row))),
        }
    }

    /// What `read` finds about the issuer of which a token was remembered; `None` if it was removed or replaced since.
    pub(crate) fn of_part<T>(&self, part: Part, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        match self {
            Self::Fixed(table) => table.row_of(part).and_then(read),
            Self::Live(issuers) => issuers.0.configured.load().row_of(part).and_then(read),
        }
    }

    /// The table of the moment, for a refusal.
    pub(crate) fn table(&self) -> Arc<Table> {
        match self {
            Self::Fixed(table) => Arc::clone(table),
            Self::Live(issuers) => issuers.configured(),
        }
    }
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(table) => f.debug_list().entries(table.rows()).finish(),
            Self::Live(issuers) => issuers.fmt(f),
        }
    }
}

/// An issuer that was found. It stays what it was, whatever becomes of the list.
pub(crate) enum Found<'a> {
    Fixed(&'a Row),
    Live(Arc<Row>),
}

impl Deref for Found<'_> {
    type Target = Row;

    fn deref(&self) -> &Row {
        match self {
            Self::Fixed(row) => row,
            Self::Live(row) => row,
        }
    }
}

#[cfg(test)]
mod tests;
