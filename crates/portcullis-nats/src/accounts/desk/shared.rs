//! [`Shared`]: what requests and look-ups of a desk share.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use portcullis_core::UnixTime;
use tokio::{sync::Semaphore, time::timeout};

use super::{
    counts::Counts,
    failure::{Answer, Failure},
    failures::Failures,
    flights::{AT_ONCE, Flights, QUEUE, STRANGERS_AT_ONCE},
    floors::Floors,
    places::Places,
    table::{Accepted, Digest, Origin, Table},
};
use crate::{
    accounts::{AccountCache, AccountResolver, ResolverError},
    chain::{Chain, Circumstances, Refusal, RefusalKind, VerifiedAccount},
    claims::Account,
    nkey::AccountKey,
    telemetry,
    token::{Token, TokenErrorKind},
};

/// How long a resolver may take, as in nats-server.
const ANSWER: Duration = Duration::from_millis(1_900);

/// How many bytes a token may have that a caller brings along. All HTTP headers together may rarely have more.
const LONGEST_STAPLE: usize = 16 * 1024;

pub(super) struct Shared<R> {
    chain: Arc<Chain>,
    pub(super) resolver: R,
    pub(super) floors: Floors,
    pub(super) places: Places,
    /// How many seconds the next check of an account lies ahead at most.
    pub(super) longest_check: u64,
    state: Mutex<State>,
    /// Turns for look-ups, and for those of accounts that were never accepted.
    turns: Semaphore,
    turns_of_strangers: Semaphore,
    pub(super) counts: Counts,
    /// How many look-ups in a row have failed.
    failing: AtomicU64,
}

/// Locked only for requests whose verdict is not cached, and for look-ups. Never across an await.
pub(super) struct State {
    pub(super) table: Table,
    pub(super) failures: Failures,
    pub(super) flights: Flights,
}

/// What a token that a caller brings along is good for.
pub(super) enum Weighed {
    /// It is none of this account.
    Bad(Refusal),
    /// It is acceptable as such, but what is held is no older, or it is older than allowed.
    Useless,
    Good(Box<Accepted>),
}

impl<R: AccountResolver> Shared<R> {
    pub(super) fn new(chain: Arc<Chain>, resolver: R, config: &AccountCache) -> Self {
        let table = Table::new(config, resolver.has_accounts());
        Self {
            chain,
            resolver,
            floors: Floors::new(config.floors.clone()),
            places: Places::new(config.most),
            longest_check: table.rules().longest_check(),
            state: Mutex::new(State { table, failures: Failures::default(), flights: Flights::default() }),
            turns: Semaphore::new(AT_ONCE),
            turns_of_strangers: Semaphore::new(STRANGERS_AT_ONCE),
            counts: Counts::default(),
            failing: AtomicU64::new(0),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Poison means that a thread panicked in a few lines of bookkeeping; the state is still usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the account was accepted before: then it is not made up.
    pub(super) fn has_seen(&self, state: &State, id: &AccountKey) -> bool {
        state.table.holds(id) || self.floors.of(id).is_some()
    }

    /// Asks the resolver, when it is this look-up's turn.
    pub(super) async fn ask(&self, id: &AccountKey, is_stranger: bool) -> Result<Option<String>, Failure> {
        let turn = async {
            // An error would mean that a semaphore was closed, which none is.
            let stranger = if is_stranger { self.turns_of_strangers.acquire().await.ok() } else { None };
            (stranger, self.turns.acquire().await.ok())
        };
        let _turn = timeout(QUEUE, turn).await.map_err(|_| Failure::Busy)?;
        let _asking = self.counts.asking();
        let slow = |_| Err(ResolverError::new("the resolver did not answer within 1.9 s"));
        timeout(ANSWER, self.resolver.fetch(id)).await.unwrap_or_else(slow).map_err(Failure::Resolver)
    }

    /// Decides about the text that the resolver has given.
    pub(super) async fn take(&self, id: &AccountKey, text: Option<String>, now: UnixTime) -> Answer {
        // A server without an account answers with an empty text.
        let text = text.as_deref().map(str::trim).filter(|text| !text.is_empty()).ok_or(Failure::Unknown)?;
        self.accept(id, text, now).await
    }

    /// Decides about the text of an account's token from the resolver or the application, and puts the account in.
    pub(super) async fn accept(&self, id: &AccountKey, text: &str, now: UnixTime) -> Answer {
        let account = self.verify(id, text, now)?;
        self.put(Accepted { account, digest: sha256(text), origin: Origin::Resolver }, now).await
    }

    /// Puts an account in, once its floor is raised.
    pub(super) async fn put(&self, accepted: Accepted, now: UnixTime) -> Answer {
        let (id, issued_at) = (*accepted.account.id(), accepted.account.issued_at());
        let put = async {
            self.floors.load().await.map_err(Failure::Floors)?;
            self.floors.raise(&id, issued_at).await?;
            let mut state = self.lock();
            // A newer one may have come meanwhile.
            self.floors.require(&id, issued_at)?;
            let known = state.table.put(accepted, &self.places, now)?;
            state.failures.remove(&id);
            Ok(known)
        };
        let put = put.await;
        if let Err(Failure::RolledBack(_)) = &put {
            self.counts.rolled_back();
            telemetry::account_rolled_back(&id);
        }
        put
    }

    fn verify(&self, id: &AccountKey, text: &str, now: UnixTime) -> Result<VerifiedAccount, Refusal> {
        self.chain.account(id, text, &Circumstances::at(now))
    }

    /// Decides what a token that a caller brings along is good for. It does no I/O.
    pub(super) fn weigh(&self, id: &AccountKey, text: &str, now: UnixTime) -> Weighed {
        let Some(max_age) = self.lock().table.rules().stapled else { return Weighed::Useless };
        if text.len() > LONGEST_STAPLE {
            let kind = RefusalKind::Account(TokenErrorKind::TooLong);
            return Weighed::Bad(Refusal::new(kind, "the account's token in the request has more than 16 KiB"));
        }
        let digest = sha256(text);
        // Most callers bring the one that is held: do not check its signature again.
        if self.is_no_older(id, &digest, None, now) {
            return Weighed::Useless;
        }
        let account = match self.verify(id, text, now) {
            Ok(account) => account,
            Err(refusal) => return Weighed::Bad(refusal),
        };
        let issued_at = account.issued_at();
        if issued_at.plus(max_age) <= now || self.is_no_older(id, &digest, Some(issued_at), now) {
            return Weighed::Useless;
        }
        Weighed::Good(Box::new(Accepted { account, digest, origin: Origin::Staple }))
    }

    fn is_no_older(&self, id: &AccountKey, digest: &Digest, issued_at: Option<UnixTime>, now: UnixTime) -> bool {
        self.lock().table.is_no_older(id, digest, issued_at, now)
    }

    /// Decides about a token that the resolver sends because the account has changed. One that is not in use here only ends the memory that it
    /// was not found.
    pub(super) async fn update(&self, text: &str, now: UnixTime) {
        let Ok(id) = id_of(text) else { return };
        let is_held = {
            let mut state = self.lock();
            state.failures.remove(&id);
            state.table.holds(&id)
        };
        if is_held && let Err(failure) = self.accept(&id, text.trim(), now).await {
            telemetry::update_not_taken(&id, &failure.told(Duration::ZERO));
        }
    }

    /// Ends a look-up: keeps the answer, and returns what those are told who wait. Called with the state locked.
    pub(super) fn settle(&self, state: &mut State, id: &AccountKey, answer: Answer, at: Moment) -> Answer {
        self.counts.looked_up(&answer);
        let failure = match answer {
            Ok(known) => return Ok(known),
            Err(failure) => failure,
        };
        if matches!(failure, Failure::Unknown) {
            state.table.remove(id, &self.places);
        } else if let Some(known) = state.table.excuse(id, &self.places, at.now) {
            return Ok(known);
        }
        if failure.is_remembered() {
            state.failures.note(id, failure.clone(), at.uptime);
        }
        Err(failure)
    }

    /// Tells the operator when look-ups begin to fail, and when they succeed again.
    pub(super) fn tell(&self, answer: &Answer) {
        let trouble = answer.as_ref().err().and_then(Failure::trouble);
        match trouble {
            Some(error) => {
                let failures = self.failing.fetch_add(1, Ordering::Relaxed) + 1;
                // One line for each doubling, however many requests there are.
                if failures.is_power_of_two() {
                    telemetry::look_up_failed(error, failures);
                }
            }
            None => telemetry::look_up_succeeded(self.failing.swap(0, Ordering::Relaxed)),
        }
    }
}

/// The time by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) now: UnixTime,
    pub(super) uptime: Duration,
}

/// Returns the account that a token says it is of.
pub(super) fn id_of(text: &str) -> Result<AccountKey, Refusal> {
    let token = Token::<Account>::read(text.trim()).map_err(|error| Refusal::of_account(&error))?;
    let wrong = |_| Refusal::new(RefusalKind::Account(TokenErrorKind::Key), "the token is that of no account");
    AccountKey::try_from(token.registered.subject).map_err(wrong)
}

fn sha256(text: &str) -> Digest {
    let mut bytes = Digest::default();
    bytes.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    bytes
}
