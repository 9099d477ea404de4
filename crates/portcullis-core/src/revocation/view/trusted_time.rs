//! [`TrustedTime`]: the time by which entries are forgotten.

use std::time::Duration;

use crate::UnixTime;

/// How far the wall clock may run ahead of the uptime without suspicion, because clocks are adjusted.
const TOLERATED: Duration = Duration::from_secs(60);

/// How long a wall clock that has jumped ahead must stay there before it is believed.
const PROBATION: Duration = Duration::from_secs(3600);

/// A wall clock without jumps ahead.
///
/// If a clock is set a day ahead, and back again, the view must not forget revocations meanwhile: the tokens, which seemed to have
/// expired, would be valid again.
#[derive(Debug)]
pub(super) struct TrustedTime {
    anchor: UnixTime,
    /// The uptime at the anchor.
    anchored_at: Duration,
    ahead_since: Option<Duration>,
}

impl TrustedTime {
    pub(super) fn new(now: UnixTime, uptime: Duration) -> Self {
        Self { anchor: now, anchored_at: uptime, ahead_since: None }
    }

    /// Returns the latest possible time, given the wall clock and the uptime.
    pub(super) fn now(&mut self, calendar: UnixTime, uptime: Duration) -> UnixTime {
        let expected = self.anchor.plus(uptime.saturating_sub(self.anchored_at)).plus(TOLERATED);
        if calendar <= expected {
            *self = Self::new(calendar, uptime);
            return calendar;
        }
        let since = *self.ahead_since.get_or_insert(uptime);
        if uptime.saturating_sub(since) >= PROBATION {
            *self = Self::new(calendar, uptime);
            return calendar;
        }
        expected
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: UnixTime = UnixTime::from_secs(1_800_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn a_jump_ahead_is_believed_only_if_it_lasts() {
        let mut time = TrustedTime::new(T, Duration::ZERO);
        let second = Duration::from_secs(1);
        assert_eq!(time.now(T.plus(second), second), T.plus(second));
        let jumped = T.plus(DAY);
        assert!(time.now(jumped, 2 * second) <= T.plus(Duration::from_secs(63)), "not yet");
        assert_eq!(time.now(T.plus(3 * second), 3 * second), T.plus(3 * second), "set back");
        assert!(time.now(jumped, 4 * second) < T.plus(DAY / 2));
        let later = PROBATION + 4 * second;
        assert_eq!(time.now(jumped.plus(PROBATION), later), jumped.plus(PROBATION), "it lasted");
    }
}
