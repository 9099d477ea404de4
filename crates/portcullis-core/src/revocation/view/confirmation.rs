//! [`Confirmation`]: whether a view is fresh.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{Clock, UnixTime};

/// Until when the view counts as fresh, by both clocks: the uptime stands still while a virtual machine is suspended, and the wall clock
/// can be set.
pub(super) struct Confirmation {
    max_staleness: Duration,
    /// In milliseconds of uptime; zero before the first confirmation.
    fresh_until: AtomicU64,
    /// In seconds since 1970.
    fresh_until_time: AtomicU64,
}

/// A longer time means "forever", and is limited to this, so that no sum overflows: 136 years.
const LONGEST: Duration = Duration::from_secs(u32::MAX as u64);

/// The time at which a log was asked, by both clocks: the answer is valid for this time, however long it takes to arrive.
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

    /// Records that the log had nothing newer when it was asked.
    pub(super) fn confirm(&self, asked: Asked) {
        let fresh_until = millis(asked.uptime.saturating_add(self.max_staleness)).max(1);
        // A wall clock in whole seconds has shown the current second for up to a second.
        let fresh_until_time = asked.calendar.as_secs().saturating_add(self.max_staleness.as_secs()).saturating_add(1);
        self.fresh_until.fetch_max(fresh_until, Ordering::Release);
        self.fresh_until_time.store(fresh_until_time, Ordering::Release);
    }

    /// Withdraws the confirmation: the state before the first one.
    pub(super) fn withdraw(&self) {
        self.fresh_until.store(0, Ordering::Release);
    }

    pub(super) fn is_fresh(&self, now: UnixTime, clock: &dyn Clock) -> bool {
        millis(clock.uptime()) < self.fresh_until.load(Ordering::Acquire)
            && now.as_secs() <= self.fresh_until_time.load(Ordering::Acquire)
    }

    /// Returns how long ago it was confirmed, by the clock on which more time has passed; `None` if it never was.
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
