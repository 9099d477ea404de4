//! Time in tests with real servers: nothing is measured by the machine's clock, so that a busy machine changes no outcome.

use std::{
    future::Future,
    sync::mpsc::{Sender, channel},
    thread,
    time::Duration,
};

use tokio::{
    task::spawn_blocking,
    time::{Instant, pause, resume},
};

/// The patience of a read that ends because something happens. Only a test that fails exhausts it.
pub const PATIENT: Duration = GUARD;

/// How long a caller waits for a log that does not answer; see [`RevocationLog`](portcullis_core::revocation::RevocationLog).
pub const GIVEN_UP: Duration = Duration::from_secs(5);

/// Only ends a test that would hang.
const GUARD: Duration = Duration::from_secs(60);

/// How often a state is looked at that nothing notifies of.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until something is the case that nothing notifies of.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        pause_unless_hanging(what, started).await;
    }
}

/// The same, if it takes a question to know.
pub async fn until_answer(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = std::time::Instant::now();
    while !is_so().await {
        pause_unless_hanging(what, started).await;
    }
}

async fn pause_unless_hanging(what: &str, started: std::time::Instant) {
    assert!(started.elapsed() < GUARD, "this does not happen: {what}");
    // The runtime's own clock may be stopped.
    spawn_blocking(|| thread::sleep(PAUSE)).await.unwrap();
}

/// Returns what the future gives, and how much virtual time it took: whenever all of it waits, the clock jumps to the next timer. For
/// peers that do not answer; an answer would come late. The runtime must have one thread.
pub async fn on_virtual_time<T>(work: impl Future<Output = T>) -> (T, Duration) {
    pause();
    let started = Instant::now();
    let outcome = work.await;
    let took = started.elapsed();
    resume();
    (outcome, took)
}

/// While it lives, the runtime's clock stands still: no timer fires, and whatever happens is caused by the network. The runtime must have one
/// thread.
pub struct StoppedClock {
    _hold: Sender<()>,
}

impl StoppedClock {
    pub fn new() -> Self {
        pause();
        let (hold, held) = channel::<()>();
        // A paused clock does not jump to the next timer while a blocking task runs. If the test hangs, timers end it after all.
        drop(spawn_blocking(move || held.recv_timeout(GUARD)));
        Self { _hold: hold }
    }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        resume();
    }
}
