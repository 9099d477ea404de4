//! [`Flights`]: the look-ups that are under way, one for each account.

use std::{collections::HashMap, sync::Arc, time::Duration};

use portcullis_core::Clock;
use tokio::sync::watch;

use super::{
    failure::{Answer, Failure},
    shared::{Moment, Shared},
};
use crate::{accounts::AccountResolver, nkey::AccountKey};

/// How many accounts are looked up at once.
pub(super) const AT_ONCE: usize = 64;

/// How many of these may be accounts that were never accepted before. They may be made up, and looking them up may be slow: the other half is for
/// accounts that are in use.
pub(super) const STRANGERS_AT_ONCE: usize = AT_ONCE / 2;

/// How many look-ups may be under way or wait for their turn, in all and of such accounts. More are answered with 503 at once.
const MOST: usize = 256;
const MOST_STRANGERS: usize = 96;

/// How long a look-up may wait for its turn.
pub(super) const QUEUE: Duration = Duration::from_secs(1);

/// The look-ups that are under way.
#[derive(Default)]
pub(super) struct Flights {
    by_id: HashMap<AccountKey, Outcome>,
    strangers: usize,
}

/// Where the end of a look-up arrives. It is closed without one if the look-up panics.
pub(super) type Outcome = watch::Receiver<Option<Ending>>;

/// How a look-up has ended.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    /// What those are told who wait for the account: it may be used for a while although the look-up has failed.
    told: Answer,
    failure: Option<Failure>,
}

impl Flights {
    pub(super) fn find(&self, id: &AccountKey) -> Option<Outcome> {
        self.by_id.get(id).cloned()
    }

    pub(super) fn has_room(&self, is_stranger: bool) -> bool {
        self.by_id.len() < MOST && !(is_stranger && self.strangers >= MOST_STRANGERS)
    }

    /// Begins a look-up. Returns where its answer arrives.
    pub(super) fn begin<R: AccountResolver>(
        &mut self,
        shared: &Arc<Shared<R>>,
        id: AccountKey,
        is_stranger: bool,
        clock: &Arc<dyn Clock>,
    ) -> (Flight<R>, Outcome) {
        let (sender, outcome) = watch::channel(None);
        self.by_id.insert(id, outcome.clone());
        self.strangers += usize::from(is_stranger);
        let flight =
            Flight { shared: Arc::clone(shared), id, is_stranger, clock: Arc::clone(clock), sender, is_over: false };
        (flight, outcome)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    fn end(&mut self, id: &AccountKey, is_stranger: bool) {
        self.by_id.remove(id);
        self.strangers -= usize::from(is_stranger);
    }
}

/// A look-up. It ends when this is dropped, with or without an answer.
pub(super) struct Flight<R: AccountResolver> {
    shared: Arc<Shared<R>>,
    id: AccountKey,
    is_stranger: bool,
    clock: Arc<dyn Clock>,
    sender: watch::Sender<Option<Ending>>,
    is_over: bool,
}

impl<R: AccountResolver> Flight<R> {
    pub(super) async fn run(mut self) {
        let answer = match self.shared.ask(&self.id, self.is_stranger).await {
            Ok(text) => self.shared.take(&self.id, text, self.clock.now()).await,
            Err(failure) => Err(failure),
        };
        self.shared.tell(&answer);
        let failure = answer.as_ref().err().cloned();
        let at = Moment { now: self.clock.now(), uptime: self.clock.uptime() };
        let told = {
            let mut state = self.shared.lock();
            // Together, so that who asks afterwards does not join a look-up that is over.
            state.flights.end(&self.id, self.is_stranger);
            self.is_over = true;
            self.shared.settle(&mut state, &self.id, answer, at)
        };
        self.sender.send_replace(Some(Ending { told, failure }));
    }
}

impl<R: AccountResolver> Drop for Flight<R> {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.lock().flights.end(&self.id, self.is_stranger);
        }
    }
}

/// Waits for a look-up, and returns what those are told who wait for the account.
pub(super) async fn answer_of(outcome: Outcome) -> Answer {
    ending_of(outcome).await.map_or(Err(Failure::Ended), |ending| ending.told)
}

/// Waits for a look-up, and returns its failure, even if the account that is held is used meanwhile.
pub(super) async fn success_of(outcome: Outcome) -> Answer {
    let Some(Ending { told, failure }) = ending_of(outcome).await else { return Err(Failure::Ended) };
    failure.map_or(told, Err)
}

async fn ending_of(mut outcome: Outcome) -> Option<Ending> {
    outcome.wait_for(Option::is_some).await.ok().and_then(|ending| ending.clone())
}
