//! [`Work`]: which notice is attempted next, so that no client waits for another one.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use tokio::{
    task::{Id, JoinError, JoinSet},
    time::Instant,
};

use super::notice::Notice;
use crate::{StoreError, records::RecordVersion, refresh::FamilyId};

/// How many attempts there are at once, of all clients.
const AT_ONCE: usize = 16;

/// How many attempts there are at once of one client: it cannot occupy a worker.
const AT_ONCE_OF_A_CLIENT: usize = 2;

/// The longest time for which a client that does not answer is left alone.
const LONGEST_REST: Duration = Duration::from_secs(64);

/// A notice that is due.
pub(super) struct Due {
    pub(super) session: FamilyId,
    pub(super) notice: Notice,
    pub(super) version: RecordVersion,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempted {
    Told,
    /// The client has refused the token or could not be reached, or another worker was faster.
    NotTold,
    /// The client did not answer.
    TimedOut,
}

type Outcome = Result<Attempted, StoreError>;

/// The notices that are due, by client in turn, and the attempts that are being made.
#[derive(Default)]
pub(super) struct Work {
    due: VecDeque<(String, VecDeque<Due>)>,
    attempts: JoinSet<Outcome>,
    running: HashMap<Id, String>,
    resting: HashMap<String, Rest>,
}

/// A client that did not answer.
struct Rest {
    until: Instant,
    length: Duration,
}

impl Work {
    /// Replaces the notices that are due.
    pub(super) fn replace_due(&mut self, mut due: Vec<Due>) {
        due.sort_by_key(|due| due.notice.next_at);
        let mut by_client = HashMap::<String, VecDeque<Due>>::new();
        for each in due {
            by_client.entry(each.notice.client_id.clone()).or_default().push_back(each);
        }
        self.due = by_client.into_iter().collect();
        let longest = LONGEST_REST;
        self.resting.retain(|_, rest| rest.until.elapsed() <= longest);
    }

    /// Starts as many attempts as there may be.
    pub(super) fn start<A: Future<Output = Outcome> + Send + 'static>(&mut self, attempt: impl Fn(Due) -> A) {
        let mut passed = 0;
        while passed < self.due.len() && self.attempts.len() < AT_ONCE {
            let Some((client, mut due)) = self.due.pop_front() else { return };
            if self.may_be_told(&client) {
                passed = 0;
                if let Some(next) = due.pop_front() {
                    let task = self.attempts.spawn(attempt(next));
                    self.running.insert(task.id(), client.clone());
                }
            } else {
                passed += 1;
            }
            if !due.is_empty() {
                self.due.push_back((client, due));
            }
        }
    }

    /// Whether there may be another attempt of this client. After one that was not answered there is one at a time.
    fn may_be_told(&self, client: &str) -> bool {
        let running = self.running.values().filter(|other| *other == client).count();
        match self.resting.get(client) {
            Some(rest) => running == 0 && Instant::now() >= rest.until,
            None => running < AT_ONCE_OF_A_CLIENT,
        }
    }

    /// Waits for an attempt to end; `None` if there is none. An attempt that has panicked is a failure of its own.
    pub(super) async fn next(&mut self) -> Option<Outcome> {
        let ended = self.attempts.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let client = self.running.remove(&id);
        let outcome = ended.map_or_else(|error| Err(panicked(&error)), |(_, outcome)| outcome);
        match (client, &outcome) {
            (Some(client), Ok(Attempted::TimedOut)) => self.rest(client),
            (Some(client), Ok(Attempted::Told)) => {
                self.resting.remove(&client);
            }
            _ => {}
        }
        Some(outcome)
    }

    /// Leaves a client alone, each time for longer.
    fn rest(&mut self, client: String) {
        let length = self.resting.get(&client).map_or(Duration::from_secs(1), |rest| 2 * rest.length);
        let length = length.min(LONGEST_REST);
        self.resting.insert(client, Rest { until: Instant::now() + length, length });
    }
}

fn panicked(error: &JoinError) -> StoreError {
    StoreError::new(format!("an attempt to tell a client has ended early: {error}"))
}
