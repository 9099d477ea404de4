//! Canaries: entries that revoke nothing, with which instances measure their lag behind the log.

use std::{sync::Arc, time::Duration};

use portcullis_core::{
    UnixTime,
    revocation::{LogError, Revocation, RevocationEntry},
};
use tokio::time::{Instant, sleep_until};

use super::shared::Shared;

/// The reserved issuer of canaries: no token names it, and no caller can revoke it.
const CANARY: &str = "portcullis:canary";

/// How long a canary lives. A reader that was cut off for longer may find that the log has forgotten the canary at its
/// position, and then reads the log from its beginning.
const LIFE: Duration = Duration::from_secs(600);

/// After this many canaries in a row an instance lets another one write, so that each instance can measure how long its
/// own take to come back.
const IN_A_ROW: u32 = 10;

/// A canary: when it was written, by which instance, and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Canary {
    /// By the writer's clock, since 1970, in milliseconds.
    pub(super) written: u64,
    pub(super) writer: u64,
    pub(super) number: u64,
}

pub(super) fn is_canary(entry: &RevocationEntry) -> bool {
    entry.revocation().of_issuer() == CANARY
}

/// The error for a caller that revokes this issuer: its entries would be read as canaries, which no view keeps, and
/// which tell other instances the time.
pub(super) fn is_reserved() -> LogError {
    LogError::refused(format!(
        "the issuer `{CANARY}` is reserved for the entries by which instances measure their lag, and no token names it; revoke by the \
         issuer that the tokens name"
    ))
}

impl Canary {
    fn entry(self, now: UnixTime) -> RevocationEntry {
        let Self { written, writer, number } = self;
        let until = now.plus(LIFE);
        RevocationEntry::new(Revocation::token(CANARY, &format!("{written:x}-{writer:x}-{number:x}"), until), until)
    }

    /// Parses such an entry. `None` if it is another one, or has another form.
    pub(super) fn read(entry: &RevocationEntry) -> Option<Self> {
        if !is_canary(entry) {
            return None;
        }
        let mut numbers = entry.revocation().id().splitn(3, '-').map(|digits| u64::from_str_radix(digits, 16).ok());
        Some(Self { written: numbers.next()??, writer: numbers.next()??, number: numbers.next()?? })
    }
}

/// Appends a canary whenever none was seen for an interval, until it is dropped.
pub(super) async fn run(shared: Arc<Shared>, interval: Duration) {
    let mut is_synced = shared.is_synced.subscribe();
    if is_synced.wait_for(|is_synced| *is_synced).await.is_err() {
        return;
    }
    let (mut attempted, mut in_a_row) = (Instant::now(), 0);
    loop {
        let (last_seen, is_ours) = shared.lag().last_seen().unwrap_or((attempted, false));
        in_a_row = if is_ours { in_a_row } else { 0 };
        // The instance that wrote the last one writes the next one; the others take over only if it does not.
        let goes_on = is_ours && in_a_row < IN_A_ROW;
        let pause = if goes_on { Duration::ZERO } else { interval.mul_f32(fastrand::f32().mul_add(0.4, 0.1)) };
        sleep_until(last_seen.max(attempted) + interval + pause).await;
        if shared.lag().last_seen().is_some_and(|(seen, _)| seen > last_seen) {
            continue;
        }
        in_a_row = if goes_on { in_a_row + 1 } else { 1 };
        attempted = Instant::now();
        let (now, precisely) = (shared.view().now(), shared.view_writer.precise_now());
        let canary = shared.lag().begin(u64::try_from(precisely.as_millis()).unwrap_or(u64::MAX));
        // If the log does not accept it, the next interval tries again. The missing canary shows in the lag.
        let _ = shared.attempt(&[canary.entry(now)]).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_survives_the_log_and_nothing_else_is_one() {
        let now = UnixTime::from_secs(1_800_000_000);
        let canary = Canary { written: u64::MAX, writer: 0, number: 7 };
        let entry = RevocationEntry::from_json(&canary.entry(now).to_json()).unwrap();
        assert!(is_canary(&entry));
        assert_eq!(Canary::read(&entry), Some(canary));
        assert_eq!(Canary::read(&RevocationEntry::new(Revocation::session("i", "1-2-3"), now)), None);
        let other = RevocationEntry::new(Revocation::token(CANARY, "f00", now), now);
        assert!(is_canary(&other) && Canary::read(&other).is_none(), "of another form");
    }
}
