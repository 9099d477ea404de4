//! Waiting for what nothing tells of.

use std::time::{Duration, Instant};

use tokio::time::sleep;

/// Asks again and again until the answer is yes, for up to 20 s. Gives how long it took.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        sleep(Duration::from_millis(1)).await;
    }
    started.elapsed()
}
