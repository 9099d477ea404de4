//! [`Feed`]: the only task of a process that follows the log.

use std::{sync::Arc, time::Duration};

use portcullis_core::revocation::{Asked, Cursor, LogError, Page, ViewState};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep, timeout},
};

use super::{ATTEMPT_TIMEOUT, RevocationEvent, outdated::Outdated, shared::Shared};
use crate::telemetry;

/// How long the log is asked to wait for new entries; its answer confirms the view in any case.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long to wait for an overdue answer before the log is asked again. This is repeated at the same interval, while
/// the first answer may still come: the end of an outage is noticed even if an earlier request hangs.
const OVERDUE: Duration = Duration::from_millis(900);

/// Reads the log, and updates the view.
#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    cursor: Option<Cursor>,
    /// Whether the last page was the end of the log. Only then the log is asked to wait: otherwise it should answer at
    /// once.
    is_caught_up: bool,
    /// The next page, requested while the current one is processed.
    ahead: Option<Question>,
    failures: u32,
    outdated: Outdated,
    /// The last reported state of the view, and when the last report about the log was made.
    was_stale: bool,
    last_words: Option<Instant>,
    last_forgotten: Instant,
    _end: End,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            _end: End(Arc::clone(&shared)),
            shared,
            cursor: None,
            is_caught_up: false,
            ahead: None,
            failures: 0,
            outdated: Outdated::default(),
            was_stale: false,
            last_words: None,
            last_forgotten: Instant::now(),
        }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            if self.shared.view_writer.has_forgotten_too_much() {
                self.shared.view_writer.restart();
                (self.cursor, self.is_caught_up, self.ahead) = (None, false, None);
            }
            match self.read().await {
                Ok((page, asked)) => {
                    if !page.is_last {
                        self.ahead = Some(self.ask(Some(page.cursor), Duration::ZERO));
                        yield_now().await; // lets the request start before this thread is busy
                    }
                    self.take(&page, asked);
                }
                Err(error) => self.fail(error).await,
            }
            if self.last_forgotten.elapsed() >= HEARTBEAT {
                self.last_forgotten = Instant::now();
                self.shared.view_writer.forget_some();
            }
        }
    }

    fn ask(&self, after: Option<Cursor>, patience: Duration) -> Question {
        let mut question = Question { task: JoinSet::new(), patience };
        question.ask(&self.shared, after, patience);
        question
    }

    async fn read(&mut self) -> Result<(Page, Sent), LogError> {
        let patience = if self.is_caught_up { HEARTBEAT } else { Duration::ZERO };
        let mut question = self.ahead.take().unwrap_or_else(|| self.ask(self.cursor, patience));
        let deadline = Instant::now() + question.patience + ATTEMPT_TIMEOUT;
        let mut pause = question.patience + OVERDUE;
        loop {
            match timeout(pause, question.answer()).await {
                Ok(answer) => return answer,
                Err(_) if Instant::now() >= deadline => return Err(super::too_slow()),
                Err(_) => question.ask(&self.shared, self.cursor, Duration::ZERO),
            }
            pause = OVERDUE;
            self.tell_of_the_view();
        }
    }

    fn take(&mut self, page: &Page, sent: Sent) {
        let shared = Arc::clone(&self.shared);
        self.note(page);
        self.measure(page);
        shared.apply(&page.entries);
        self.cursor = Some(page.cursor);
        self.is_caught_up = page.is_last;
        self.outdated.note(page, shared.view());
        let lag = {
            let mut own = shared.own();
            if page.is_restart {
                own.restarted();
            }
            own.read(&page.entries)
        };
        if let Some(lag) = lag {
            shared.lag().note(lag);
        }
        if !page.is_last {
            return;
        }
        if self.outdated.is_over(shared.view_writer.trusted_now()) {
            shared.view_writer.confirm(sent.asked);
            shared.is_synced.send_if_modified(|is_synced| !std::mem::replace(is_synced, true));
        } else {
            shared.status().last_error = Some(self.outdated.error());
        }
        self.tell_of_the_view();
        // The revocations of this instance have to be appended in any case.
        let again = shared.own().read_to_end(shared.view_writer.trusted_now(), sent.at);
        telemetry::appending_again(again);
        if shared.own().has_waiting() {
            shared.wake.notify_one();
        }
    }

    /// Takes the times from the page: how long its canaries took, and the log's clock.
    fn measure(&self, page: &Page) {
        let precisely = self.shared.view_writer.precise_now();
        let mut lag = self.shared.lag();
        lag.read(&page.entries, precisely, self.is_caught_up);
        if let Some(as_of) = page.as_of {
            lag.note_time_of_log(as_of);
        }
    }

    fn note(&mut self, page: &Page) {
        telemetry::log_read(std::mem::take(&mut self.failures));
        let warnings = self.shared.log.warnings();
        let mut status = self.shared.status();
        status.last_error = None;
        status.unreadable += page.unreadable as u64;
        if page.unreadable > 0 {
            telemetry::unreadable(page.unreadable);
        }
        if page.is_restart {
            status.restarts += 1;
            telemetry::restarted();
            let _ = self.shared.events.send(RevocationEvent::Restarted);
        }
        if status.warnings != warnings {
            for warning in &warnings {
                telemetry::warning(warning);
            }
            status.warnings = warnings;
        }
    }

    async fn fail(&mut self, error: LogError) {
        self.failures = self.failures.saturating_add(1);
        self.is_caught_up = false;
        // At most one line a second, however often the log is asked.
        if self.last_words.is_none_or(|then| then.elapsed() >= Duration::from_secs(1)) {
            self.last_words = Some(Instant::now());
            telemetry::log_failed(&error, self.failures);
        }
        self.shared.status().last_error = Some(error);
        self.tell_of_the_view();
        sleep(back_off(self.failures)).await;
    }

    /// Reports once that the view has become stale, and once that it is fresh again.
    fn tell_of_the_view(&mut self) {
        let state = self.shared.view().state();
        let is_stale = matches!(state, ViewState::Stale { .. });
        if is_stale != self.was_stale {
            self.was_stale = is_stale;
            telemetry::view_changed(is_stale);
        }
    }
}

/// Returns how long to wait after so many failures: a tenth of a second, doubled each time up to nine tenths, minus a
/// random part of up to half of it, so that the instances do not all ask at the same time. Within a second of the end
/// of an outage every instance has asked again.
pub(super) fn back_off(failures: u32) -> Duration {
    let longest = Duration::from_millis(100 << failures.saturating_sub(1).min(5)).min(Duration::from_millis(900));
    longest.mul_f32(fastrand::f32().mul_add(-0.5, 1.0))
}

/// When a request was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    asked: Asked,
    at: Instant,
}

/// A request to the log, which may be repeated while the first answer may still come. Each runs in its own task, so a
/// panic in the log's code counts as a failure of the log.
#[derive(Debug)]
struct Question {
    task: JoinSet<Result<(Page, Sent), LogError>>,
    patience: Duration,
}

impl Question {
    fn ask(&mut self, shared: &Shared, after: Option<Cursor>, patience: Duration) {
        let sent = Sent { asked: shared.view_writer.ask(), at: Instant::now() };
        let read = shared.log.read(after, patience);
        self.task.spawn(async move { read.await.map(|page| (page, sent)) });
    }

    /// Returns the first answer.
    async fn answer(&mut self) -> Result<(Page, Sent), LogError> {
        match self.task.join_next().await {
            Some(Ok(answer)) => answer,
            _ => Err(LogError::unavailable("the implementation of the log panicked")),
        }
    }
}

/// Ends the view together with the task that follows its log.
#[derive(Debug)]
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.view_writer.end();
        if std::thread::panicking() {
            telemetry::task_ended();
        }
    }
}
