//! How sure a view is.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{Clock, UnixTime};

/// Until when the view counts as fresh, on both clocks: the uptime stands still while a virtual machine is suspended, and the
/// calendar can be set.
pub(super) struct Confirmation {
    max_staleness: Duration,
    /// In milliseconds of uptime; zero before the first confirmation.
    fresh_until: AtomicU64,
    /// In seconds since 1970.
    fresh_until_time: AtomicU64,
}

/// A longer span means "for ever", and is cut to this, so that no sum of it overflows: 136 years.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// When a log was asked, by both clocks: its answer is as of then, however long it takes to come.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    pub(super) uptime: Duration,
    pub(super) calendar: UnixTime,
}

impl Confirmation {
    pub(super) fn new(max_staleness: Duration) -> Self {
        let max_staleness = max_staleness.min(LONGEST);
        Self { max_staleness, fresh_until: AtomicU64::new(0), fresh_until_time: AtomicU64::new(0) }
    }

    /// The log had nothing newer when it was asked.
    pub(super) fn confirm(&self, asked: Asked) {
        let fresh_until = millis(asked.uptime.saturating_add(self.max_staleness)).max(1);
        // A calendar in whole seconds has shown the second that is running for up to a second.
        let fresh_until_time = asked.calendar.as_secs().saturating_add(self.max_staleness.as_secs()).saturating_add(1);
        self.fresh_until.fetch_max(fresh_until, Ordering::Release);
        self.fresh_until_time.store(fresh_until_time, Ordering::Release);
    }

    /// Nothing is known any more: as before the first confirmation.
    pub(super) fn withdraw(&self) {
        self.fresh_until.store(0, Ordering::Release);
    }

    pub(super) fn is_fresh(&self, now: UnixTime, clock: &dyn Clock) -> bool {
        millis(clock.uptime()) < self.fresh_until.load(Ordering::Acquire)
            && now.as_secs() <= self.fresh_until_time.load(Ordering::Acquire)
    }

    /// How long ago it was confirmed, by that clock on which more time has passed; `None` if it never was.
    pub(super) fn age(&self, now: UnixTime, clock: &dyn Clock) -> Option<Duration> {
        let fresh_until = self.fresh_until.load(Ordering::Acquire);
        let fresh_until_time = self.fresh_until_time.load(Ordering::Acquire);
        if fresh_until == 0 {
            return None;
        }
        let confirmed_at = Duration::from_millis(fresh_until).saturating_sub(self.max_staleness);
        let by_uptime = clock.uptime().saturating_sub(confirmed_at);
        let confirmed_at = fresh_until_time.saturating_sub(self.max_staleness.as_secs() + 1);
        let by_calendar = Duration::from_secs(now.as_secs().saturating_sub(confirmed_at + 1));
        Some(by_uptime.max(by_calendar))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
