//! Handles the end of an attempt.

use std::time::{Duration, Instant};

use portcullis_core::{
    KeySet, UnixTime,
    keys::{SkippedKey, VerifyingKey},
};

use super::{Action, Content, FetchedKeys, Held, Machine, Notice, Usability, attempts::LastAttempt};
use crate::{
    error::FetchError,
    key_document::{ExposedKeys, KeyDocument, MAX_EXPOSED},
};

/// The longest time that an issuer can ask us to wait (`Retry-After`). With a longer time, its recovery would go unnoticed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(5 * 60);

/// The minimum time between two log lines after that of the first failure.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

impl Machine {
    /// Processes the result of an attempt, and then wakes the requests that wait for it.
    pub(super) fn on_attempt_over(
        &mut self,
        outcome: Result<FetchedKeys, FetchError>,
        calendar: UnixTime,
        now: Instant,
    ) -> Vec<Action> {
        let mut actions = Vec::new();
        let asked_at = self.attempts.made_at().unwrap_or(now);
        let last = match outcome {
            Ok(fetched) => {
                let asked_at_time = calendar.minus(now.saturating_duration_since(asked_at));
                self.on_fetched(fetched, (asked_at, asked_at_time), now, &mut actions)
            }
            Err(error) => self.fail(error, now, &mut actions),
        };
        let finished = self.attempts.finish(last, self.held.as_ref().map(|held| &held.keys), now);
        if finished.missed {
            // The keys may have moved while the old URL still answers.
            self.learned.in_doubt = true;
        }
        actions.push(Action::Wake(finished.number));
        actions
    }

    /// `asked_at` is when it was requested, by the monotonic clock and by the wall clock.
    fn on_fetched(
        &mut self,
        fetched: FetchedKeys,
        asked_at: (Instant, UnixTime),
        now: Instant,
        actions: &mut Vec<Action>,
    ) -> LastAttempt {
        let FetchedKeys { url, learned_at, freshness, content } = fetched;
        let (asked_at, asked_at_time) = asked_at;
        if learned_at >= asked_at {
            self.learned.in_doubt = false;
        }
        let exposed = self.exposed.clone();
        match content {
            Content::NotModified => {
                self.learned.discovered = Some((url, learned_at));
                match self.held.clone() {
                    // The current set has not changed.
                    Some(held) => self.take(
                        Held { exposed, asked_at, asked_at_time, freshness, ..held },
                        Vec::new(),
                        now,
                        actions,
                    ),
                    // Unexpected, because no `ETag` was sent.
                    None => self.fail(
                        FetchError::malformed("the answer is 304 (not modified), but there is no earlier key set"),
                        now,
                        actions,
                    ),
                }
            }
            Content::Read { text, etag, keys: KeyDocument::Usable { keys, skipped } } => {
                let good: KeySet = keys.iter().filter(|key| !self.is_exposed(key)).cloned().collect();
                if good.is_empty() {
                    return self.fail(FetchError::all_exposed().at(&url.shown()), now, actions);
                }
                self.learned.discovered = Some((url.clone(), learned_at));
                self.learned.etag = etag.map(|etag| (url, etag));
                let held = Held { keys: good, text: text.into(), exposed, asked_at, asked_at_time, freshness };
                self.take(held, skipped, now, actions)
            }
            Content::Read { keys: KeyDocument::Refused { error, exposed }, .. } => {
                self.drop_exposed(&exposed, now, actions);
                self.fail(error.at(&url.shown()), now, actions)
            }
        }
    }

    fn is_exposed(&self, key: &VerifyingKey) -> bool {
        self.exposed.iter().any(|exposed| exposed.is_of(key))
    }

    /// Accepts a usable set, new or not.
    fn take(&mut self, held: Held, skipped: Vec<SkippedKey>, now: Instant, actions: &mut Vec<Action>) -> LastAttempt {
        let failures = std::mem::take(&mut self.failures);
        if failures > 0 {
            actions.push(Action::Tell(Notice::Recovered { failures }));
        }
        let usability = held.usability(self.outage);
        self.due = Some(held.asked_at + self.jitter.refresh_after(held.freshness));
        self.due_if_asked = None;
        // The keys that are in use stay, prepared as they are, however differently the issuer writes them down this time.
        let before = self.held.as_ref().map(|before| before.keys.clone()).unwrap_or_default();
        let same = !before.is_empty() && before.has_same_keys_as(&held.keys);
        let keys = if same { before.clone() } else { held.keys.clone() };
        self.published = if same && self.published.usable(now).is_some() {
            self.published.prolonged(usability)
        } else {
            self.published.replaced(keys.clone(), usability)
        };
        actions.push(Action::Publish(self.published.clone()));
        self.held = Some(Held { keys: keys.clone(), ..held });
        if !same {
            self.attempts.keys_changed(before.iter().filter_map(VerifyingKey::id));
            actions.push(Action::Tell(Notice::KeysSwapped { keys, skipped }));
        }
        LastAttempt::Succeeded
    }

    fn fail(&mut self, error: FetchError, now: Instant, actions: &mut Vec<Action>) -> LastAttempt {
        self.failures = self.failures.saturating_add(1);
        // The key set may have moved: the next attempt begins with the metadata.
        self.learned.discovered = None;
        let asked_for = error.retry_after().unwrap_or_default().min(MAX_RETRY_AFTER);
        let asked_for = self.jitter.no_sooner_than(asked_for);
        let usable = self.published.usable(now).is_some();
        let retry = self.jitter.back_off(self.failures, usable).max(asked_for);
        self.no_sooner_than = now + asked_for;
        let waits_to_be_asked = self.only_when_asked && self.held.is_none();
        (self.due, self.due_if_asked) =
            if waits_to_be_asked { (None, Some(now + retry)) } else { (Some(now + retry), None) };
        // Tokens can cause several attempts at once.
        if self.failures == 1 || now.saturating_duration_since(self.told_at) >= BETWEEN_LINES {
            self.told_at = now;
            let error = error.clone();
            actions.push(Action::Tell(Notice::FetchFailed { error, failures: self.failures, usable }));
        }
        LastAttempt::Failed(error)
    }

    /// Anyone can sign with a key whose private half was published, so it must not verify anything from now on.
    fn drop_exposed(&mut self, exposed: &ExposedKeys, now: Instant, actions: &mut Vec<Action>) {
        for half in &exposed.public_halves {
            if self.exposed.len() < MAX_EXPOSED && !self.exposed.iter().any(|known| known.is_the_same_as(half)) {
                self.exposed.push(half.clone());
            }
        }
        let Some(held) = self.held.as_mut() else { return };
        held.exposed.clone_from(&self.exposed);
        let (dropped, kept): (Vec<_>, Vec<_>) = held.keys.iter().cloned().partition(|key| exposed.contain(key));
        if dropped.is_empty() {
            return;
        }
        // The rest stays, even if it is empty, so that a snapshot can tell the next process.
        held.keys = kept.into_iter().collect();
        let (keys, usability) = (held.keys.clone(), held.usability(self.outage));
        // So that the set is read completely once it is valid again.
        self.learned.etag = None;
        let usability = match self.published.usability(now) {
            Usability::Usable { .. } if keys.is_empty() => Usability::Nothing,
            Usability::Usable { .. } => usability,
            other => other,
        };
        self.published = self.published.replaced(keys, usability);
        actions.push(Action::Publish(self.published.clone()));
        actions.push(Action::Tell(Notice::ExposedKeysDropped(dropped)));
    }
}
