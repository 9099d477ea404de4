//! `Task`: the single task of a source, which makes all attempts.

use std::{future::pending, sync::Arc, time::Instant};

use portcullis_core::Clock;
use tokio::{
    select,
    task::{JoinError, JoinSet},
    time::sleep_until,
};

use super::{Shared, now};
use crate::{
    error::FetchError,
    fetch::SharedFetch,
    fetch_queue::QueuedSource,
    machine::{Event, FetchedKeys},
    origin::Origin,
    telemetry,
};

type Outcome = Result<FetchedKeys, FetchError>;

/// Fetches when the machine says so, one attempt at a time.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) shared: Arc<Shared>,
    pub(crate) origin: Origin,
    pub(crate) fetch: SharedFetch,
    /// The queue that the source shares with others, if any.
    pub(crate) queue: Option<QueuedSource>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Task {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        let _last_words = LastWords(Arc::clone(&self.shared));
        // The current attempt, in its own task, so that a panicking `Fetch` is a failed attempt.
        let mut attempt = JoinSet::new();
        loop {
            let wakes_at = self.shared.machine().wakes_at();
            select! {
                Some(outcome) = attempt.join_next() => self.finish(flat(outcome)),
                () = at(wakes_at) => self.shared.tell(Event::Time),
                () = self.shared.wake.notified() => {}
            }
            let next = self.shared.machine().take_up_attempt(now());
            if let Some(learned) = next {
                attempt.spawn(in_turn(self.queue.clone(), self.origin.clone().attempt(self.fetch.clone(), learned)));
            }
        }
    }

    fn finish(&self, outcome: Outcome) {
        self.shared.tell(Event::AttemptOver { outcome: Box::new(outcome), calendar: self.clock.now() });
    }
}

/// Makes the attempt when it is its turn. Its time limit counts from then on: while others fetch, it must not fail.
async fn in_turn(queue: Option<QueuedSource>, attempt: impl Future<Output = Outcome>) -> Outcome {
    let _turn = match &queue {
        Some(queue) => Some(queue.turn().await),
        None => None,
    };
    attempt.await
}

fn flat(outcome: Result<Outcome, JoinError>) -> Outcome {
    outcome.unwrap_or_else(|_| Err(FetchError::crashed()))
}

/// Waits until this instant; forever if there is none.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant.into()).await,
        None => pending().await,
    }
}

/// Reports, when the task ends, that the keys are no longer refreshed: because the last handle was dropped, or because the runtime ended.
struct LastWords(Arc<Shared>);

impl Drop for LastWords {
    fn drop(&mut self) {
        // Two references belong to the task, the others to handles and requests. If the task ends because the last handle was dropped,
        // there are no others.
        if Arc::strong_count(&self.0) > 2 {
            telemetry::task_ended(self.0.name());
        }
        self.0.tell(Event::Ended);
    }
}
