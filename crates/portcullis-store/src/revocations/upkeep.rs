//! What a process appends without being asked.

use std::{sync::Arc, time::Duration};

use portcullis_core::RevocationEntry;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use super::{ATTEMPT_TIMEOUT, BATCH, Shared, feed::back_off, own};
use crate::telemetry;

/// How often it is looked for keys whose entries the log would forget.
const RENEWAL: Duration = Duration::from_secs(60);

/// Appends what the log has lost or never acknowledged, renews entries that have to outlive the log's memory, and measures the lag.
///
/// In a task of its own: a log that can be read and not written must not keep the view from being confirmed.
#[derive(Debug)]
pub(super) struct Upkeep {
    shared: Arc<Shared>,
    /// Between two canaries; zero for none.
    canary: Duration,
    last_canary: Instant,
    last_renewed: Instant,
    failures: u32,
    /// Not before then: what comes back from the log must not make it append again at once.
    not_before: Instant,
    /// At most one.
    task: JoinSet<bool>,
}

impl Upkeep {
    pub(super) fn new(shared: Arc<Shared>, canary: Duration) -> Self {
        let now = Instant::now();
        // The first canary at once: an operator wants to see a lag after the start.
        let last_canary = now.checked_sub(canary).unwrap_or(now);
        Self { shared, canary, last_canary, last_renewed: now, failures: 0, not_before: now, task: JoinSet::new() }
    }

    /// To be called whenever the log was read to its end, with when it was asked.
    pub(super) fn look(&mut self, asked_at: Instant) {
        let now = Instant::now();
        if let Some(outcome) = self.task.try_join_next() {
            self.failures = if outcome.unwrap_or(false) { 0 } else { self.failures.saturating_add(1) };
            self.not_before = now + if self.failures == 0 { Duration::ZERO } else { back_off(self.failures) };
        }
        if !self.task.is_empty() || now < self.not_before {
            return;
        }
        let entries = self.due(now, asked_at);
        if !entries.is_empty() {
            self.task.spawn(append(Arc::clone(&self.shared), entries));
        }
    }

    fn due(&mut self, now: Instant, asked_at: Instant) -> Vec<RevocationEntry> {
        let view = &self.shared.view;
        let mut entries = self.shared.own().take_due(view.trusted_now(), asked_at);
        if now.duration_since(self.last_renewed) >= RENEWAL {
            self.last_renewed = now;
            entries.extend(view.keys_to_renew());
        }
        if !entries.is_empty() {
            telemetry::appending_anew(entries.len());
        }
        if self.canary > Duration::ZERO && now.duration_since(self.last_canary) >= self.canary {
            self.last_canary = now;
            let canary = own::canary(view.now());
            self.shared.own().add(std::slice::from_ref(&canary));
            entries.push(canary);
        }
        entries
    }
}

/// Whether it is all in the log. What is not is kept for the next time.
async fn append(shared: Arc<Shared>, entries: Vec<RevocationEntry>) -> bool {
    let mut left = &*entries;
    while !left.is_empty() {
        let (batch, rest) = left.split_at(left.len().min(BATCH));
        let outcome = timeout(ATTEMPT_TIMEOUT, shared.log.append(batch.into())).await;
        if !matches!(outcome, Ok(Ok(()))) {
            shared.own().failed(left);
            return false;
        }
        shared.own().acknowledged(batch);
        left = rest;
    }
    true
}
