//! Rules about faults of a log.

use super::{LogPlace, LogReader, RevocationLogContract, Switch};

impl<P: LogPlace> RevocationLogContract<P> {
    pub(super) async fn a_crash_loses_nothing_that_was_acknowledged(&mut self) {
        let cursor = self.end().await;
        let entries = self.append(20).await;
        let crashed = self.place.crash().await;
        if !self.impossible.has_happened(Switch::Crash, crashed) {
            return;
        }
        let mut resumed = LogReader::at(self.place.open().await, cursor);
        resumed.catch_up().await;
        assert!(resumed.has_all(&entries), "acknowledged, and lost");
        assert_eq!(resumed.restarts, 0, "a log that comes up again is the same");
    }

    pub(super) async fn a_log_that_was_rolled_back_is_read_from_its_beginning(&mut self) {
        let before = self.append(3).await;
        let saved = self.place.save().await;
        if !self.impossible.has_happened(Switch::RollBack, saved) {
            return;
        }
        self.append(3).await;
        let cursor = self.end().await;
        let rolled_back = self.place.roll_back().await;
        assert!(self.impossible.has_happened(Switch::RollBack, rolled_back));
        let mut after = Vec::new();
        // At first the log is behind the reader, and then it has overtaken the reader.
        for _ in 0..2 {
            after.extend(self.append(1).await);
            after.extend(self.append(9).await);
            let mut resumed = LogReader::at(self.place.open().await, cursor);
            resumed.catch_up().await;
            assert!(resumed.restarts > 0, "the reader was further than the log, and the page did not say so");
            assert!(resumed.has_all(&before) && resumed.has_all(&after));
        }
    }

    pub(super) async fn a_log_that_was_trimmed_hides_nothing_that_is_left(&mut self) {
        let cursor = self.end().await;
        self.append(1200).await;
        let trimmed = self.place.trim().await;
        if !self.impossible.has_happened(Switch::Trim, trimmed) {
            return;
        }
        let left = self.append(5).await;
        let mut resumed = LogReader::at(self.place.open().await, cursor);
        resumed.catch_up().await;
        assert!(resumed.has_all(&left));
        assert!(resumed.restarts > 0, "entries that followed are gone, and the page did not say so");
    }

    pub(super) async fn a_log_that_lost_everything_is_read_from_its_beginning(&mut self) {
        let cursor = self.end().await;
        let lost = self.place.lose_everything().await;
        if !self.impossible.has_happened(Switch::LoseEverything, lost) {
            return;
        }
        let after = self.append(1).await;
        let mut resumed = LogReader::at(self.place.open().await, cursor);
        resumed.catch_up().await;
        assert!(resumed.restarts > 0, "the log is another one, and the page did not say so");
        assert_eq!(resumed.seen, after.into_iter().collect());
    }
}
