//! [`Unknown`]: asks the resolver about issuers that are not on the list, and keeps its answers.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use arc_swap::ArcSwap;

use super::{
    Allow, ResolveError, Row,
    answer::{Answer, Refused, UNDECIDED_FOR},
    flight::Flight,
    resolver::SharedResolver,
    row::Candidate,
    table::Table,
};
use crate::{AuthError, Clock, Code, ConfigError, TrustedIssuer, UnixTime, issuers::IssuerResolver};

/// The number of learned issuers that are kept: the tenants that a busy instance serves within minutes. Evicted ones are looked up again.
const LEARNED: usize = 1_000;

/// The number of issuers on trial that are kept in any case. So many new tenants can wait for their keys while all other places are taken.
const ON_TRIAL: usize = 64;

/// The number of issuers that are looked up at once. A resolver asks a database or another service, which a flood of names must not overload.
const ASKED_AT_ONCE: usize = 64;

/// The resolver is not asked about longer names: no resolver knows them, and names take memory.
const LONGEST_NAME: usize = 512;

/// A resolver of unknown issuers, and its answers.
pub(super) struct Unknown {
    allow: Allow,
    resolver: SharedResolver,
    learned: ArcSwap<Table>,
    state: Mutex<State>,
    /// The number of open questions. Each counts as long as the resolver's future lives, even if its answer is outdated.
    asked: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    /// The open questions, by name.
    flights: HashMap<Arc<str>, (u64, Arc<Flight<Answer>>)>,
    started: u64,
    refused: Refused,
}

impl Unknown {
    pub(super) fn new(allow: Allow, resolver: impl IssuerResolver) -> Self {
        Self {
            allow,
            resolver: super::resolver::shared(resolver),
            learned: ArcSwap::from_pointee(Table::of_learned()),
            state: Mutex::default(),
            asked: Arc::default(),
        }
    }

    pub(super) fn learned(&self) -> arc_swap::Guard<Arc<Table>> {
        self.learned.load()
    }

    /// Whether the resolver may be asked about this name at all. Changes nothing.
    pub(super) fn allows(&self, name: &str) -> bool {
        name.len() <= LONGEST_NAME && self.allow.allows(name)
    }

    /// Asks the resolver about a name that the rule allows, or joins the requests that are already waiting for the answer.
    ///
    /// # Errors
    ///
    /// Returns an error if a recent answer refuses the name, or if too many questions are open.
    pub(super) fn ask(self: &Arc<Self>, name: &str, clock: Arc<dyn Clock>) -> Result<Waiter, AuthError> {
        let mut state = self.lock();
        if let Some((answer, left)) = state.refused.find(name, clock.uptime()) {
            return Err(answer.refusal(left));
        }
        let found = state.flights.get_key_value(name).map(|(name, (_, flight))| (Arc::clone(name), Arc::clone(flight)));
        let (name, flight) = match found {
            Some(found) => found,
            None => self.start(&mut state, name, clock)?,
        };
        let number = flight.join();
        Ok(Waiter { unknown: Arc::clone(self), name, flight, number })
    }

    /// Asks the resolver about an issuer that it returned before. Returns `None` if another request does so, or if no question can be asked
    /// now; the previous answer then stays in use.
    pub(super) fn ask_again(self: &Arc<Self>, row: &Row, now: UnixTime, clock: Arc<dyn Clock>) -> Option<Waiter> {
        let mut state = self.lock();
        // Take the question even if one is open: while it is due, no cached token of the issuer is used.
        if !row.take_question(now) || state.flights.contains_key(row.name()) {
            return None;
        }
        let (name, flight) = self.start(&mut state, row.name(), clock).ok()?;
        let number = flight.join();
        Some(Waiter { unknown: Arc::clone(self), name, flight, number })
    }

    fn start(
        self: &Arc<Self>,
        state: &mut State,
        name: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<(Arc<str>, Arc<Flight<Answer>>), AuthError> {
        // The caller holds the lock, so no two questions start at the same time.
        if self.asked.load(Ordering::SeqCst) >= ASKED_AT_ONCE {
            let error = AuthError::new(Code::IssuerUnavailable).with_retry_after(Duration::from_secs(1));
            return Err(error.with_explanation(format!("{ASKED_AT_ONCE} unknown issuers are being asked about")));
        }
        let name: Arc<str> = name.into();
        state.started += 1;
        let (this, asked, number) = (Arc::clone(self), Arc::clone(&name), state.started);
        let question = Question::new(Arc::clone(&self.asked));
        let flight = Flight::new(async move {
            let _until_the_answer_is_dropped = question;
            let outcome = (this.resolver)(Arc::clone(&asked)).await;
            this.settle(&asked, number, outcome, &*clock)
        });
        state.flights.insert(Arc::clone(&name), (number, Arc::clone(&flight)));
        Ok((name, flight))
    }

    /// Keeps the resolver's answer, unless the application has changed this issuer meanwhile.
    fn settle(
        &self,
        name: &str,
        number: u64,
        outcome: Result<Option<TrustedIssuer>, ResolveError>,
        clock: &dyn Clock,
    ) -> Answer {
        // This calls the issuer's key source, which is the application's, so it must not run under the lock.
        let outcome = outcome.map(|issuer| issuer.map(|issuer| candidate(name, issuer)));
        let mut state = self.lock();
        if state.flights.get(name).is_none_or(|(current, _)| *current != number) {
            return Answer::Outdated;
        }
        let ended = state.flights.remove(name);
        let now = clock.now();
        let (answer, replaced) = match outcome {
            Ok(Some(Ok(candidate))) => self.learn(name, candidate, now),
            Ok(Some(Err(problem))) => (Answer::Unusable(problem), self.unlearn(name)),
            Ok(None) => (Answer::Absent, self.unlearn(name)),
            Err(_) if self.learned.load().find(name).is_some_and(|row| !row.is_over(now)) => (Answer::Kept, None),
            Err(error) => (Answer::Undecided(error.into()), None),
        };
        state.refused.note(name, &answer, clock.uptime());
        drop(state);
        // These contain values of the application, so they must not be dropped under the lock.
        drop((ended, replaced));
        answer
    }

    fn learn(&self, name: &str, candidate: Candidate, now: UnixTime) -> (Answer, Option<Arc<Table>>) {
        let mut table = Table::clone(&self.learned.load());
        if table.find(name).is_none() {
            table.make_room(LEARNED, ON_TRIAL);
        }
        match table.insert(candidate, Some(now)) {
            Ok(()) => (Answer::Learned, Some(self.learned.swap(Arc::new(table)))),
            Err(error) => (Answer::Unusable(unusable(&error)), self.unlearn(name)),
        }
    }

    /// Removes a learned issuer. Returns the previous table if there was one.
    fn unlearn(&self, name: &str) -> Option<Arc<Table>> {
        let mut table = Table::clone(&self.learned.load());
        table.remove(name).then(|| self.learned.swap(Arc::new(table)))
    }

    /// Drops all answers about this name, and the open question, because the application has changed this issuer.
    pub(super) fn forget(&self, name: &str) -> bool {
        let mut state = self.lock();
        let outdated = state.flights.remove(name);
        state.refused.remove(name);
        let replaced = self.unlearn(name);
        drop(state);
        let was_learned = replaced.is_some();
        drop((outdated, replaced));
        was_learned
    }

    /// Returns the names of the issuers that the resolver has returned, and of those that are being looked up.
    pub(super) fn names(&self) -> HashSet<Arc<str>> {
        // Both are read under the lock, so that no answer arrives in between.
        let state = self.lock();
        let learned = self.learned.load();
        state.flights.keys().cloned().chain(learned.rows().map(|row| row.name().into())).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many names are kept: of returned issuers, of refused ones, and of open questions.
    #[cfg(test)]
    pub(super) fn kept(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (self.learned.load().len(), state.refused.len(), state.flights.len())
    }
}

/// Checks the issuer that a resolver returned.
fn candidate(name: &str, issuer: TrustedIssuer) -> Result<Candidate, Arc<str>> {
    if issuer.conventions().issuer() != name {
        return Err("the resolver of unknown issuers was asked about one name and gave an issuer of another".into());
    }
    Candidate::checked(issuer).map_err(|error| unusable(&error))
}

fn unusable(error: &ConfigError) -> Arc<str> {
    format!("the resolver of unknown issuers gave one that cannot be used: {error}").into()
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unknown")
            .field("allow", &self.allow)
            .field("learned", &self.learned.load().len())
            .finish_non_exhaustive()
    }
}

/// A question to the resolver. It is counted until its future is dropped.
struct Question(Arc<AtomicUsize>);

impl Question {
    fn new(asked: Arc<AtomicUsize>) -> Self {
        asked.fetch_add(1, Ordering::SeqCst);
        Self(asked)
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A request that waits for a resolver's answer.
pub(crate) struct Waiter {
    unknown: Arc<Unknown>,
    name: Arc<str>,
    flight: Arc<Flight<Answer>>,
    number: u64,
}

impl Future for Waiter {
    /// `Ok` if the issuer may be found now.
    type Output = Result<(), AuthError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.flight.poll(self.number, context).map(|answer| match answer {
            Some(Answer::Learned | Answer::Kept | Answer::Outdated) => Ok(()),
            Some(answer) => Err(answer.refusal(UNDECIDED_FOR)),
            None => {
                let error = AuthError::new(Code::IssuerUnavailable).with_retry_after(UNDECIDED_FOR);
                Err(error.with_explanation("the resolver of unknown issuers panicked"))
            }
        })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut state = self.unknown.lock();
        let abandoned = self.flight.leave(self.number);
        let is_current = state.flights.get(&self.name).is_some_and(|(_, flight)| Arc::ptr_eq(flight, &self.flight));
        let ended = if abandoned.is_some() && is_current { state.flights.remove(&self.name) } else { None };
        drop(state);
        // These contain the resolver's future, which is the application's, so they must not be dropped under the lock.
        drop((abandoned, ended));
    }
}
