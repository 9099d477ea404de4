//! The one task of a process that follows the log.

use std::{sync::Arc, time::Duration};

use portcullis_core::revocation::{Asked, Cursor, LogError, Page, ViewState};
use tokio::{
    task::{JoinSet, yield_now},
    time::{Instant, sleep, timeout},
};

use super::{ATTEMPT_TIMEOUT, RevocationEvent, outdated::Outdated, shared::Shared};
use crate::telemetry;

/// How long the log is asked to wait for something new; its answer confirms the view either way.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// How long past its time an answer is waited for alone. Then the log is asked again, once in each of these, while the first answer may
/// still come: a log that is back after an outage is noticed although a question from before hangs.
const OVERDUE: Duration = Duration::from_millis(900);

/// Reads the log, and keeps the view.
#[derive(Debug)]
pub(super) struct Feed {
    shared: Arc<Shared>,
    cursor: Option<Cursor>,
    /// Whether the log had nothing more, the last time. It is asked to wait only then: otherwise its answer is wanted at once.
    is_caught_up: bool,
    /// The next page, asked for while this one is taken in.
    ahead: Option<Question>,
    failures: u32,
    outdated: Outdated,
    /// What was last said about the view, and when something was last said about the log.
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
            if self.shared.writer.has_forgotten_too_much() {
                self.shared.writer.begin_anew();
                (self.cursor, self.is_caught_up, self.ahead) = (None, false, None);
            }
            match self.read().await {
                Ok((page, asked)) => {
                    if !page.is_last {
                        self.ahead = Some(self.ask(Some(page.cursor), Duration::ZERO));
                        yield_now().await; // so that it is on its way before this thread is busy
                    }
                    self.take(&page, asked);
                }
                Err(error) => self.fail(error).await,
            }
            if self.last_forgotten.elapsed() >= HEARTBEAT {
                self.last_forgotten = Instant::now();
                self.shared.writer.forget_some();
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
        shared.take(&page.entries);
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
        if self.outdated.is_over(shared.writer.trusted_now()) {
            shared.writer.confirm(sent.asked);
            shared.is_synced.send_if_modified(|is_synced| !std::mem::replace(is_synced, true));
        } else {
            shared.status().last_error = Some(self.outdated.error());
        }
        self.tell_of_the_view();
        // What this instance has revoked has to get there either way.
        let again = shared.own().read_to_end(shared.writer.trusted_now(), sent.at);
        telemetry::appending_again(again);
        if shared.own().has_waiting() {
            shared.wake.notify_one();
        }
    }

    /// Notes what the page says about time: how long its canaries took, and what the log's calendar shows.
    fn measure(&self, page: &Page) {
        let precisely = self.shared.writer.precise_now();
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

    /// Says once that the view has become stale, and once that it is fresh again.
    fn tell_of_the_view(&mut self) {
        let state = self.shared.view().state();
        let is_stale = matches!(state, ViewState::Stale { .. });
        if is_stale != self.was_stale {
            self.was_stale = is_stale;
            telemetry::view_changed(is_stale);
        }
    }
}

/// How long to wait after so many failures: a tenth of a second, and twice as long each time up to nine tenths, less up to half of it by
/// chance, so that not all instances come at once. Within a second of the end of an outage every instance has asked again.
pub(super) fn back_off(failures: u32) -> Duration {
    let longest = Duration::from_millis(100 << failures.saturating_sub(1).min(5)).min(Duration::from_millis(900));
    longest.mul_f32(fastrand::f32().mul_add(-0.5, 1.0))
}

/// When a question was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    asked: Asked,
    at: Instant,
}

/// A question to the log, perhaps asked again while the first answer may still come. In tasks of their own, so that a log that panics is one
/// that failed.
#[derive(Debug)]
struct Question {
    task: JoinSet<Result<(Page, Sent), LogError>>,
    patience: Duration,
}

impl Question {
    fn ask(&mut self, shared: &Shared, after: Option<Cursor>, patience: Duration) {
        let sent = Sent { asked: shared.writer.ask(), at: Instant::now() };
        let read = shared.log.read(after, patience);
        self.task.spawn(async move { read.await.map(|page| (page, sent)) });
    }

    /// The first answer.
    async fn answer(&mut self) -> Result<(Page, Sent), LogError> {
        match self.task.join_next().await {
            Some(Ok(answer)) => answer,
            _ => Err(LogError::unavailable("the implementation of the log panicked")),
        }
    }
}

/// Ends the view with the task that follows its log.
#[derive(Debug)]
struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.writer.end();
        if std::thread::panicking() {
            telemetry::task_ended();
        }
    }
}
