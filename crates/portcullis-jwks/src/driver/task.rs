//! The one task of a source: it makes every attempt, and nobody else does.

use std::{future::pending, sync::Arc, time::Duration};

use portcullis_core::{Clock, KeySet, SkippedKey, VerifyingKey};
use tokio::{
    select,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};

use crate::{
    FetchError,
    document::Document,
    driver::shared::{Shared, Usability},
    fetch::SharedFetch,
    key_document::{ExposedKeys, KeyDocument, MAX_EXPOSED, PublicHalf},
    machine::attempts::LastAttempt,
    machine::held::Held,
    machine::schedule::Jitter,
    origin::{Answer, Content, Learned, Origin},
    telemetry,
};

type Outcome = Result<Answer, FetchError>;

/// Fetches when it is time or when a token asks for it, one attempt at a time.
#[derive(Debug)]
pub(crate) struct Refresher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) origin: Origin,
    pub(crate) fetch: SharedFetch,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) outage: Duration,
    pub(crate) jitter: Jitter,
    pub(crate) learned: Learned,
    pub(crate) failures: u32,
    /// When a failure was last told.
    pub(crate) told_at: Instant,
    /// When the issuer wants to be asked again, if it said so.
    pub(crate) no_sooner_than: Instant,
    /// For as long as the source lives: that a key is published without its private half again makes nobody forget that.
    pub(crate) exposed: Vec<PublicHalf>,
}

/// An attempt under way. In a task of its own, so that a `Fetch` that panics is an attempt that failed.
#[derive(Default)]
struct Attempt {
    task: JoinSet<Outcome>,
    asked_at: Option<Instant>,
}

impl Refresher {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let _last_words = LastWords { shared: Arc::clone(&self.shared), source: self.origin.name() };
        let mut attempt = Attempt::default();
        loop {
            let (due, too_old) = self.times();
            select! {
                Some(outcome) = attempt.task.join_next() => {
                    self.finish(attempt.asked_at.take().unwrap_or_else(Instant::now), flat(outcome));
                }
                () = at(too_old) => self.grow_too_old(),
                () = at(due), if attempt.task.is_empty() => self.begin_what_is_due(),
                () = self.shared.wake.notified() => {}
            }
            if attempt.task.is_empty() && self.shared.desk().is_running() {
                attempt.asked_at = Some(Instant::now());
                attempt.task.spawn(self.origin.clone().attempt(self.fetch.clone(), self.learned.clone()));
            }
        }
    }

    /// When the next attempt is due, and when the keys in use become too old.
    fn times(&self) -> (Option<Instant>, Option<Instant>) {
        (self.shared.desk().due, self.shared.published.load().ends_at())
    }

    fn begin_what_is_due(&self) {
        let mut desk = self.shared.desk();
        if self.failures > 0 { desk.begin_retry(Instant::now()) } else { desk.begin_scheduled(Instant::now()) }
    }

    /// Draws the conclusions of an attempt, and then wakes the requests that wait for it.
    fn finish(&mut self, asked_at: Instant, outcome: Outcome) {
        let last = match outcome {
            Ok(answer) => self.answered(asked_at, answer),
            Err(error) => self.fail(error),
        };
        let finished = self.shared.desk().finish(last, Instant::now());
        if finished.missed {
            // The keys may have moved, and the place from before still answer.
            self.learned.in_doubt = true;
        }
        self.shared.finished.send_replace(finished.number);
    }

    fn answered(&mut self, asked_at: Instant, answer: Answer) -> LastAttempt {
        let Answer { url, learned_at, content } = answer;
        if learned_at >= asked_at {
            self.learned.in_doubt = false;
        }
        let (document, keys) = match content {
            Content::NotModified { freshness } => {
                self.learned.discovered = Some((url, learned_at));
                return self.confirm(asked_at, freshness);
            }
            Content::Read { document, keys } => (document, keys),
        };
        match keys {
            KeyDocument::Usable { keys, skipped } => {
                let good: KeySet = keys.iter().filter(|key| !self.is_exposed(key)).cloned().collect();
                if good.is_empty() {
                    return self.fail(FetchError::all_exposed().at(&url.shown()));
                }
                self.learned.discovered = Some((url.clone(), learned_at));
                self.learned.etag = document.etag.clone().map(|etag| (url.clone(), etag));
                let asked_at_time = self.clock.now().minus(asked_at.elapsed());
                let Document { text, freshness, .. } = document;
                let exposed = self.exposed.clone();
                let held = Held { keys: good, text: text.into(), exposed, asked_at, asked_at_time, freshness };
                self.take(held, &skipped)
            }
            KeyDocument::Refused { error, exposed } => {
                self.drop_exposed(&exposed);
                self.fail(error.at(&url.shown()))
            }
        }
    }

    fn is_exposed(&self, key: &VerifyingKey) -> bool {
        self.exposed.iter().any(|exposed| exposed.is_of(key))
    }

    /// The set in hand is still the right one.
    fn confirm(&mut self, asked_at: Instant, freshness: Duration) -> LastAttempt {
        let asked_at_time = self.clock.now().minus(asked_at.elapsed());
        let held = self.shared.desk().held.clone();
        match held {
            Some(held) => {
                let exposed = self.exposed.clone();
                self.take(Held { exposed, asked_at, asked_at_time, freshness, ..held }, &[])
            }
            // Nobody asked for it: there was no etag to send.
            None => self.fail(FetchError::malformed("the answer is that nothing changed, and there is nothing")),
        }
    }

    /// A set that can be used, new or not.
    fn take(&mut self, held: Held, skipped: &[SkippedKey]) -> LastAttempt {
        telemetry::fetched(&self.origin.name(), std::mem::take(&mut self.failures));
        let usability = held.usable(self.outage);
        let due = held.asked_at + self.jitter.refresh_after(held.freshness);
        // The keys that are in use stay, prepared as they are, however differently the issuer writes them down this time.
        let before = self.shared.desk().held.as_ref().map(|before| before.keys.clone()).unwrap_or_default();
        let same = !before.is_empty() && before.has_same_keys_as(&held.keys);
        let keys = if same { before.clone() } else { held.keys.clone() };
        let mut desk = self.shared.desk();
        if same && self.shared.published.load().usable().is_some() {
            self.shared.prolong(usability);
        } else {
            self.shared.publish(keys.clone(), usability);
        }
        if !same {
            desk.keys_changed(before.iter().filter_map(VerifyingKey::id));
        }
        desk.held = Some(Held { keys: keys.clone(), ..held });
        desk.due = Some(due);
        drop(desk);
        if !same {
            telemetry::keys_swapped(&self.origin.name(), &keys, skipped);
        }
        LastAttempt::Succeeded
    }

    fn fail(&mut self, error: FetchError) -> LastAttempt {
        self.failures = self.failures.saturating_add(1);
        // Perhaps the key set has moved: the next attempt begins with the metadata.
        self.learned.discovered = None;
        let asked_for = error.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
        let asked_for = self.jitter.no_sooner_than(asked_for);
        let (now, usable) = (Instant::now(), self.shared.published.load().usable().is_some());
        let retry = self.jitter.retry_after(self.failures, usable).max(asked_for);
        self.no_sooner_than = now + asked_for;
        self.shared.desk().due = Some(now + retry);
        // Tokens can cause several attempts at once.
        if self.failures == 1 || self.told_at.elapsed() >= BETWEEN_LINES {
            self.told_at = now;
            telemetry::fetch_failed(&self.origin.name(), &error, self.failures, usable);
        }
        LastAttempt::Failed(error)
    }

    /// Everybody can sign with a key whose private half was published, so it verifies nothing from now on.
    fn drop_exposed(&mut self, exposed: &ExposedKeys) {
        for half in &exposed.public_halves {
            if self.exposed.len() < MAX_EXPOSED && !self.exposed.iter().any(|known| known.is_the_same_as(half)) {
                self.exposed.push(half.clone());
            }
        }
        let mut desk = self.shared.desk();
        let Some(held) = desk.held.as_mut() else { return };
        held.exposed.clone_from(&self.exposed);
        let (dropped, kept): (Vec<_>, Vec<_>) = held.keys.iter().cloned().partition(|key| exposed.contain(key));
        if dropped.is_empty() {
            return;
        }
        // What is left of it stays, also if that is nothing: a snapshot is to tell the next process.
        held.keys = kept.into_iter().collect();
        let (keys, usability) = (held.keys.clone(), held.usable(self.outage));
        drop(desk);
        // So that the set is read in full when it is in order again.
        self.learned.etag = None;
        let usability = match self.shared.published.load().usability() {
            Usability::Usable { .. } if keys.is_empty() => Usability::Nothing,
            Usability::Usable { .. } => usability,
            other => other,
        };
        self.shared.publish(keys, usability);
        telemetry::exposed_keys_dropped(&self.origin.name(), &dropped);
    }

    fn grow_too_old(&mut self) {
        self.shared.publish(KeySet::default(), Usability::TooOld);
        telemetry::keys_too_old(&self.origin.name());
        // The wait was chosen while there were keys to use.
        let soon = Instant::now() + self.jitter.retry_after(self.failures, false);
        let soon = soon.max(self.no_sooner_than);
        let mut desk = self.shared.desk();
        desk.due = desk.due.map(|due| due.min(soon));
    }
}

/// For how long an issuer can ask to be left alone (`Retry-After`). Longer, and its recovery would go unnoticed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// After the line for the first failure, there is at most one in this time.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

fn flat(outcome: Result<Outcome, JoinError>) -> Outcome {
    outcome.unwrap_or_else(|_| Err(FetchError::crashed()))
}

/// Never, if there is no instant.
async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}

/// Says that nobody looks after the keys any more, when the task ends: with the last handle, or with its runtime.
struct LastWords {
    shared: Arc<Shared>,
    source: String,
}

impl Drop for LastWords {
    fn drop(&mut self) {
        // The task's own two references, and those of whoever still asks: nobody does if it ends because the last handle is gone.
        if Arc::strong_count(&self.shared) > 2 {
            telemetry::task_ended(&self.source);
        }
        self.shared.publish(KeySet::default(), Usability::Ended);
        self.shared.finished.send_replace(u64::MAX);
    }
}
