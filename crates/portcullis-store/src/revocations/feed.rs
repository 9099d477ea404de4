//! The one task of a process that follows the log.

use std::{sync::Arc, time::Duration};

use portcullis_core::{Asked, Cursor, LogError, Page};
use tokio::{
    select,
    task::{JoinSet, yield_now},
    time::{Instant, sleep, timeout},
};

use super::{ATTEMPT_TIMEOUT, RevocationEvent, Shared, upkeep::Upkeep};
use crate::telemetry;

/// How long the log is asked to wait for something new; its answer confirms the view either way.
const HEARTBEAT: Duration = Duration::from_secs(1);

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
    /// Whether the log holds what a later version has written: this one does not know what is revoked, and says so.
    is_outdated: bool,
    upkeep: Upkeep,
    last_forgotten: Instant,
}

impl Feed {
    pub(super) fn new(shared: Arc<Shared>, canary: Duration) -> Self {
        let upkeep = Upkeep::new(Arc::clone(&shared), canary);
        Self {
            shared,
            cursor: None,
            is_caught_up: false,
            ahead: None,
            failures: 0,
            is_outdated: false,
            upkeep,
            last_forgotten: Instant::now(),
        }
    }

    /// Runs until it is dropped.
    pub(super) async fn run(mut self) {
        let _last_words = LastWords;
        loop {
            if self.shared.view.has_forgotten_too_much() {
                self.shared.view.begin_anew();
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
                self.shared.view.forget_some();
            }
        }
    }

    fn ask(&self, after: Option<Cursor>, patience: Duration) -> Question {
        let asked = (self.shared.view.ask(), Instant::now());
        let mut task = JoinSet::new();
        task.spawn(self.shared.log.read(after, patience));
        Question { asked, task }
    }

    async fn read(&mut self) -> Result<(Page, (Asked, Instant)), LogError> {
        let patience = if self.is_caught_up { HEARTBEAT } else { Duration::ZERO };
        let mut question = self.ahead.take().unwrap_or_else(|| self.ask(self.cursor, patience));
        select! {
            answer = question.answer(HEARTBEAT + ATTEMPT_TIMEOUT) => return answer,
            // Something has to be appended: look again at once.
            () = self.shared.wake.notified() => drop(question), // one reader at a time
        }
        self.ask(self.cursor, Duration::ZERO).answer(ATTEMPT_TIMEOUT).await
    }

    fn take(&mut self, page: &Page, (asked, asked_at): (Asked, Instant)) {
        telemetry::log_read(std::mem::take(&mut self.failures));
        let shared = Arc::clone(&self.shared);
        let lag = {
            let mut own = shared.own();
            if page.is_restart {
                own.restarted();
            }
            own.read(&page.entries)
        };
        self.note(page, lag);
        shared.take(&page.entries);
        self.cursor = Some(page.cursor);
        self.is_caught_up = page.is_last;
        self.is_outdated |= page.of_later_version > 0;
        if !page.is_last {
            return;
        }
        if self.is_outdated {
            shared.status().last_error = Some(outdated());
        } else {
            shared.view.confirm(asked);
            shared.is_synced.send_if_modified(|is_synced| !std::mem::replace(is_synced, true));
        }
        // What this instance has revoked has to get there either way.
        self.upkeep.look(asked_at);
    }

    fn note(&self, page: &Page, lag: Option<Duration>) {
        let warnings = self.shared.log.warnings();
        let mut status = self.shared.status();
        status.lag = lag.or(status.lag);
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
        telemetry::log_failed(&error, self.failures);
        self.shared.status().last_error = Some(error);
        sleep(back_off(self.failures)).await;
    }
}

/// How long to wait after so many failures: a tenth of a second, and twice as long each time up to two seconds, less up to half of it
/// by chance, so that not all instances come at once.
pub(super) fn back_off(failures: u32) -> Duration {
    let longest = Duration::from_millis(100 << failures.saturating_sub(1).min(5)).min(Duration::from_secs(2));
    longest.mul_f32(fastrand::f32().mul_add(-0.5, 1.0))
}

fn outdated() -> LogError {
    LogError::misconfigured(
        "the log holds revocations that a later version of portcullis has written, so this one does not know what is revoked: bring all \
         instances to that version",
    )
}

/// A question to the log, and when it was sent. In a task of its own, so that a log that panics is one that failed.
#[derive(Debug)]
struct Question {
    asked: (Asked, Instant),
    task: JoinSet<Result<Page, LogError>>,
}

impl Question {
    /// The answer, if it comes within `longest`.
    async fn answer(&mut self, longest: Duration) -> Result<(Page, (Asked, Instant)), LogError> {
        match timeout(longest, self.task.join_next()).await {
            Ok(Some(Ok(answer))) => answer.map(|page| (page, self.asked)),
            Ok(_) => Err(LogError::unavailable("the implementation of the log panicked")),
            Err(_) => Err(super::too_slow()),
        }
    }
}

/// Says so if the task ends while somebody needs it. (It ends with its handle, and then nobody does.)
#[derive(Debug)]
struct LastWords;

impl Drop for LastWords {
    fn drop(&mut self) {
        if std::thread::panicking() {
            telemetry::task_ended();
        }
    }
}
