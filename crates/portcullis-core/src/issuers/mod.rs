//! The trusted issuers: a fixed list, or one that changes while the service runs.

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
    /// One change at a time. Requests do without.
    change: Mutex<()>,
    /// Those that are not on the list, if anything is to be asked about them.
    unknown: OnceLock<Arc<Unknown>>,
}

impl Issuers {
    /// Trusts these issuers. There may be none yet: every token is refused then.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used (two entries have one name, …): all problems at once.
    pub fn new(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, ConfigError> {
        let configured = ArcSwap::from_pointee(Table::of(issuers)?);
        Ok(Self(Arc::new(Shared { configured, ..Shared::default() })))
    }

    /// Asks `resolver` about issuers that are not on the list, if `allow` says yes to their name: for tenants of whom there are too many to list, or
    /// that are known to a database.
    ///
    /// - The rule is asked first, and decides without waiting. A token whose issuer it does not allow is refused as without a resolver.
    /// - Requests that name the same issuer wait for one answer. At most 64 issuers are asked about at once; requests that name others get HTTP 503 with
    ///   `Retry-After`.
    /// - An issuer that the resolver gives is on trial until it has verified a token, and *learned* from then on: kept until 1 000 others have verified
    ///   one since. Issuers on trial push each other out, oldest first, and no learned ones: invented names that the rule allows
    ///   cost no customer a place. They share what the learned ones leave of the 1 000 places, or 64 more. Issuers that are on the list are never pushed
    ///   out. One that was forgotten is asked for again.
    /// - A name that the resolver knows no issuer for is refused for a minute without asking (1 024 names are remembered). If it could not find out, requests
    ///   get HTTP 503, and it is asked again after 5 seconds.
    /// - The resolver is asked about a learned issuer again after 10 minutes, by a request with a token of that issuer that was verified. That one request
    ///   waits for the answer; meanwhile the others go on by the answer from before. A new answer replaces the one from before, also for tokens that are
    ///   cached; "no such issuer" ends it. If the resolver cannot find out, it is asked again after 5 seconds, and the answer from before is used for an
    ///   hour longer. Then requests get HTTP 503. So a tenant that is taken out of the database is refused within 10 minutes, or 70 during an outage of
    ///   the database; to end it at once, call [`remove`](Self::remove) as well.
    /// - The rule is asked again for each token that is not cached. If it does not allow a learned issuer any more, the issuer is forgotten. Tokens that are
    ///   cached end then, too, or within 10 minutes if no other token comes.
    /// - An issuer of another name than the one asked for, or one whose configuration cannot be used, is the service's fault (HTTP 500) for a minute.
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
    /// If there is a resolver already: which of two would be asked is not clear.
    pub fn on_unknown(&self, allow: Allow, resolver: impl IssuerResolver) -> Result<(), ConfigError> {
        let added = self.0.unknown.set(Arc::new(Unknown::new(allow, resolver)));
        added.map_err(|_| ConfigError::new("a list of issuers has one resolver of unknown ones: give it one rule"))
    }

    /// Trusts one more issuer. An issuer of the same name is replaced in one step: each request is decided by the one or by the other, and none is
    /// refused because there is no issuer for a moment.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used: all problems at once. The list is then as it was.
    pub fn insert(&self, issuer: TrustedIssuer) -> Result<(), ConfigError> {
        let name = issuer.conventions().issuer().to_owned();
        let candidate = Candidate::checked(issuer)?;
        self.change(|table| table.insert(candidate, None))?;
        self.forget(&name);
        Ok(())
    }

    /// Trusts the issuer of this name no longer. Returns whether it was trusted, on the list or learned.
    ///
    /// One that a [resolver](Self::on_unknown) knows is asked for again with its next token, so have the resolver say no first.
    pub fn remove(&self, name: &str) -> bool {
        let was_configured = self.change(|table| table.remove(name));
        self.forget(name) || was_configured
    }

    /// Trusts only those issuers any longer whose name `keep` says yes to, on the list and learned.
    ///
    /// Also asks `keep` about issuers that the [resolver](Self::on_unknown) is being asked about. If it says no, that answer is not used, since it may be
    /// older than this call, and the resolver is asked once more. So have the resolver say no first.
    ///
    /// An issuer that is inserted or replaced while `keep` runs, stays.
    pub fn retain(&self, mut keep: impl FnMut(&str) -> bool) {
        let unknown = self.0.unknown.get().map(|unknown| unknown.names()).unwrap_or_default();
        for name in unknown.iter().filter(|name| !keep(name)) {
            self.forget(name);
        }
        // Asked outside of the change, since the closure is the application's and may come back here.
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

    /// The names of the issuers that were learned from a [resolver](Self::on_unknown) and have verified a token, in no particular order.
    pub fn learned(&self) -> Vec<String> {
        let Some(unknown) = self.0.unknown.get() else { return Vec::new() };
        unknown.learned().rows().filter(|row| !row.is_on_trial()).map(|row| row.name().to_owned()).collect()
    }

    fn forget(&self, name: &str) -> bool {
        self.0.unknown.get().is_some_and(|unknown| unknown.forget(name))
    }

    /// The issuer of exactly this name, configured or learned.
    fn find(&self, name: &str) -> Option<Arc<Row>> {
        if let Some(row) = self.0.configured.load().find(name) {
            return Some(Arc::clone(row));
        }
        let unknown = self.0.unknown.get()?;
        let learned = unknown.learned();
        let row = learned.find(name)?;
        if !unknown.allows(name) {
            // The rule says something else than when the issuer was learned.
            unknown.forget(name);
            return None;
        }
        Some(Arc::clone(row))
    }

    /// Called for each token that is remembered: without a lock, and without reading a clock.
    fn of_id<T>(&self, id: IssuerId, now: UnixTime, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        if !id.is_learned() {
            return self.0.configured.load().row_of(id).and_then(read);
        }
        let learned = self.0.unknown.get()?.learned();
        let row = learned.row_of(id).filter(|row| !row.is_due(now))?;
        learned.mark_used(row);
        read(row)
    }

    /// The names of the issuers on the list, in no particular order.
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
            Self::Live(issuers) => issuers.find(name).map(Found::Live),
        }
    }

    /// What `read` finds about the issuer of which a token was remembered; `None` if it was removed or replaced since, or is to be asked about again:
    /// that is for a token that is verified.
    pub(crate) fn of_id<T>(&self, id: IssuerId, now: UnixTime, read: impl FnOnce(&Row) -> Option<T>) -> Option<T> {
        match self {
            Self::Fixed(table) => table.row_of(id).and_then(read),
            Self::Live(issuers) => issuers.of_id(id, now, read),
        }
    }

    /// Whether a resolver may be asked about the issuer of this name, which was not found.
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
    /// If it is known already that it is not trusted, or nothing can be asked now.
    pub(crate) fn ask(&self, name: &str, clock: Arc<dyn Clock>) -> Result<Waiter, AuthError> {
        let unknown = match self {
            Self::Fixed(_) => None,
            Self::Live(issuers) => issuers.0.unknown.get(),
        };
        unknown.ok_or(Code::IssuerNotTrusted)?.ask(name, clock)
    }

    /// Notes that this issuer has verified a token that was not remembered.
    pub(crate) fn note_verified(&self, row: &Row) {
        row.keys.note_verified();
        if row.id().is_learned()
            && let Self::Live(issuers) = self
            && let Some(unknown) = issuers.0.unknown.get()
        {
            unknown.learned().mark_used(row);
        }
    }

    /// Asks the resolver again about an issuer that it gave some time ago, if that is due and no other request does so. For a token that was verified:
    /// none that is forged asks anything.
    #[inline]
    pub(crate) fn ask_again(&self, row: &Row, now: UnixTime, clock: &dyn Fn() -> Arc<dyn Clock>) -> Option<Waiter> {
        match self {
            Self::Live(issuers) if row.is_due(now) => issuers.0.unknown.get()?.ask_again(row, now, clock()),
            _ => None,
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
