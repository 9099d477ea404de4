//! [`Issuers`]: a list of trusted issuers that can change while the service runs, and a resolver for issuers that are not on it.

mod age;
mod allow;
mod answer;
mod flight;
mod resolver;
mod row;
mod table;
mod unknown;

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use arc_swap::ArcSwap;

pub use self::{
    allow::Allow,
    resolver::{IssuerResolver, ResolveError},
};
use self::{row::Candidate, unknown::Unknown};
pub(crate) use self::{
    row::{IssuerId, Row},
    table::Table,
    unknown::Waiter,
};
use crate::{AuthError, Clock, Code, ConfigError, TrustedIssuer, UnixTime};

/// A list of trusted issuers that can change while the service runs, for services with tenants. This is a handle; clones share the list.
///
/// A change takes effect with the next request. Cached tokens of an issuer that was removed or replaced are dropped at once: they are
/// refused, or verified again by the new configuration. The same holds for a token that was waiting for its issuer's keys.
///
/// Finding an issuer takes the same time however many there are. A change copies the list, so pass many issuers to [`new`](Self::new) at once.
///
/// ```
/// use portcullis_core::{Admission, Algorithm, Issuers, JwtAuthenticator, KeySet, Secret, TrustedIssuer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuers = Issuers::new([])?;
/// let admission = Admission::new(JwtAuthenticator::issuers(issuers.clone()));
///
/// # let secret = Secret::new("2026-11", Algorithm::Hs256, *b"a secret of at least 32 bytes, ok")?;
/// let acme = TrustedIssuer::new("https://acme.example.com", KeySet::from(secret)).audience("orders");
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
    /// Allows one change at a time. Requests do not take this lock.
    change: Mutex<()>,
    /// The resolver of issuers that are not on the list, if there is one.
    unknown: OnceLock<Arc<Unknown>>,
}

impl Issuers {
    /// Trusts these issuers. The list may be empty; every token is then refused.
    ///
    /// # Errors
    ///
    /// Returns all problems at once if the configuration cannot be used, for example because two entries have the same name.
    pub fn new(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, ConfigError> {
        let configured = ArcSwap::from_pointee(Table::of(issuers)?);
        Ok(Self(Arc::new(Shared { configured, ..Shared::default() })))
    }

    /// Asks `resolver` about issuers that are not on the list, if `allow` accepts their name. Use it for tenants that are too many to list, or
    /// that are kept in a database.
    ///
    /// - The rule decides first, without waiting. A token whose issuer it does not allow is refused as without a resolver.
    /// - Requests that name the same issuer wait for one answer. At most 64 issuers are looked up at once; requests that name others get
    ///   HTTP 503 with `Retry-After`.
    /// - An issuer that the resolver returns is on trial until it has verified a token. Then it counts as *learned*, and is kept until
    ///   1 000 other issuers have verified a token since. Issuers on trial use the places that learned issuers leave free out of 1 000, or
    ///   64 places in any case. They evict each other, oldest first, but no learned issuer, so invented names that the rule allows cost
    ///   no customer a place. Issuers on the list are never evicted. An evicted issuer is looked up again when it is needed.
    /// - A name for which the resolver knows no issuer is refused for a minute without another lookup (up to 1 024 such names are kept). If
    ///   the resolver failed, requests get HTTP 503, and it is asked again after 5 seconds.
    /// - A learned issuer is looked up again after 10 minutes, by a request whose token was verified. Only that request waits for the
    ///   answer; the others continue with the previous one. The new answer replaces the previous one, also for cached tokens; the answer
    ///   "no such issuer" ends the trust. If the resolver fails, it is asked again after 5 seconds, and the previous answer is used for an
    ///   hour longer. After that, requests get HTTP 503. A tenant that is deleted from the database is therefore refused within 10 minutes,
    ///   or within 70 during an outage of the database. To refuse it at once, call [`remove`](Self::remove) as well.
    /// - The rule is checked again for each token that is not cached. If it no longer allows a learned issuer, the issuer is dropped. Its
    ///   cached tokens end at the same time, or within 10 minutes if no other token of it arrives.
    /// - If the resolver returns an issuer of another name, or one whose configuration cannot be used, the service is at fault: requests
    ///   get HTTP 500 for a minute.
    ///
    /// ```
    /// use portcullis_core::{Issuers, TrustedIssuer};
    /// use portcullis_core::issuers::Allow;
    /// # async fn keys_of(tenant: &str) -> std::io::Result<Option<portcullis_core::KeySet>> { Ok(None) }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let issuers = Issuers::new([])?;
    /// issuers.on_unknown(Allow::suffix(".tenants.example.com")?, |issuer: String| async move {
    ///     let keys = keys_of(&issuer).await?; // from a database, with a time limit
    ///     Ok(keys.map(|keys| TrustedIssuer::new(issuer, keys).audience("orders")))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if there is a resolver already, because it would not be clear which of the two to ask.
    pub fn on_unknown(&self, allow: Allow, resolver: impl IssuerResolver) -> Result<(), ConfigError> {
        let added = self.0.unknown.set(Arc::new(Unknown::new(allow, resolver)));
        added.map_err(|_| ConfigError::new("a list of issuers has one resolver of unknown ones: give it one rule"))
    }

    /// Trusts one more issuer. An issuer of the same name is replaced in one step: each request is decided by the old one or by the new one,
    /// and none is refused because both are missing for a moment.
    ///
    /// # Errors
    ///
    /// Returns all problems at once if the configuration cannot be used. The list is then unchanged.
    pub fn insert(&self, issuer: TrustedIssuer) -> Result<(), ConfigError> {
        let name = issuer.conventions().issuer().to_owned();
        let candidate = Candidate::checked(issuer)?;
        self.change(|table| table.insert(candidate, None))?;
        self.forget(&name);
        Ok(())
    }

    /// Removes the issuer of this name, so that it is no longer trusted. Returns whether it was trusted, on the list or learned.
    ///
    /// If the [resolver](Self::on_unknown) still knows the issuer, its next token brings it back. Make the resolver deny it first.
    pub fn remove(&self, name: &str) -> bool {
        let was_configured = self.change(|table| table.remove(name));
        self.forget(name) || was_configured
    }

    /// Keeps only the issuers for whose name `keep` returns `true`, on the list and learned.
    ///
    /// `keep` is also called for issuers that the [resolver](Self::on_unknown) is looking up at the moment. If it returns `false`, the
    /// resolver's answer is discarded, because it may be older than this call, and the resolver is asked again. Make the resolver deny such
    /// issuers first.
    ///
    /// An issuer that is inserted or replaced while `keep` runs is kept.
    pub fn retain(&self, mut keep: impl FnMut(&str) -> bool) {
        let unknown = self.0.unknown.get().map(|unknown| unknown.names()).unwrap_or_default();
        for name in unknown.iter().filter(|name| !keep(name)) {
            self.forget(name);
        }
        // The closure is the application's and may call this type, so it must not run under the lock.
        let seen = self.configured();
        let ended: Vec<IssuerId> = seen.rows().filter(|row| !keep(row.name())).map(Row::id).collect();
        if ended.is_empty() {
            return;
        }
        self.change(|table| {
            for id in ended {
                let Some(name) = table.row_of(id).map(|row| row.name().to_owned()) else { continue };
                table.remove(&name);
            }
        });
    }

    /// Returns the names of the issuers that came from a [resolver](Self::on_unknown) and have verified a token, in no particular order.
    pub fn learned(&self) -> Vec<String> {
        let Some(unknown) = self.0.unknown.get() else { return Vec::new() };
        unknown.learned().rows().filter(|row| !row.is_on_trial()).map(|row| row.name().to_owned()).collect()
    }

    fn forget(&self, name: &str) -> bool {
        self.0.unknown.get().is_some_and(|unknown| unknown.forget(name))
    }

    /// Returns the issuer of exactly this name, configured or learned.
    fn find(&self, name: &str) -> Option<Arc<Row>> {
        if let Some(row) = self.0.configured.load().find(name) {
            return Some(Arc::clone(row));
        }
        let unknown = self.0.unknown.get()?;
        let learned = unknown.learned();
        let row = learned.find(name)?;
        if !unknown.allows(name) {
            // The rule has changed since the issuer was learned.
            unknown.forget(name);
            return None;
        }
        Some(Arc::clone(row))
    }

    /// Called for each cached token, so it takes no lock and reads no clock.
    fn of_id<T>(&self, id: IssuerId, now: UnixTime, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        if !id.is_learned() {
            return self.0.configured.load().row_of(id).and_then(read);
        }
        let learned = self.0.unknown.get()?.learned();
        let row = learned.row_of(id).filter(|row| !row.is_due(now))?;
        learned.mark_used(row);
        read(row)
    }

    /// Returns the names of the issuers on the list, in no particular order.
    pub fn names(&self) -> Vec<String> {
        self.configured().rows().map(|row| row.name().to_owned()).collect()
    }

    /// Returns the number of issuers on the list.
    pub fn len(&self) -> usize {
        self.configured().len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn configured(&self) -> Arc<Table> {
        self.0.configured.load_full()
    }

    /// Changes a copy of the table, and makes it the current one.
    fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) -> T {
        // A poisoned lock means that an earlier change panicked, and therefore changed nothing.
        let one_at_a_time = self.0.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut table = Table::clone(&self.0.configured.load());
        let outcome = change(&mut table);
        let replaced = self.0.configured.swap(Arc::new(table));
        // Key sources and rules are the application's, and so is the code that runs when they are dropped.
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

/// The issuers that an authenticator trusts.
#[derive(Clone)]
pub(crate) enum Trusted {
    /// A list that never changes, so that no snapshot of it is needed.
    Fixed(Arc<Table>),
    Live(Issuers),
}

impl Trusted {
    /// Returns the issuer of exactly this name.
    pub(crate) fn find(&self, name: &str) -> Option<Found<'_>> {
        match self {
            Self::Fixed(table) => table.find(name).map(|row| Found::Fixed(row)),
            Self::Live(issuers) => issuers.find(name).map(Found::Live),
        }
    }

    /// Returns what `read` finds about the issuer of a cached token. `None` if the issuer was removed or replaced since, or has to be looked up
    /// again; then the token is verified in full, which starts the lookup.
    pub(crate) fn of_id<T>(&self, id: IssuerId, now: UnixTime, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        match self {
            Self::Fixed(table) => table.row_of(id).and_then(read),
            Self::Live(issuers) => issuers.of_id(id, now, read),
        }
    }

    /// Whether a resolver may be asked about the issuer of this name, which is not on the list.
    pub(crate) fn may_ask(&self, name: &str) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Live(issuers) => issuers.0.unknown.get().is_some_and(|unknown| unknown.allows(name)),
        }
    }

    /// Asks the resolver about the issuer of this name.
    ///
    /// # Errors
    ///
    /// Returns an error if it is known already that the issuer is not trusted, or if no question can be asked now.
    pub(crate) fn ask(&self, name: &str, clock: Arc<dyn Clock>) -> Result<Waiter, AuthError> {
        let unknown = match self {
            Self::Fixed(_) => None,
            Self::Live(issuers) => issuers.0.unknown.get(),
        };
        unknown.ok_or(Code::IssuerNotTrusted)?.ask(name, clock)
    }

    /// Notes that this issuer has verified a token that was not cached.
    pub(crate) fn note_verified(&self, row: &Row) {
        row.keys.note_verified();
        if row.id().is_learned()
            && let Self::Live(issuers) = self
            && let Some(unknown) = issuers.0.unknown.get()
        {
            unknown.learned().mark_used(row);
        }
    }

    /// Asks the resolver again about an issuer that it returned some time ago, if that is due and no other request does so. Only called for
    /// verified tokens, so that forged ones start no lookup.
    #[inline]
    pub(crate) fn ask_again(&self, row: &Row, now: UnixTime, clock: &dyn Fn() -> Arc<dyn Clock>) -> Option<Waiter> {
        match self {
            Self::Live(issuers) if row.is_due(now) => issuers.0.unknown.get()?.ask_again(row, now, clock()),
            _ => None,
        }
    }

    /// Returns the current table, for the text of a refusal.
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

/// An issuer that was found. It does not change when the list does.
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
