//! How many requests the endpoints answer, refreshes of the page among them. Log-ins are not: put a limit of those in front.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use portcullis_issuer::server::{Endpoint, EndpointAttempt, RetryAfter};

/// How many clients and networks are counted apart. The others have one count together, so that no one can fill the memory with names.
const MOST_COUNTS: usize = 10_000;

const MINUTE: Duration = Duration::from_secs(60);

/// The requests of this minute.
struct Minute {
    began: Instant,
    counts: HashMap<(Endpoint, String), u32>,
}

/// Returns a limit of the requests in each minute: a client may send `most` to an endpoint, from one network. Several instances would count in a common place, such as Redis, and answer from what they know.
pub(super) fn of_each_minute(
    most: u32,
) -> impl Fn(&EndpointAttempt<'_>) -> Result<(), RetryAfter> + Send + Sync + 'static {
    let minute = Mutex::new(Minute { began: Instant::now(), counts: HashMap::new() });
    move |attempt| {
        let mut minute = minute.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.began.elapsed() >= MINUTE {
            *minute = Minute { began: Instant::now(), counts: HashMap::new() };
        }
        let name = format!("{} {}", attempt.network.unwrap_or_default(), attempt.client_id.unwrap_or_default());
        let key = (attempt.endpoint, name);
        let is_counted = minute.counts.len() < MOST_COUNTS || minute.counts.contains_key(&key);
        let key = if is_counted { key } else { (attempt.endpoint, String::new()) };
        let wait = MINUTE.saturating_sub(minute.began.elapsed());
        let count = minute.counts.entry(key).or_default();
        *count = count.saturating_add(1);
        if *count > most { Err(RetryAfter::new(wait)) } else { Ok(()) }
    }
}
