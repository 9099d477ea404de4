//! Waiting for what nothing tells of.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Asks again and again until the answer is yes, for as long as the test may take. Gives how long it took.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    let mut next_word = Duration::from_secs(20);
    while !is_so().await {
        if started.elapsed() >= next_word {
            eprintln!("after {next_word:?} not yet: {what}");
            next_word *= 2;
        }
        sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}
