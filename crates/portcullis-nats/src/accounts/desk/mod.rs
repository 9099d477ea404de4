//! [`Desk`]: keeps accounts, and looks up those that are missing. The rules are in the docs of the module above.

mod counts;
mod failure;
mod failures;
mod flights;
mod floors;
mod places;
mod shared;
mod table;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, Once, PoisonError},
    time::Duration,
};

use portcullis_core::{AuthError, Clock, Code, UnixTime, authenticator::Edition, floors::FloorError};
use tokio::{runtime::Handle, task::JoinSet};

use self::{
    failure::{Answer, Failure, REMEMBERED},
    flights::{Outcome, answer_of, success_of},
    shared::{Shared, State, Weighed},
    table::{Accepted, Standing},
};
use super::{AccountCache, AccountResolver, AccountUpdates, InsertError};
use crate::{
    chain::{Chain, VerifiedAccount},
    nkey::AccountKey,
};

/// Keeps accounts, and looks up those that are missing. Its look-ups end with it.
pub(crate) struct Desk<R> {
    shared: Arc<Shared<R>>,
    tasks: Mutex<JoinSet<()>>,
    following: Once,
}

/// An account that can be used.
#[derive(Debug)]
pub(crate) struct KnownAccount {
    pub(crate) account: VerifiedAccount,
    /// For what is decided with it: see [`Desk::is_current`].
    pub(crate) edition: Edition,
    /// Until when it can be used, even if it cannot be looked up again.
    pub(crate) usable_until: UnixTime,
}

/// The result of asking for an account.
pub(crate) enum Lookup {
    Known(Arc<KnownAccount>),
    Waiting(Waiting),
    Refused(AuthError),
}

type Waiting = Pin<Box<dyn Future<Output = Result<Arc<KnownAccount>, AuthError>> + Send>>;

impl<R: AccountResolver> Desk<R> {
    pub(crate) fn new(chain: Arc<Chain>, resolver: R, config: &AccountCache) -> Self {
        let shared = Arc::new(Shared::new(chain, resolver, config));
        Self { shared, tasks: Mutex::default(), following: Once::new() }
    }

    /// Loads the floors, so that an application notices at its start if it cannot. Otherwise the first look-up loads them.
    pub(crate) async fn load(&self) -> Result<(), FloorError> {
        self.shared.floors.load().await
    }

    /// Returns an account. `staple` is the token that the caller has brought along, if any.
    pub(crate) fn look_up(
        self: &Arc<Self>,
        id: &AccountKey,
        staple: Option<&str>,
        now: UnixTime,
        clock: &Arc<dyn Clock>,
    ) -> Lookup {
        self.follow(clock);
        match staple.map(|text| self.shared.weigh(id, text, now)) {
            None | Some(Weighed::Useless) => self.look_up_held(id, now, clock),
            Some(Weighed::Bad(refusal)) => {
                self.shared.counts.stapled(false);
                Lookup::Refused(refusal.into())
            }
            Some(Weighed::Good(accepted)) => {
                Lookup::Waiting(Box::pin(Arc::clone(self).put_staple(accepted, Arc::clone(clock))))
            }
        }
    }

    /// Whether what was decided with that edition of an account still holds: the account was not replaced, and need not be looked up. It takes no
    /// lock.
    pub(crate) fn is_current(&self, edition: Edition, now: UnixTime) -> bool {
        self.shared.places.is_current(edition, now, self.shared.longest_check)
    }

    /// Takes the token of an account that the application has, in place of an older one. From then on nothing holds that was decided with that
    /// one.
    pub(crate) async fn insert(&self, token: &str, now: UnixTime) -> Result<AccountKey, InsertError> {
        let id = shared::id_of(token).map_err(InsertError::refused)?;
        self.shared.accept(&id, token.trim(), now).await?;
        Ok(id)
    }

    /// Looks an account up now, although it is held. What a look-up finds that is under way may be older than this call. A failure is one, even if the account that
    /// is held can be used meanwhile.
    pub(crate) async fn refresh(
        self: &Arc<Self>,
        id: &AccountKey,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<KnownAccount>, AuthError> {
        let under_way = self.shared.lock().flights.find(id);
        if let Some(outcome) = under_way {
            let _ = answer_of(outcome).await;
        }
        let outcome = self.begin(id, clock).map_err(|failure| failure.told(REMEMBERED))?;
        success_of(outcome).await.map_err(|failure| failure.told(REMEMBERED))
    }

    /// Forgets the floor of an account, and the account: an older token of it is then accepted. Returns the floor.
    pub(crate) async fn reset_floor(&self, id: &AccountKey) -> Result<Option<UnixTime>, FloorError> {
        let floor = self.shared.floors.reset(id).await?;
        self.shared.lock().table.remove(id, &self.shared.places);
        Ok(floor)
    }

    fn look_up_held(self: &Arc<Self>, id: &AccountKey, now: UnixTime, clock: &Arc<dyn Clock>) -> Lookup {
        let state = self.shared.lock();
        let standing = state.table.standing(id, &self.shared.places, now);
        if let Standing::Usable { known, is_due } = standing {
            drop(state);
            if is_due {
                // If it cannot begin, a later request tries again.
                drop(self.begin(id, clock));
            }
            return Lookup::Known(known);
        }
        let is_late = matches!(standing, Standing::Late);
        if !is_late && let Some((failure, left)) = state.failures.find(id, clock.uptime()) {
            return Lookup::Refused(failure.told(left));
        }
        if !state.table.rules().has_resolver {
            return Lookup::Refused(no_account());
        }
        drop(state);
        match self.begin(id, clock) {
            Ok(outcome) => {
                let desk = Arc::clone(self);
                Lookup::Waiting(Box::pin(async move {
                    let answer = answer_of(outcome).await;
                    drop(desk); // whose look-ups would end with it
                    answer.map_err(|failure| failure.told(REMEMBERED))
                }))
            }
            Err(failure) => self.excused(id, &failure, now),
        }
    }

    /// Answers when no look-up can begin.
    fn excused(&self, id: &AccountKey, failure: &Failure, now: UnixTime) -> Lookup {
        match self.shared.lock().table.excuse(id, &self.shared.places, now) {
            Some(known) => Lookup::Known(known),
            None => Lookup::Refused(failure.told(Duration::from_secs(1))),
        }
    }

    /// Begins a look-up, or joins the one that is under way.
    fn begin(&self, id: &AccountKey, clock: &Arc<dyn Clock>) -> Result<Outcome, Failure> {
        let Ok(runtime) = Handle::try_current() else { return Err(Failure::Ended) };
        let mut state = self.shared.lock();
        if let Some(outcome) = state.flights.find(id) {
            return Ok(outcome);
        }
        let is_stranger = !self.shared.has_seen(&state, id);
        let State { flights, .. } = &mut *state;
        if !flights.has_room(is_stranger) {
            return Err(Failure::Busy);
        }
        let (flight, outcome) = flights.begin(&self.shared, *id, is_stranger, clock);
        drop(state);
        self.spawn(flight.run(), &runtime);
        Ok(outcome)
    }

    /// Runs until it ends, or the desk does.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static, runtime: &Handle) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(task, runtime);
    }

    /// Takes the staple of a caller. If it is too old after all, the account is looked up.
    async fn put_staple(
        self: Arc<Self>,
        accepted: Box<Accepted>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<KnownAccount>, AuthError> {
        let id = *accepted.account.id();
        let answer: Answer = self.shared.put(*accepted, clock.now()).await;
        self.shared.counts.stapled(answer.is_ok());
        let failure = match answer {
            Ok(known) => return Ok(known),
            Err(failure) => failure,
        };
        let has_resolver = self.shared.lock().table.rules().has_resolver;
        if !matches!(failure, Failure::RolledBack(_)) {
            return Err(failure.told(REMEMBERED));
        }
        // Another caller may have brought a newer one meanwhile.
        match self.look_up_held(&id, clock.now(), &clock) {
            Lookup::Known(known) => Ok(known),
            Lookup::Waiting(waiting) => waiting.await,
            Lookup::Refused(error) if has_resolver => Err(error),
            Lookup::Refused(_) => Err(failure.told(REMEMBERED)),
        }
    }

    /// Starts to follow the resolver's updates, with the first request.
    fn follow(&self, clock: &Arc<dyn Clock>) {
        if self.following.is_completed() {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        self.following.call_once(|| {
            let (updates, mut arrived) = AccountUpdates::channel();
            let shared = Arc::clone(&self.shared);
            self.spawn(async move { shared.resolver.follow(updates).await }, &runtime);
            let (shared, clock) = (Arc::clone(&self.shared), Arc::clone(clock));
            let take = async move {
                while let Some(token) = arrived.next().await {
                    shared.update(&token, clock.now()).await;
                }
            };
            self.spawn(take, &runtime);
        });
    }
}

fn no_account() -> AuthError {
    AuthError::new(Code::IssuerNotTrusted).with_explanation(
        "account_unknown: there is no resolver of accounts, and the request brings no account token along (`Nats-Account`) that is new \
         enough and allowed by `AccountCache::stapled`",
    )
}

impl<R: AccountResolver> fmt::Debug for Desk<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Desk")
            .field("resolver", &self.shared.resolver)
            .field("accounts", &state.table.len())
            .field("under_way", &state.flights.len())
            .finish_non_exhaustive()
    }
}
