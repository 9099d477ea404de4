//! [`Table`]: the trusted issuers at one moment.

use std::{
    borrow::Borrow,
    collections::HashSet,
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

use foldhash::quality::RandomState;

use super::row::{Candidate, IssuerId, Row};
use crate::{
    AuthError, Code, ConfigError, TrustedIssuer, UnixTime,
    policy::{NearNames, difference, listed},
};

/// The trusted issuers at one moment. Immutable once it is in use: changes are made to a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// By place. The place of a removed issuer is reused, so that issuers that come and go use no additional memory.
    rows: Vec<Option<Arc<Row>>>,
    by_name: HashSet<ByName, RandomState>,
    /// Increases with each added issuer.
    latest: u64,
    is_learned: bool,
    names: OnceLock<Arc<Names>>,
}

impl Table {
    /// Returns a table of these issuers, in their order.
    ///
    /// # Errors
    ///
    /// All problems of the configuration.
    pub(crate) fn of(issuers: impl IntoIterator<Item = TrustedIssuer>) -> Result<Self, ConfigError> {
        let (mut table, mut problems) = (Self::default(), Vec::new());
        for issuer in issuers {
            let candidate = Candidate::of(issuer);
            problems.extend(candidate.problems());
            let row = table.next_row(candidate, None)?;
            if table.by_name.contains(row.name()) {
                problems.push(format!(
                    "issuer {} is listed twice: give one entry all its audiences and keys (`KeySet::new` takes several, \
                     `SecretAndPublic::new` a secret beside published keys)",
                    row.policy.label(),
                ));
            }
            table.put(row);
        }
        ConfigError::check(problems).map(|()| table)
    }

    /// Returns the table for issuers from a resolver.
    pub(super) fn of_learned() -> Self {
        Self { is_learned: true, ..Self::default() }
    }

    /// Returns the issuer with exactly this name. The cost does not depend on the number of issuers.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Row>> {
        self.by_name.get(name).map(|by_name| &by_name.0)
    }

    /// Returns the issuer of a cached token, if it is still the same one.
    pub(crate) fn row_of(&self, id: IssuerId) -> Option<&Row> {
        let row = self.rows.get(id.place())?.as_deref()?;
        (row.id() == id).then_some(row)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten().map(|row| &**row)
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Adds an issuer, or replaces the one with that name. `learned_at` is the time of the resolver's answer; `None` for one on the list.
    ///
    /// # Errors
    ///
    /// Returns an error if no place is left.
    pub(super) fn insert(&mut self, candidate: Candidate, learned_at: Option<UnixTime>) -> Result<(), ConfigError> {
        let row = self.next_row(candidate, learned_at)?;
        if let Some(before) = self.find(row.name()) {
            row.inherit_use(before);
        }
        self.remove(row.name());
        self.put(row);
        Ok(())
    }

    /// Removes an issuer, and returns whether there was one with that name.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let Some(ByName(row)) = self.by_name.take(name) else { return false };
        self.rows[row.id().place()] = None;
        self.names = OnceLock::new();
        true
    }

    /// Makes room for one more issuer on trial. Issuers on trial evict each other. They never take the place of one that has verified a
    /// token, except for the `least` places that they have in any case.
    pub(super) fn make_room(&mut self, most: usize, least: usize) {
        let on_trial = self.rows().filter(|row| row.is_on_trial()).count();
        let proven = self.len() - on_trial;
        if proven > most {
            self.remove_least_used(|row| !row.is_on_trial());
        }
        if on_trial >= most.saturating_sub(proven).max(least) {
            self.remove_least_used(Row::is_on_trial);
        }
    }

    fn remove_least_used(&mut self, among: impl Fn(&Row) -> bool) {
        let least = self.rows().filter(|row| among(row)).min_by_key(|row| row.last_used());
        if let Some(name) = least.map(|row| row.name().to_owned()) {
            self.remove(&name);
        }
    }

    /// Notes that an issuer of this table has verified a token.
    pub(super) fn mark_used(&self, row: &Row) {
        row.mark_used(self.latest);
    }

    fn next_row(&mut self, candidate: Candidate, learned_at: Option<UnixTime>) -> Result<Row, ConfigError> {
        let place = if self.by_name.len() == self.rows.len() {
            self.rows.len()
        } else {
            self.rows.iter().position(Option::is_none).unwrap_or(self.rows.len())
        };
        if place >= IssuerId::PLACES {
            return Err(ConfigError::new(format!("more than {} issuers: a table holds no more", IssuerId::PLACES)));
        }
        self.latest += 1;
        Ok(Row::new(candidate, IssuerId::new(self.is_learned, place, self.latest), learned_at))
    }

    fn put(&mut self, row: Row) {
        let row = Arc::new(row);
        let place = row.id().place();
        if place == self.rows.len() {
            self.rows.push(None);
        }
        self.rows[place] = Some(Arc::clone(&row));
        self.by_name.replace(ByName(row));
        self.names = OnceLock::new();
    }

    /// Explains which issuers are trusted, and how the token's issuer differs from one with a similar name.
    pub(crate) fn not_trusted(&self, issuer: Option<&str>) -> AuthError {
        let names = self.names.get_or_init(|| Arc::new(Names::of(self)));
        let mut explanation = format!("trusted here: {}", names.listed);
        let near = issuer.and_then(|issuer| {
            let ours = self.rows.get(names.near.find(issuer)?)?.as_ref()?.name();
            Some((ours, difference(ours, issuer)?))
        });
        if issuer.is_none() {
            explanation.push_str("; the token has no `iss`");
        } else if let Some((ours, difference)) = near {
            explanation.push_str("; the token's `iss` differs from ");
            explanation.push_str(&listed([ours].into_iter()));
            explanation.push(' ');
            explanation.push_str(&difference);
        }
        AuthError::new(Code::IssuerNotTrusted).with_explanation(explanation)
    }
}

/// The names for the explanations of refusals. Built at the first refusal after a change, so that not every change or refusal goes
/// through all names.
#[derive(Debug)]
struct Names {
    near: NearNames,
    listed: String,
}

impl Names {
    fn of(table: &Table) -> Self {
        // A free place has no name, and no name is similar to an empty one.
        let near = NearNames::new(table.rows.iter().map(|row| row.as_ref().map_or("", |row| row.name())));
        let names: Vec<_> = table.rows().map(Row::name).collect();
        let listed = if names.is_empty() { "none".to_owned() } else { listed(names.into_iter()) };
        Self { near, listed }
    }
}

/// A row that is found by its name.
#[derive(Clone, Debug)]
struct ByName(Arc<Row>);

impl Borrow<str> for ByName {
    fn borrow(&self) -> &str {
        self.0.name()
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl Eq for ByName {}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}
