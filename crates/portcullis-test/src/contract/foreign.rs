//! Rules about texts in a log that this version cannot read as entries.

use super::{LogPlace, LogReader, RevocationLogContract, Switch};

/// Written by no version of Portcullis.
const FOREIGN: [&str; 3] = ["hello", "{}", r#"{"v":1,"level":"galaxy","iss":"https://a.test","until":4000000000}"#];

/// Written by a later version, in two forms: the shortest possible one, and one with more members.
const LATER: [&str; 2] =
    [r#"{"v":2}"#, r#"{"v":2,"level":"session","iss":"https://a.test","id":"x","until":4000000000,"why":"left"}"#];

impl<P: LogPlace> RevocationLogContract<P> {
    pub(super) async fn texts_that_are_no_entries_are_counted_and_hide_nothing(&mut self) {
        let cursor = self.end().await;
        let mut expected = self.append(2).await;
        let written = self.place.write(&FOREIGN).await;
        if !self.impossible.has_happened(Switch::Write, written) {
            return;
        }
        expected.extend(self.append(1).await);
        let written = self.place.write(&LATER).await;
        assert!(self.impossible.has_happened(Switch::Write, written));
        expected.extend(self.append(1).await);

        let mut resumed = LogReader::at(self.place.open().await, cursor);
        resumed.catch_up().await;
        assert_eq!(resumed.seen, expected.into_iter().collect(), "a text that is no entry hides one that is");
        assert_eq!(resumed.restarts, 0);
        assert_eq!(resumed.unreadable, FOREIGN.len() + LATER.len(), "texts that are no entries");
        assert_eq!(resumed.of_later_version, LATER.len(), "entries of a later version");
        resumed.catch_up().await;
        assert_eq!(resumed.unreadable, FOREIGN.len() + LATER.len(), "a text is read twice");
        drop(resumed);

        let mut newcomer = self.reader().await;
        newcomer.catch_up().await;
        assert_eq!(newcomer.of_later_version, LATER.len(), "a reader that starts later does not learn of them");
    }

    /// If the log ends with an unreadable text, the reader still reaches the end, and continues from there.
    pub(super) async fn a_log_that_ends_with_such_a_text_has_an_end(&mut self) {
        let cursor = self.end().await;
        let written = self.place.write(&LATER[..1]).await;
        if !self.impossible.has_happened(Switch::Write, written) {
            return;
        }
        let mut reader = LogReader::at(self.place.open().await, cursor);
        reader.catch_up().await;
        assert_eq!((reader.unreadable, reader.of_later_version, reader.restarts), (1, 1, 0));
        let entries = self.append(1).await;
        let mut resumed = LogReader::at(self.place.open().await, reader.cursor);
        resumed.catch_up().await;
        assert!(resumed.has_all(&entries));
        assert_eq!((resumed.unreadable, resumed.restarts), (0, 0));
    }
}
